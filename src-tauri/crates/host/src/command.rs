//! Short-lived programs of the system, with a time limit.

use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// Its exit status; `None` = a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it wrote to its standard output.
    pub(crate) stdout: String,
    /// What it wrote to its standard error.
    pub(crate) stderr: String,
}

impl Finished {
    /// Whether it says that it did what it was asked.
    pub(crate) fn succeeded(&self) -> bool {
        self.status == Some(0)
    }
}

/// Runs `program` (an absolute path) without input, shell or locale, and waits for its end.
///
/// # Errors
/// It cannot be started; [`io::ErrorKind::TimedOut`] where it takes longer than `limit`: it is then ended.
pub(crate) fn run(program: &str, arguments: &[&str], limit: Duration) -> io::Result<Finished> {
    let child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pid = Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(child.wait_with_output());
    });
    let Ok(finished) = receiver.recv_timeout(limit) else {
        let _ = kill_process(pid, Signal::KILL);
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no end within {} s", limit.as_secs())));
    };
    let finished = finished?;
    Ok(Finished {
        status: finished.status.code(),
        stdout: String::from_utf8_lossy(&finished.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&finished.stderr).into_owned(),
    })
}

/// What [`run`] read from the program's standard output. `None` where it cannot be started, fails with nothing
/// written, or takes longer than `limit`.
#[cfg(any(target_os = "macos", test))]
pub(crate) fn output(program: &str, arguments: &[&str], limit: Duration) -> Option<String> {
    let finished = run(program, arguments, limit).ok()?;
    (finished.succeeded() || !finished.stdout.is_empty()).then_some(finished.stdout)
}

#[cfg(test)]
mod tests;
