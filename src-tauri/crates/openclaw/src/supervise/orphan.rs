//! A gateway that an earlier run of ours left behind.
//!
//! The pid file names the process, the moment of its birth, its state folder, version and port. A process with that id and
//! another birth is somebody else's and is never touched.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use gatehouse_files::{PRIVATE, read_bounded, write_atomic};
use serde::{Deserialize, Serialize};

use super::Recipe;
use super::child::Process;
use crate::probe::{self, GatewayHealth};
use crate::process;

const GRACE: Duration = Duration::from_secs(15);
/// Bytes. What Linux lets a program begin with.
const LARGEST_ENVIRONMENT: usize = 2 << 20;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    pid: u32,
    birth: String,
    state_dir: PathBuf,
    config_path: PathBuf,
    version: String,
    port: u16,
}

pub(super) async fn remember(recipe: &Recipe, pid: u32) -> io::Result<()> {
    // A process that is gone already has no birth; its end is reported where it is waited for.
    let Some(birth) = process::birth(pid).await else { return Ok(()) };
    let text = serde_json::to_vec(&Remembered { birth, ..of(recipe, pid) })?;
    write_atomic(&recipe.pid_file, &text, PRIVATE)
}

pub(super) fn forget(recipe: &Recipe) {
    let _ = fs::remove_file(&recipe.pid_file);
}

/// Takes over a gateway that was left behind, or stops it; its process if it was taken over.
pub(super) async fn settle(recipe: &Recipe) -> Option<u32> {
    let bytes = read_bounded(&recipe.pid_file, 16 * 1024).ok()??;
    let left: Remembered = serde_json::from_slice(&bytes).ok()?;
    let pid = left.pid;
    if process::birth(pid).await.as_ref() != Some(&left.birth) || !is_gateway(&left) {
        forget(recipe);
        return None;
    }
    let fits = left == Remembered { birth: left.birth.clone(), ..of(recipe, pid) };
    let healthy = matches!(probe::health(recipe.address()).await, GatewayHealth::Ready | GatewayHealth::Live);
    if fits && healthy {
        tracing::info!(pid, "a gateway from an earlier run is taken over");
        return Some(pid);
    }
    tracing::info!(pid, "a gateway from an earlier run is stopped");
    Process::Adopted(pid).stop(GRACE).await;
    forget(recipe);
    None
}

fn of(recipe: &Recipe, pid: u32) -> Remembered {
    Remembered {
        pid,
        birth: String::new(),
        state_dir: recipe.state_dir.clone(),
        config_path: recipe.config_path.clone(),
        version: recipe.installed.version.clone(),
        port: recipe.port,
    }
}

/// A second proof, where the system shows a process's environment.
fn is_gateway(left: &Remembered) -> bool {
    let Some(environment) = environment(left.pid) else { return true };
    let wanted = format!("OPENCLAW_STATE_DIR={}", left.state_dir.display());
    environment.is_empty()
        || environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
}

/// Read at once: a process that replaces its program between two reads shows the second one nothing, and half an
/// environment would make a stranger of our own gateway.
fn environment(pid: u32) -> Option<Vec<u8>> {
    let mut bytes = vec![0; LARGEST_ENVIRONMENT];
    let length =
        fs::File::open(format!("/proc/{pid}/environ")).and_then(|mut file| file.read(&mut bytes)).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;

    use super::{Remembered, is_gateway};
    use crate::testing;

    #[tokio::test]
    async fn a_gateway_that_replaces_its_program_while_it_is_looked_at_stays_ours() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("again");
        testing::script(&program, "exec /bin/sh \"$0\"");
        let mut command = tokio::process::Command::new("/bin/sh");
        // Enough variables for more than one read of ordinary size.
        command.arg(&program).envs((0..200).map(|number| (format!("PADDING_{number}"), "x".repeat(50))));
        command.env("OPENCLAW_STATE_DIR", folder.path());
        let child = command.kill_on_drop(true).spawn().unwrap();
        let left = Remembered {
            pid: child.id().unwrap(),
            birth: String::new(),
            state_dir: folder.path().to_path_buf(),
            config_path: PathBuf::new(),
            version: String::new(),
            port: 1,
        };

        assert!((0..2000).all(|_| is_gateway(&left)));

        let another = Remembered { state_dir: PathBuf::from("/another"), ..left };
        assert!((0..2000).any(|_| !is_gateway(&another)));
    }
}
