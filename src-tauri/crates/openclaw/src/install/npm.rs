//! Running npm, and telling its failures apart.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::{InstallError, OPENCLAW_VERSION, storage};
use crate::process;

const LIMIT: Duration = Duration::from_secs(900);
const CHECK_LIMIT: Duration = Duration::from_secs(60);
const NETWORK: [&str; 10] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
    "FETCH_ERROR",
    "network request",
];

pub(super) struct Npm<'a> {
    pub(super) program: PathBuf,
    pub(super) folder: &'a Path,
}

impl Npm<'_> {
    /// Installs one package of one version into the folder, running its scripts with `node`.
    pub(super) async fn install(
        &self,
        package: &str,
        version: &str,
        node: Option<&Path>,
    ) -> Result<(), InstallError> {
        let mut command = Command::new(&self.program);
        command
            .args(["install", "--no-fund", "--no-audit", "--no-progress", "--global=false"])
            .args(["--save-exact", "--fetch-retries=2", "--loglevel=error"])
            .arg(format!("{package}@{version}"))
            .current_dir(self.folder)
            .env("NO_COLOR", "1")
            .env("PATH", search_path(&[node, Some(&self.program)]));
        let output = process::run(command, LIMIT)
            .await
            .map_err(|source| storage(&self.program, source))?
            .ok_or(InstallError::TimedOut { seconds: LIMIT.as_secs() })?;
        if output.status.success() {
            return Ok(());
        }
        Err(failure(output.status.to_string(), &String::from_utf8_lossy(&output.stderr)))
    }
}

/// What OpenClaw says its version is; an error unless it is the pinned one.
pub(super) async fn version(node: &Path, program: &Path) -> Result<String, InstallError> {
    let mut command = Command::new(node);
    command.arg(program).arg("--version").env("PATH", search_path(&[Some(node)])).env("NO_COLOR", "1");
    let broken = |detail: String| InstallError::Broken { detail };
    let output = process::run(command, CHECK_LIMIT)
        .await
        .map_err(|error| broken(error.to_string()))?
        .ok_or_else(|| broken(format!("openclaw --version took longer than {} s", CHECK_LIMIT.as_secs())))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.split_whitespace().any(|word| word == OPENCLAW_VERSION) {
        return Ok(OPENCLAW_VERSION.to_owned());
    }
    Err(broken(format!("openclaw --version ended with {} and said {:?}", output.status, last_lines(&said))))
}

fn failure(status: String, stderr: &str) -> InstallError {
    let detail = last_lines(stderr);
    if stderr.contains("ENOSPC") || stderr.contains("EDQUOT") {
        InstallError::DiskFull
    } else if NETWORK.iter().any(|code| stderr.contains(code)) {
        InstallError::NoNetwork { detail }
    } else {
        InstallError::Npm { status, detail }
    }
}

/// The last lines for people; what could hold a registry's credentials is left out.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty() && !line.contains("_auth") && !line.contains("complete log of this run")
        })
        .collect();
    lines[lines.len().saturating_sub(6)..].join(" | ").chars().take(800).collect()
}

/// `PATH` with the folders of these programs first.
fn search_path(programs: &[Option<&Path>]) -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let own = programs.iter().flatten().filter_map(|path| path.parent()).map(Path::to_path_buf);
    std::env::join_paths(own.chain(std::env::split_paths(&inherited))).unwrap_or(inherited)
}
