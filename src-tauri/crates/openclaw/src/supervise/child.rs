//! One life of the gateway.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use super::{Recipe, SuperviseError, log, orphan};
use crate::process;

/// A gateway that runs: ours, or one that an earlier run of ours started.
#[derive(Debug)]
pub(super) enum Process {
    Ours { pid: u32, child: Box<Child>, log_start: u64 },
    Adopted(u32),
}

/// Starts the gateway and writes its pid file.
pub(super) async fn spawn(recipe: &Recipe) -> Result<Process, SuperviseError> {
    let io = |path: &Path, source| SuperviseError::Io { path: path.to_path_buf(), source };
    let _ = log::rotate(&recipe.log);
    let log_start = log::length(&recipe.log);
    let output = log::open(&recipe.log).map_err(|source| io(&recipe.log, source))?;
    let errors = output.try_clone().map_err(|source| io(&recipe.log, source))?;
    let mut command = Command::new(&recipe.installed.node);
    command
        .arg(&recipe.installed.program)
        .args(["gateway", "run", "--port", &recipe.port.to_string()])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .current_dir(&recipe.state_dir)
        .process_group(0)
        .kill_on_drop(true);
    environment(&mut command, recipe);
    let child = command.spawn().map_err(|source| io(&recipe.installed.node, source))?;
    let Some(pid) = child.id() else {
        return Err(io(&recipe.installed.node, std::io::ErrorKind::NotFound.into()));
    };
    let process = Process::Ours { pid, child: Box::new(child), log_start };
    if let Err(source) = orphan::remember(recipe, pid).await {
        process::kill_group(pid);
        return Err(io(&recipe.pid_file, source));
    }
    Ok(process)
}

/// The user's own OpenClaw variables select another gateway and must not reach this one.
fn environment(command: &mut Command, recipe: &Recipe) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPENCLAW_") {
            command.env_remove(name);
        }
    }
    command
        .env("PATH", search_path(&recipe.installed.node))
        .env("NO_COLOR", "1")
        .env("OPENCLAW_NO_RESPAWN", "1")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_NO_AUTO_UPDATE", "1")
        .env("OPENCLAW_STATE_DIR", &recipe.state_dir)
        .env("OPENCLAW_CONFIG_PATH", &recipe.config_path)
        .envs(recipe.variables.iter().cloned());
}

fn search_path(node: &Path) -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let own = node.parent().map(Path::to_path_buf);
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&inherited))).unwrap_or(inherited)
}

impl Process {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Ours { pid, .. } | Self::Adopted(pid) => *pid,
        }
    }

    /// Where its output begins in the log.
    pub(super) fn log_start(&self) -> u64 {
        match self {
            Self::Ours { log_start, .. } => *log_start,
            Self::Adopted(_) => 0,
        }
    }

    /// Waits for its end; how it ended, as a sentence. May be dropped and called again.
    pub(super) async fn ended(&mut self) -> String {
        match self {
            Self::Ours { child, .. } => match child.wait().await {
                Ok(status) => describe(status),
                Err(error) => format!("it could not be watched: {error}"),
            },
            Self::Adopted(pid) => {
                let mut every = interval(Duration::from_millis(500));
                loop {
                    every.tick().await;
                    if !process::exists(*pid) || process::birth(*pid).await.is_none() {
                        return "it ended".to_owned();
                    }
                }
            }
        }
    }

    /// SIGTERM, then after `grace` SIGKILL; whatever it started is killed in any case.
    pub(super) async fn stop(&mut self, grace: Duration) {
        let pid = self.pid();
        process::terminate(pid);
        if timeout(grace, self.ended()).await.is_err() {
            tracing::warn!(pid, "the gateway did not stop in time and is killed");
            process::kill_group(pid);
            self.ended().await;
        }
        process::kill_group(pid);
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}
