//! Finding a Node that OpenClaw accepts, and npm.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::discovery::Environment;
use crate::discovery::program::{folders_on_path, is_program, usual_folders};
use crate::process;

/// A Node that works says its version in some 50 ms.
const ANSWER: Duration = Duration::from_secs(10);

/// Whether OpenClaw runs with this Node: `>=24.16.0 <25 || >=26.1.0`. Takes `v26.10.0` and `26.10.0`; pre-releases and
/// anything else are not accepted.
#[must_use]
pub fn is_accepted(version: &str) -> bool {
    let version = version.trim().trim_start_matches('v');
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([24, minor, _]) => *minor >= 16,
        Some([26, minor, _]) => *minor >= 1,
        Some([major, _, _]) => *major > 26,
        _ => false,
    }
}

/// The first accepted Node on `PATH` or in a usual place.
pub(super) async fn find(environment: &Environment) -> Option<PathBuf> {
    let folders = folders_on_path(environment).chain(usual_folders(environment));
    for node in folders.map(|folder| folder.join("node")).filter(|path| is_program(path)) {
        if version(&node).await.is_some_and(|version| is_accepted(&version)) {
            return Some(node);
        }
    }
    None
}

/// npm on `PATH` or in a usual place.
pub(super) fn npm(environment: &Environment) -> Option<PathBuf> {
    let candidates = folders_on_path(environment).chain(usual_folders(environment));
    candidates.map(|folder| folder.join("npm")).find(|path| is_program(path))
}

async fn version(node: &Path) -> Option<String> {
    let mut command = Command::new(node);
    command.arg("--version");
    let output = process::run(command, ANSWER).await.ok()??;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
