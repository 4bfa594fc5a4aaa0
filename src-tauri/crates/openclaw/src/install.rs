//! Installing OpenClaw into a folder of our own where the user has none, and giving it a home of its own.
//!
//! Nothing outside the folder is touched, apart from npm's cache. A marker file, written last, says that an installation
//! is complete; without it nothing in the folder is trusted.

mod marker;
mod node;
mod npm;
mod own;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gatehouse_files::{PUBLIC, create_private_folder, write_atomic};

pub use self::node::is_accepted as accepts_node;
pub use self::own::{OwnGateway, own_gateway};
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

/// What [`ensure`] would do. Changes nothing. Asks each Node for its version until one fits; one that says nothing for 10 s
/// does not.
pub async fn plan(folder: &Path, environment: &Environment) -> Plan {
    let complete = marker::read(folder).is_some();
    let node = node::find(environment).await;
    let npm = node::npm(environment);
    let mut steps = Vec::new();
    if !complete {
        if node.is_none() {
            steps
                .push(format!("install Node {NODE_VERSION} from the npm registry into {}", folder.display()));
        }
        steps.push(format!(
            "install OpenClaw {OPENCLAW_VERSION} from the npm registry into {} (about 790 MB)",
            folder.display()
        ));
    }
    Plan { folder: folder.to_path_buf(), complete, node, npm, steps }
}

/// Makes sure that the pinned version is installed in `folder`. Safe to run again, also after a crash half-way: what is
/// incomplete is repaired, and made anew if that does not help. Only one process at a time may do this.
///
/// # Errors
/// [`InstallError`].
pub async fn ensure(
    folder: &Path,
    environment: &Environment,
    progress: impl Fn(Progress) + Send,
) -> Result<Installed, InstallError> {
    if let Some(installed) = marker::read(folder) {
        return Ok(installed);
    }
    let plan = plan(folder, environment).await;
    let npm = npm::Npm { program: plan.npm.ok_or(InstallError::NoNpm)?, folder };
    prepare_folder(folder)?;
    let first = install(&npm, plan.node.as_deref(), &progress).await;
    let installed = match first {
        Err(InstallError::Broken { detail }) => {
            tracing::warn!(%detail, "the installation is incomplete; it is made anew");
            clear(folder)?;
            install(&npm, plan.node.as_deref(), &progress).await?
        }
        other => other?,
    };
    marker::write(folder, &installed)?;
    Ok(installed)
}

async fn install(
    npm: &npm::Npm<'_>,
    found: Option<&Path>,
    progress: &(impl Fn(Progress) + Send),
) -> Result<Installed, InstallError> {
    let programs = npm.folder.join("node_modules/.bin");
    let node = match found {
        Some(node) => node.to_path_buf(),
        None => {
            progress(Progress::InstallingNode);
            npm.install("node", NODE_VERSION, None).await?;
            programs.join("node")
        }
    };
    progress(Progress::InstallingOpenClaw);
    npm.install("openclaw", OPENCLAW_VERSION, Some(&node)).await?;
    progress(Progress::Checking);
    let program = programs.join("openclaw");
    let version = npm::version(&node, &program).await?;
    Ok(Installed { program, node, version })
}

/// npm installs into the nearest folder above that has a package.json: ours has one before npm runs.
fn prepare_folder(folder: &Path) -> Result<(), InstallError> {
    create_private_folder(folder).map_err(|source| storage(folder, source))?;
    let path = folder.join("package.json");
    if !path.exists() {
        let text = b"{\"name\": \"gatehouse-openclaw\", \"private\": true}\n";
        write_atomic(&path, text, PUBLIC).map_err(|source| storage(&path, source))?;
    }
    Ok(())
}

fn clear(folder: &Path) -> Result<(), InstallError> {
    for name in ["node_modules", "package-lock.json"] {
        let path = folder.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(storage(&path, error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn storage(path: &Path, source: io::Error) -> InstallError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => InstallError::DiskFull,
        _ => InstallError::Io { path: path.to_path_buf(), source },
    }
}

#[cfg(test)]
mod tests;
