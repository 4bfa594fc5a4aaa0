//! Edits of the configuration file that keep every byte outside the edit.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ConfigError, Drift, Edit, OnDrift, View};

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

    /// Writes the file: atomically, mode 0600, with a backup `<name>.gatehouse-bak` made before our first write.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] when the file is no longer what it was; [`ConfigError::Io`].
    pub fn commit(&self) -> Result<(), ConfigError> {
        Err(ConfigError::Conflict)
    }
}

/// Computes an edit. Reads the file only.
///
/// # Errors
/// Everything of [`ConfigError`] that concerns files.
pub fn prepare(path: &Path, edits: &[Edit]) -> Result<Prepared, ConfigError> {
    prepare_with(path, edits, OnDrift::Leave)
}

/// [`prepare`] with a say in what happens to values that somebody changed.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_with(path: &Path, _edits: &[Edit], _on_drift: OnDrift) -> Result<Prepared, ConfigError> {
    Err(ConfigError::Missing { path: path.to_path_buf() })
}

/// Puts the bytes from before back, if the file still is what we made it.
///
/// # Errors
/// [`ConfigError::Io`].
pub fn restore(path: &Path, _before: &[u8], _after_sha256: &str) -> Result<Restored, ConfigError> {
    Err(ConfigError::Missing { path: path.to_path_buf() })
}

/// Reads the keys that Gatehouse looks at.
///
/// # Errors
/// Everything of [`ConfigError`] that concerns files.
pub fn read_view(path: &Path) -> Result<View, ConfigError> {
    Err(ConfigError::Missing { path: path.to_path_buf() })
}
