//! Secrets as private files: `NAME.secret`, 0600.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gatehouse_files::{PRIVATE, create_private_folder, read_bounded, sync_folder, write_atomic};
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::SecretError;

const LARGEST: u64 = 64 * 1024;

/// A folder of secrets.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    pub(super) fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        let path = self.path(name);
        narrow(&path);
        let bytes = read_bounded(&path, LARGEST).map_err(|error| failure(&path, &error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(SecretString::from(text))),
            Err(_) => Err(SecretError::Unavailable(format!("{} is not text", path.display()))),
        }
    }

    pub(super) fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        let path = self.path(name);
        create_private_folder(&self.folder).map_err(|error| failure(&self.folder, &error))?;
        write_atomic(&path, value.expose_secret().as_bytes(), PRIVATE).map_err(|error| failure(&path, &error))
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), SecretError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&self.folder).map_err(|error| failure(&path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failure(&path, &error)),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.secret"))
    }
}

/// What the file system says, in our words.
pub(super) fn failure(path: &Path, error: &io::Error) -> SecretError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied => SecretError::Denied(text),
        _ => SecretError::Unavailable(text),
    }
}

fn narrow(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.permissions().mode() & 0o077 == 0 {
        return;
    }
    match fs::set_permissions(path, Permissions::from_mode(PRIVATE)) {
        Ok(()) => warn!(path = %path.display(), "a secret was open to other users; it is private again"),
        Err(error) => warn!(path = %path.display(), %error, "a secret is open to other users"),
    }
}
