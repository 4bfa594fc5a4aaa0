//! The folder in which a run works: private, of one run at a time, and gone with it.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_certs::Certificates;
use gatehouse_host::jobs::trial;
use gatehouse_host::machine::{self, About};
use gatehouse_host::process;
use gatehouse_host::secrets::{Preference, Secrets};

use crate::errors;
use crate::requests::blocking;
use crate::vault::SecretVault;

/// See the module.
pub(super) struct Room {
    pub(super) folder: PathBuf,
    pub(super) about: About,
    /// Whether a run before this one had been killed.
    pub(super) cleaned: bool,
    _lock: File,
}

impl Room {
    /// Makes the folder, and takes away what a killed run left behind.
    pub(super) async fn enter() -> Result<Self, ErrorEnvelope> {
        let name = format!("gatehouse-selftest-{}", process::uid());
        let folder = std::env::temp_dir().join(name);
        blocking(move || Self::enter_at(folder)).await
    }

    pub(super) fn enter_at(folder: PathBuf) -> Result<Self, ErrorEnvelope> {
        let failed = |error: io::Error| errors::file(say!("core.selftest.doing"), &folder, &error);
        let is_new = make(&folder).map_err(failed)?;
        let lock = lock(&folder)?;
        if !is_new {
            empty(&folder).map_err(failed)?;
            // Where there is no service manager it has nothing of ours; the check of it says so.
            let _ = trial::remove_leftovers(&folder, process::uid());
        }
        Ok(Self { about: machine::about(), cleaned: !is_new, folder, _lock: lock })
    }

    /// A certificate authority of this run alone, whose key is a file.
    pub(super) fn certificates(&self, name: &str) -> Result<Certificates, ErrorEnvelope> {
        use crate::errors::Explain as _;
        let secrets = Secrets::open(&self.folder.join(name).join("secrets"), Preference::File);
        let vault = Arc::new(SecretVault(Arc::new(secrets)));
        let certificates = Certificates::open(&self.folder.join(name).join("certs"), vault);
        certificates.map(|made| made.with_host("selftest")).map_err(|error| error.explain())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "the folder of the selftest could not be removed");
        }
    }
}

/// Whether it is new. One that somebody else made is not taken: others may write to the folder around it.
fn make(folder: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let metadata = fs::symlink_metadata(folder)?;
    let ours = metadata.is_dir() && metadata.uid() == process::uid() && metadata.mode() & 0o077 == 0;
    if ours {
        Ok(false)
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not ours alone"))
    }
}

fn lock(folder: &Path) -> Result<File, ErrorEnvelope> {
    let path = folder.join("lock");
    let failed = |error: io::Error| errors::file(say!("core.selftest.doing"), &path, &error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ErrorEnvelope::new(
            Code::AlreadyRunning,
            say!("core.selftest.running.title"),
            say!("core.selftest.running.because"),
        )
        .fix(say!("core.selftest.running.fix"))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// All but the lock.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == "lock" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
