//! Runs the real program.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::process::{Child, Command};

/// No run of the program in these tests takes this long unless it hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(20);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit status; a signal is a panic.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Standard output as one JSON object.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let status = output.status.code().unwrap_or_else(|| panic!("ended by {}", output.status));
        Self { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// The program with `words`, talking to the core at `socket`, in surroundings that are the same everywhere.
pub(crate) fn program(socket: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
    let home = socket.parent().unwrap();
    command.args(words).env_clear().current_dir(home).kill_on_drop(true);
    command.envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("TERM", "xterm-256color")]);
    command.env("HOME", home).env("GATEHOUSE_HOME", home).env("GATEHOUSE_SOCKET", socket);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) async fn run(socket: &Path, words: &[&str]) -> Ran {
    end(program(socket, words).spawn().unwrap()).await
}

/// Runs what its words are when split at spaces.
pub(crate) async fn run_line(socket: &Path, line: &str) -> Ran {
    run(socket, &line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()).await
}

/// Waits for the end.
pub(crate) async fn end(child: Child) -> Ran {
    tokio::time::timeout(HANGS, child.wait_with_output()).await.unwrap().unwrap().into()
}
