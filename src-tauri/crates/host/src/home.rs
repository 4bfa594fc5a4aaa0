//! The folder that holds all state, its lock, and where the control socket lives.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use gatehouse_files::{PRIVATE, create_private_folder, read_bounded, write_atomic};

use crate::process;

/// `sun_path` has 104 bytes on macOS and 108 on Linux, the final zero included; we use the smaller everywhere.
const SOCKET_PATH_BYTES: usize = 103;
const SOCKET_NAME: &str = "control.sock";
/// Where the control socket is, in a state folder whose path is too long to hold it.
const SOCKET_POINTER: &str = "control.path";
const LOCK: &str = "lock";
/// What is ours in a folder that was given by a variable and may hold other things, too.
const OURS: [&str; 14] = [
    "settings.json",
    "app.json",
    "pins.json",
    "app.lock",
    "app.sock",
    "handover",
    SOCKET_NAME,
    SOCKET_POINTER,
    "journal",
    "certs",
    "secrets",
    "logs",
    "gateway",
    "bin",
];

/// What of the process's surroundings decides where things are; tests fill it by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `GATEHOUSE_HOME`.
    pub gatehouse_home: Option<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`; only absolute paths count (XDG Base Directory Specification).
    pub data_home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`; only absolute paths count.
    pub runtime_dir: Option<PathBuf>,
    /// `TMPDIR`; only absolute paths count.
    pub temporary: Option<PathBuf>,
}

impl Environment {
    /// Reads the variables of this process.
    pub fn from_process() -> Self {
        let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            gatehouse_home: path("GATEHOUSE_HOME"),
            home: std::env::home_dir(),
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
    /// Something that is no folder is where the control socket's folder should be.
    #[error("{} is not a folder of our own", .0.display())]
    NoFolder(PathBuf),
    /// No folder gives a path that is short enough for a Unix socket.
    #[error("{} is too long for a control socket; set a shorter GATEHOUSE_HOME", .0.display())]
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

/// How long a lock may outlive its holder within one process: until a program that is being started has closed what it
/// inherited.
const LINGERS: Duration = Duration::from_millis(200);

/// Held for the life of the process that owns the state; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl Home {
    /// Decides where the state folder and the control socket are; changes nothing. `GATEHOUSE_HOME`, else
    /// `~/Library/Application Support/Gatehouse` on macOS, else `$XDG_DATA_HOME/gatehouse` or
    /// `~/.local/share/gatehouse`.
    ///
    /// # Errors
    /// [`HomeError::Unknown`], [`HomeError::Relative`], [`HomeError::SocketPathTooLong`].
    pub fn resolve(environment: &Environment) -> Result<Self, HomeError> {
        let path = match &environment.gatehouse_home {
            Some(path) if path.is_absolute() => path.clone(),
            Some(path) => return Err(HomeError::Relative(path.clone())),
            None => default_path(environment).ok_or(HomeError::Unknown)?,
        };
        let socket = socket_path(&path, environment)?;
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

    /// Markers of secrets, and secrets where there is no keychain.
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets")
    }

    /// Which apps remember which certificate.
    pub fn pins(&self) -> PathBuf {
        self.path.join("pins.json")
    }

    /// Logs.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// A gateway of our own, where we had to install one.
    pub fn gateway(&self) -> PathBuf {
        self.path.join("gateway")
    }

    /// The program by which the gateway asks for its token.
    pub fn token_helper(&self) -> PathBuf {
        self.path.join("bin").join("gateway-token")
    }

    /// The control socket: in the state folder, or in a short private folder where that path is too long for a socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes the state folder and the folder of the socket, private to this user (0700).
    ///
    /// # Errors
    /// [`HomeError::Io`], [`HomeError::ForeignOwner`] and [`HomeError::NoFolder`].
    pub fn create(&self) -> Result<(), HomeError> {
        let failed = |source| HomeError::Io { path: self.path.clone(), source };
        if let Ok(metadata) = fs::metadata(&self.path) {
            owned(&self.path, &metadata)?;
        }
        create_private_folder(&self.path).map_err(failed)?;
        match self.socket.parent() {
            Some(folder) if folder != self.path => {
                create_in_shared(folder)?;
                let pointer = self.path.join(SOCKET_POINTER);
                write_atomic(&pointer, self.socket.as_os_str().as_bytes(), PRIVATE).map_err(failed)
            }
            _ => Ok(()),
        }
    }

    /// Becomes the one process that owns this state. The lock file holds our process id and is never removed.
    ///
    /// # Errors
    /// [`LockError::Held`] names the process that has it.
    pub fn lock(&self) -> Result<InstanceLock, LockError> {
        let path = self.path.join(LOCK);
        let failed = |source| LockError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path)
            .map_err(failed)?;
        let until = Instant::now() + LINGERS;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = file.rewind().and_then(|()| (&file).take(32).read_to_string(&mut text));
                    let pid = text.trim().parse().ok();
                    if pid != Some(process::pid()) || Instant::now() >= until {
                        return Err(LockError::Held { pid });
                    }
                    // Ours of a moment ago: a program that we are starting still has it, until it is itself.
                    std::thread::park_timeout(Duration::from_millis(5));
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(format!("{}\n", process::pid()).as_bytes())
        };
        write(&mut file).map_err(failed)?;
        Ok(InstanceLock { _file: file })
    }
}

