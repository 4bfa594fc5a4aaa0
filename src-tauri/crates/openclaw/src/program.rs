//! Running the `openclaw` command line. Its output may hold secrets and is never logged.

mod dashboard;
mod service;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::process::Command;

use crate::discovery::{Environment, Gateway};
use crate::process;

pub use self::service::ServiceAction;

/// Two seconds on a machine at rest; a busy one was seen to need more than thirty.
const DASHBOARD: Duration = Duration::from_secs(90);

/// The `openclaw` program with the environment that selects a gateway.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// The Node to run it with; its folder is put first on `PATH`.
    pub node: Option<PathBuf>,
    /// `HOME`.
    pub home: PathBuf,
    /// `OPENCLAW_STATE_DIR`, where it is not the default.
    pub state_dir: Option<PathBuf>,
    /// `OPENCLAW_CONFIG_PATH`, where it is not the default.
    pub config_path: Option<PathBuf>,
    /// `OPENCLAW_PROFILE`.
    pub profile: Option<String>,
}

/// A single-use link that makes one browser an owner.
#[derive(Debug, Clone)]
pub struct DashboardLink {
    /// The link as the command line made it, for `http://127.0.0.1`.
    pub url: SecretString,
    /// The token in it.
    pub bootstrap_token: SecretString,
    /// When it stops working.
    pub expires_at: Option<OffsetDateTime>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It could not be started.
    #[error("{} could not be started: {source}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It took too long and was stopped.
    #[error("openclaw did not finish within {} s", after.as_secs())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// It failed.
    #[error("openclaw failed with status {status}")]
    Failed {
        /// Its exit status.
        status: String,
        /// The end of its error output. May hold secrets: not in the message.
        stderr: SecretString,
    },
    /// It was understood, and OpenClaw did not do it.
    #[error("openclaw says: {why}")]
    Declined {
        /// Its words, without control characters and secrets.
        why: String,
    },
    /// It printed something else than expected.
    #[error("openclaw printed something that is not understood: {what}")]
    Output {
        /// What is missing.
        what: &'static str,
    },
}

impl Program {
    /// The program that belongs to a gateway that was found; `None` where there is no program. What was chosen by a
    /// variable stays chosen; what is where OpenClaw puts it is not named, because OpenClaw manages no service of a
    /// gateway whose places are named.
    #[must_use]
    pub fn of(gateway: &Gateway, environment: &Environment) -> Option<Self> {
        let chosen = |name: &str, path: &Path| environment.get(name).map(|_| path.to_path_buf());
        Some(Self {
            path: gateway.program.clone()?,
            node: None,
            home: environment.home.clone(),
            state_dir: chosen("OPENCLAW_STATE_DIR", &gateway.state_dir),
            config_path: chosen("OPENCLAW_CONFIG_PATH", &gateway.config_path),
            profile: gateway.profile.clone(),
        })
    }

    /// Runs a command that prints JSON.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn json(&self, args: &[&str], limit: Duration) -> Result<Value, ProgramError> {
        let output = process::run(self.command(args), limit)
            .await
            .map_err(|source| ProgramError::Start { path: self.path.clone(), source })?
            .ok_or(ProgramError::TimedOut { after: limit })?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let start = stderr.char_indices().rev().nth(2000).map_or(0, |(index, _)| index);
            return Err(ProgramError::Failed {
                status: output.status.to_string(),
                stderr: SecretString::from(&stderr[start..]),
            });
        }
        json_in(&output.stdout).ok_or(ProgramError::Output { what: "JSON" })
    }

    /// `openclaw dashboard --json`: a single-use owner link. The gateway must be up. Takes about 2 s.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn dashboard(&self) -> Result<DashboardLink, ProgramError> {
        let answer = self.json(&["dashboard", "--json"], DASHBOARD).await?;
        let url = answer.get("browserUrl").and_then(Value::as_str);
        let url = url.ok_or(ProgramError::Output { what: "browserUrl" })?;
        let token = url
            .split_once('#')
            .and_then(|(_, fragment)| {
                fragment.split('&').find_map(|part| part.strip_prefix("bootstrapToken="))
            })
            .ok_or(ProgramError::Output { what: "bootstrapToken" })?;
        let expires_at = answer
            .get("browserBootstrapExpiresAtMs")
            .and_then(Value::as_i64)
            .and_then(|ms| OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok());
        Ok(DashboardLink {
            url: SecretString::from(url),
            bootstrap_token: SecretString::from(token),
            expires_at,
        })
    }

    /// `openclaw gateway status --json`.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn gateway_status(&self) -> Result<Value, ProgramError> {
        self.json(&["gateway", "status", "--json"], Duration::from_secs(30)).await
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).env("HOME", &self.home).env("NO_COLOR", "1");
        if let Some(path) = self.search_path() {
            command.env("PATH", path);
        }
        let chosen = [("OPENCLAW_STATE_DIR", &self.state_dir), ("OPENCLAW_CONFIG_PATH", &self.config_path)];
        for (name, value) in chosen {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        match &self.profile {
            Some(profile) => command.env("OPENCLAW_PROFILE", profile),
            None => command.env_remove("OPENCLAW_PROFILE"),
        };
        command
    }

    /// `PATH` with the folder of Node, and that of the program, first.
    fn search_path(&self) -> Option<OsString> {
        let own =
            [self.node.as_deref(), Some(self.path.as_path())].into_iter().flatten().filter_map(Path::parent);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(own.map(Path::to_path_buf).chain(std::env::split_paths(&inherited))).ok()
    }
}

/// The JSON in the output; lines before it (warnings) are skipped.
fn json_in(stdout: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(stdout).ok()?;
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let starts = text.match_indices('\n').map(|(index, _)| index + 1);
    starts
        .filter(|start| text[*start..].starts_with(['{', '[']))
        .find_map(|start| serde_json::from_str(&text[start..]).ok())
}

#[cfg(test)]
mod tests;
