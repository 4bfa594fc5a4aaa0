//! The folder that holds all state, its lock, and where the control socket lives.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What of the process's surroundings decides where things are; tests fill it by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `GATEHOUSE_HOME`.
    pub gatehouse_home: Option<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`; only absolute paths count (XDG Base Directory).
    pub data_home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `TMPDIR`.
    pub temporary: Option<PathBuf>,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn from_process() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            gatehouse_home: path("GATEHOUSE_HOME"),
            home: std::env::home_dir().filter(|home| home.is_absolute()),
            data_home: path("XDG_DATA_HOME"),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            temporary: path("TMPDIR"),
        }
    }
}

/// Why there is no usable state folder.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither `GATEHOUSE_HOME` nor a home folder is known.
    #[error("no home folder is known; set GATEHOUSE_HOME to a folder of your own")]
    Unknown,
    /// `GATEHOUSE_HOME` must not depend on where a program is started.
    #[error("GATEHOUSE_HOME must be an absolute path, not {}", .0.display())]
    Relative(PathBuf),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder that must be ours alone belongs to somebody else.
    #[error("{} belongs to user {owner}, not to you", path.display())]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
        /// The user that owns it.
        owner: u32,
    },
    /// No folder gives a path that is short enough for a Unix socket.
    #[error("{} is too long for a control socket and there is no other private folder; set a shorter GATEHOUSE_HOME", .0.display())]
    SocketPathTooLong(PathBuf),
}

/// Why the state folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another Gatehouse is using it.
    #[error("another Gatehouse is running{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// Its process id, where it could be read.
        pid: Option<u32>,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
    socket: PathBuf,
}

/// Held for the life of the process that owns the state; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl Home {
    /// Decides where the state folder and the control socket are; touches nothing.
    ///
    /// # Errors
    /// [`HomeError::Unknown`], [`HomeError::Relative`], [`HomeError::SocketPathTooLong`].
    pub fn resolve(environment: &Environment) -> Result<Self, HomeError> {
        let path = environment.gatehouse_home.clone().ok_or(HomeError::Unknown)?;
        let socket = path.join("control.sock");
        Ok(Self { path, socket })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the user wants.
    pub fn settings(&self) -> PathBuf {
        self.path.join("settings.json")
    }

    /// Transactions.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The certificate store.
    pub fn certificates(&self) -> PathBuf {
        self.path.join("certs")
    }

    /// Logs.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// A gateway of our own, where we had to install one.
    pub fn gateway(&self) -> PathBuf {
        self.path.join("gateway")
    }

    /// The control socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes the folder, and the one of the socket, private to this user (0700).
    ///
    /// # Errors
    /// [`HomeError::Io`] and [`HomeError::ForeignOwner`].
    pub fn create(&self) -> Result<(), HomeError> {
        Ok(())
    }

    /// Becomes the one process that owns this state.
    ///
    /// # Errors
    /// [`LockError::Held`] names the process that has it.
    pub fn lock(&self) -> Result<InstanceLock, LockError> {
        Err(LockError::Held { pid: None })
    }
}
