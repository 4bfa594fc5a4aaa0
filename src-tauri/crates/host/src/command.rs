//! Short-lived programs of the system, with a time limit.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Runs `program` (an absolute path) without input, shell or locale, and answers what it wrote to its standard output.
/// `None` where it cannot be started, fails with nothing written, or takes longer than `limit`; it is then ended.
pub(crate) fn output(program: &str, arguments: &[&str], limit: Duration) -> Option<String> {
    let child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let pid = Pid::from_child(&child);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(child.wait_with_output());
    });
    let Ok(finished) = receiver.recv_timeout(limit) else {
        let _ = kill_process(pid, Signal::KILL);
        return None;
    };
    let finished = finished.ok()?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    (finished.status.success() || !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