impl Home {
    /// Removes what this program and its tray app ever put into the state folder, then the folder itself where nothing
    /// else is in it. Answers what is left. Secrets in a keychain are not touched.
    ///
    /// # Errors
    /// What the file system says; the next call goes on from there.
    pub fn remove(&self, lock: InstanceLock) -> io::Result<Vec<PathBuf>> {
        for entry in read_folder(&self.path)? {
            let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // Copies of settings: the last good ones, and those that could not be read.
            let is_copy = name.starts_with("settings.") && name.ends_with(".json");
            // The lock goes last: whoever starts meanwhile is refused until then.
            if !is_copy && !OURS.contains(&name) {
                continue;
            }
            let is_folder = entry.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
            if is_folder { fs::remove_dir_all(&entry)? } else { fs::remove_file(&entry)? }
        }
        fs::remove_file(self.path.join(LOCK))?;
        drop(lock);
        let left = read_folder(&self.path)?;
        if left.is_empty() {
            fs::remove_dir(&self.path)?;
        }
        Ok(left)
    }
}

fn read_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn default_path(environment: &Environment) -> Option<PathBuf> {
    let home = environment.home.as_ref().filter(|home| home.is_absolute());
    if cfg!(target_os = "macos") {
        return home.map(|home| home.join("Library/Application Support/Gatehouse"));
    }
    let data = environment.data_home.clone().filter(|data| data.is_absolute());
    data.or_else(|| home.map(|home| home.join(".local/share"))).map(|data| data.join("gatehouse"))
}

/// Every start with the same state folder must come to the same answer, or it would not find the one that runs: where
/// surroundings decide (a login, SSH and a service have different ones), what was decided first is written down.
fn socket_path(home: &Path, environment: &Environment) -> Result<PathBuf, HomeError> {
    let fits = |path: &PathBuf| path.as_os_str().len() <= SOCKET_PATH_BYTES;
    let beside = home.join(SOCKET_NAME);
    if fits(&beside) {
        return Ok(beside);
    }
    if let Some(decided) = decided(home).filter(fits) {
        return Ok(decided);
    }
    let hash: String = digest(&SHA256, home.as_os_str().as_bytes()).as_ref()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = format!("gatehouse-{}-{hash}", process::uid());
    let (runtime, temporary) = (environment.runtime_dir.clone(), environment.temporary.clone());
    let order = if cfg!(target_os = "macos") { [temporary, runtime] } else { [runtime, temporary] };
    let shared = order.into_iter().flatten().filter(|path| path.is_absolute());
    let mut candidates =
        shared.chain([PathBuf::from("/tmp")]).map(|base| base.join(&folder).join(SOCKET_NAME));
    candidates.find(fits).ok_or(HomeError::SocketPathTooLong(beside))
}

/// What [`Home::create`] wrote down, where the folder around it is still there (a runtime folder goes with its login).
fn decided(home: &Path) -> Option<PathBuf> {
    let bytes = read_bounded(&home.join(SOCKET_POINTER), 1024).ok()??;
    let path = PathBuf::from(OsString::from_vec(bytes));
    let there = path.parent().and_then(Path::parent).is_some_and(Path::is_dir);
    (there && path.is_absolute() && path.file_name()? == SOCKET_NAME).then_some(path)
}

/// In a folder that others may write to, only a folder that we made, or that is ours and no link, is taken.
fn create_in_shared(folder: &Path) -> Result<(), HomeError> {
    let failed = |source| HomeError::Io { path: folder.to_path_buf(), source };
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let metadata = fs::symlink_metadata(folder).map_err(failed)?;
    owned(folder, &metadata)?;
    if !metadata.is_dir() {
        return Err(HomeError::NoFolder(folder.to_path_buf()));
    }
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)
}

fn owned(path: &Path, metadata: &fs::Metadata) -> Result<(), HomeError> {
    if metadata.uid() == process::uid() {
        return Ok(());
    }
    Err(HomeError::ForeignOwner { path: path.to_path_buf(), owner: metadata.uid() })
}

#[cfg(test)]
mod tests;
