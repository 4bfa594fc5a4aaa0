//! Child processes: run to the end within a limit, and stopped with everything they started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

const LARGEST_OUTPUT: u64 = 8 << 20;

pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs a command in a process group of its own; `None` = it took longer than `limit` and was killed with its group.
pub(crate) async fn run(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = Group(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (stdout, stderr, status) = tokio::join!(drain(stdout), drain(stderr), child.wait());
        Ok(Output { status: status?, stdout, stderr })
    };
    let result = timeout(limit, all).await;
    drop(group);
    result.ok().transpose()
}

/// A process group that does not outlive this value.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            kill_group(id);
        }
    }
}

/// SIGKILL for a whole group. Nothing happens where it is gone already.
pub(crate) fn kill_group(leader: u32) {
    if let Some(pid) = pid(leader) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// SIGTERM for one process.
pub(crate) fn terminate(id: u32) {
    if let Some(pid) = pid(id) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Whether there is a process with this id.
pub(crate) fn exists(id: u32) -> bool {
    pid(id).is_some_and(|pid| match test_kill_process(pid) {
        Ok(()) => true,
        Err(error) => error == rustix::io::Errno::PERM,
    })
}

/// Something that tells a process from any later one with the same id: when it started.
pub(crate) async fn birth(id: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut fields = after_name.split_ascii_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        return fields.nth(18).map(str::to_owned);
    }
    let mut command = Command::new("/bin/ps");
    command.args(["-o", "lstart=", "-p", &id.to_string()]).env("LC_ALL", "C");
    let output = run(command, Duration::from_secs(5)).await.ok()??;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn pid(id: u32) -> Option<Pid> {
    // 0 and 1 would mean "my own group" and "everything".
    i32::try_from(id).ok().filter(|id| *id > 1).and_then(Pid::from_raw)
}

async fn drain(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut limited = stream.take(LARGEST_OUTPUT);
        let _ = limited.read_to_end(&mut bytes).await;
        let _ = tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::process::Command;

    use super::{birth, exists, run};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn output_and_status_are_kept_apart() {
        let output =
            run(shell("echo out; echo err >&2; exit 3"), Duration::from_secs(10)).await.unwrap().unwrap();

        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(output.status.code(), Some(3));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.tmp && mv {0}.tmp {0}; wait", file.display());

        let result = run(shell(&script), Duration::from_millis(500)).await.unwrap();

        let child: u32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        assert!(result.is_none());
        while birth(child).await.is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_process_has_a_birth_that_stays() {
        let me = std::process::id();

        assert!(exists(me) && birth(me).await.is_some());
        assert_eq!(birth(me).await, birth(me).await);
        assert!(!exists(0) && !exists(u32::MAX));
    }
}
