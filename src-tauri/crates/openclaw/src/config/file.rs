//! Edits of the configuration file that keep every byte outside the edit.
//!
//! An edited text is parsed again and must have exactly the value that the edit means, else nothing is written. A file
//! that is not understood, or a part of it that comes from elsewhere, is refused with the reason.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use gatehouse_files::{PRIVATE, read_bounded, write_atomic};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConfigError, Drift, Edit, OnDrift, View, apply, cst, read};
use crate::digest::sha256_hex;

/// Larger files are not edited (1 MiB).
pub const LARGEST: u64 = 1 << 20;

/// An edit of the file, ready to be written. Making it changed nothing.
pub struct Prepared {
    record: Record,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// What a journal needs to take an edit of the file back. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The file, as it was named.
    pub path: PathBuf,
    /// SHA-256 of its bytes before, lower-case hex.
    pub before_sha256: String,
    /// SHA-256 of its bytes after, lower-case hex.
    pub after_sha256: String,
    /// The edits that remove what this one added.
    pub inverse: Vec<Edit>,
    /// What changes, a line each.
    pub changes: Vec<String>,
    /// What was left alone because somebody changed it (inverses only).
    pub drift: Vec<Drift>,
}

/// What [`restore`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The file is byte for byte what it was.
    Identical,
    /// It already was.
    Already,
    /// Somebody changed the file since: nothing was written, use the inverse.
    Changed,
}

/// Computes an edit. Reads the file only.
///
/// # Errors
/// [`ConfigError::Missing`], [`ConfigError::Invalid`], [`ConfigError::Unsupported`], [`ConfigError::Io`].
pub fn prepare(path: &Path, edits: &[Edit]) -> Result<Prepared, ConfigError> {
    prepare_with(path, edits, OnDrift::Leave)
}

/// [`prepare`] with a say in what happens to values that somebody changed.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(path: &Path, edits: &[Edit], on_drift: OnDrift) -> Result<Prepared, ConfigError> {
    let before = read_bytes(path)?;
    let value = object(path, &before)?;
    let applied = apply::apply(&value, edits, on_drift)?;
    let after = rewritten(&before, &applied).map_err(|because| invalid(path, because))?;
    let record = Record {
        path: path.to_path_buf(),
        before_sha256: sha256_hex(&before),
        after_sha256: sha256_hex(&after),
        inverse: applied.inverse,
        changes: applied.changes,
        drift: applied.drift,
    };
    Ok(Prepared { record, before, after })
}

/// The text after an edit, read again to be sure. The error is a sentence for people.
pub(super) fn rewritten(before: &[u8], applied: &apply::Applied) -> Result<Vec<u8>, String> {
    if applied.operations.is_empty() {
        return Ok(before.to_vec());
    }
    let text = std::str::from_utf8(before).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let edited = cst::edit(text, &applied.operations)?.into_bytes();
    match read::parse(&edited) {
        Err(because) => Err(unsafe_edit(&because)),
        Ok(reread) if reread != applied.after => Err(unsafe_edit("a key may occur twice")),
        Ok(_) => Ok(edited),
    }
}

impl Prepared {
    /// What a journal needs.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.before == self.after
    }

    /// The file's bytes before. They hold the user's secrets.
    #[must_use]
    pub fn before(&self) -> &[u8] {
        &self.before
    }

    /// The file's bytes after. They hold the user's secrets.
    #[must_use]
    pub fn after(&self) -> &[u8] {
        &self.after
    }

    /// Writes the file: atomically, mode 0600, following symbolic links, with a backup `<name>.gatehouse-bak` made
    /// before our first write.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] when the file is no longer what it was; [`ConfigError::Io`] (`PermissionDenied`,
    /// `ReadOnlyFilesystem`, `StorageFull`…). The file is then untouched.
    pub fn commit(&self) -> Result<(), ConfigError> {
        if self.is_noop() {
            return Ok(());
        }
        let path = &self.record.path;
        if sha256_hex(&read_bytes(path)?) != self.record.before_sha256 {
            return Err(ConfigError::Conflict);
        }
        let backup = backup_path(path);
        if !backup.exists() {
            write_atomic(&backup, &self.before, PRIVATE).map_err(|source| io_error(&backup, source))?;
        }
        writable(path)?;
        write_atomic(path, &self.after, PRIVATE).map_err(|source| io_error(path, source))
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Puts the bytes from before back, if the file still is what we made it.
///
/// # Errors
/// [`ConfigError::Missing`], [`ConfigError::Io`].
pub fn restore(path: &Path, before: &[u8], after_sha256: &str) -> Result<Restored, ConfigError> {
    let now = read_bytes(path)?;
    if now == before {
        return Ok(Restored::Already);
    }
    if sha256_hex(&now) != after_sha256 {
        return Ok(Restored::Changed);
    }
    writable(path)?;
    write_atomic(path, before, PRIVATE).map_err(|source| io_error(path, source))?;
    Ok(Restored::Identical)
}

/// Where the copy from before our first write is.
#[must_use]
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(|| OsString::from("openclaw.json"), OsString::from);
    name.push(".gatehouse-bak");
    path.with_file_name(name)
}

/// Reads the keys that Gatehouse looks at.
///
/// # Errors
/// [`ConfigError::Missing`], [`ConfigError::Invalid`], [`ConfigError::Io`].
pub fn read_view(path: &Path) -> Result<View, ConfigError> {
    Ok(View::of(&object(path, &read_bytes(path)?)?))
}

/// The shared token that stands in plain text in a configuration's bytes.
#[must_use]
pub fn plain_token(bytes: &[u8]) -> Option<SecretString> {
    let config = read::parse(bytes).ok()?;
    let token = config.pointer("/gateway/auth/token")?.as_str()?;
    (!token.is_empty() && !token.contains("${")).then(|| token.into())
}

pub(crate) fn object(path: &Path, bytes: &[u8]) -> Result<Value, ConfigError> {
    let value = read::parse(bytes).map_err(|because| invalid(path, because))?;
    if value.is_object() { Ok(value) } else { Err(invalid(path, "its content is no object".to_owned())) }
}

pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, ConfigError> {
    match read_bounded(path, LARGEST) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(ConfigError::Missing { path: path.to_path_buf() }),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(invalid(path, "it is larger than 1 MiB".to_owned()))
        }
        Err(source) => Err(io_error(path, source)),
    }
}

/// A file that its owner made read-only is left alone, though a rename could replace it.
fn writable(path: &Path) -> Result<(), ConfigError> {
    let metadata = std::fs::metadata(path).map_err(|source| io_error(path, source))?;
    if metadata.permissions().readonly() {
        return Err(io_error(path, io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    Ok(())
}

fn unsafe_edit(because: &str) -> String {
    format!("an edit of its text would not mean what it should ({because})")
}

fn invalid(path: &Path, because: String) -> ConfigError {
    ConfigError::Invalid { path: path.to_path_buf(), because }
}

fn io_error(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Io { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests;
