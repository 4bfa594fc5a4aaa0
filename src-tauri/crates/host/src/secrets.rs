//! Secrets by name: the Keychain, the Secret Service, or private files where there is neither.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Where secrets are to be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preference {
    /// The system's keychain where it can be reached, else files.
    #[default]
    Keychain,
    /// Private files, as the user chose.
    File,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The login keychain of macOS.
    Keychain,
    /// The Secret Service of a Linux desktop.
    SecretService,
    /// Files that only this user can read (0600). The user is to be told.
    File,
}

/// Why a secret could not be had. "There is none" is no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The keychain is locked, or its owner did not answer in time.
    #[error("the keychain is locked: {0}")]
    Locked(String),
    /// Its owner, or the system, said no.
    #[error("access was refused: {0}")]
    Denied(String),
    /// It was stored once and is not there now: the keychain is locked, is another one, or was cleared.
    #[error("{name} was stored here before and cannot be found now; unlock the keychain, or restore it")]
    Missing {
        /// Name of the secret.
        name: String,
    },
    /// What is stored is not what was stored last.
    #[error("{name} is not the value that was stored last")]
    Changed {
        /// Name of the secret.
        name: String,
    },
    /// No name for a secret: letters, digits, `-`, `_` and `.`, at most 100.
    #[error("{0:?} is no name for a secret")]
    InvalidName(String),
    /// The store cannot be reached or answered in no known way.
    #[error("the secret store cannot be used: {0}")]
    Unavailable(String),
}

/// The secrets of one state folder.
#[derive(Debug)]
pub struct Secrets {
    kind: Kind,
    folder: PathBuf,
}

impl Secrets {
    /// Chooses the store; takes at most 3 s. `folder` holds the markers, and the files where files are used.
    pub fn open(folder: &Path, preference: Preference) -> Self {
        let _ = preference;
        Self { kind: Kind::File, folder: folder.to_path_buf() }
    }

    /// Where secrets are kept.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value stored under `name`; `None` only where it is certain that none was stored. Blocks with a limit.
    ///
    /// # Errors
    /// Any [`SecretError`].
    pub fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        let _ = &self.folder;
        Err(SecretError::Unavailable(name.to_owned()))
    }

    /// Stores `value` under `name`, replacing what was there. Blocks with a limit.
    ///
    /// # Errors
    /// Any [`SecretError`].
    pub fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        let _ = value;
        Err(SecretError::Unavailable(name.to_owned()))
    }

    /// Forgets `name`; nothing happens where it is not stored. Blocks with a limit.
    ///
    /// # Errors
    /// Any [`SecretError`].
    pub fn remove(&self, name: &str) -> Result<(), SecretError> {
        Err(SecretError::Unavailable(name.to_owned()))
    }
}
