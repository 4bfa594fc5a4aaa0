//! Finding a Node that OpenClaw accepts, and npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::discovery::Environment;
use crate::discovery::program::{folders_on_path, is_program, usual_folders};

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
pub(super) fn find(environment: &Environment) -> Option<PathBuf> {
    let candidates = folders_on_path(environment).chain(usual_folders(environment));
    candidates
        .map(|folder| folder.join("node"))
        .filter(|path| is_program(path))
        .find(|path| version(path).is_some_and(|version| is_accepted(&version)))
}

/// npm on `PATH` or in a usual place.
pub(super) fn npm(environment: &Environment) -> Option<PathBuf> {
    let candidates = folders_on_path(environment).chain(usual_folders(environment));
    candidates.map(|folder| folder.join("npm")).find(|path| is_program(path))
}

fn version(node: &Path) -> Option<String> {
    let output = Command::new(node).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
