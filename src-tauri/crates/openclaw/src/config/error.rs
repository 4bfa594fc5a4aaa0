//! Why a configuration was not read or not edited.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::KeyPath;
use crate::client::CallError;

/// Why a configuration was not read or not edited. Nothing was written unless the variant says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such file.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is no valid JSON5, or larger than 1 MiB, or not UTF-8, or its root is no object.
    #[error("{} cannot be edited: {because}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        because: String,
    },
    /// A shape that must not be edited: `$include`, `${VAR}`, a list with other things than strings, a value where an
    /// object is needed.
    #[error("{at} cannot be edited: {because}")]
    Unsupported {
        /// Where.
        at: KeyPath,
        /// Why.
        because: String,
    },
    /// The configuration is no longer what the edit was prepared from.
    #[error("the configuration was changed by somebody else meanwhile")]
    Conflict,
    /// The gateway says that the result would be invalid.
    #[error("the gateway refuses the configuration: {because}")]
    Refused {
        /// Its words, and the paths it names.
        because: String,
    },
    /// The gateway accepts 30 changes a minute.
    #[error("the gateway accepts no more changes now")]
    RateLimited {
        /// How long to wait, where it says so.
        retry_after: Option<Duration>,
    },
    /// The file or its folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said (`PermissionDenied`, `ReadOnlyFilesystem`, `StorageFull`…).
        source: io::Error,
    },
    /// The gateway did not answer as expected.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The gateway answered with something that is no configuration.
    #[error("the gateway's answer is not understood: {what}")]
    Answer {
        /// What is missing.
        what: &'static str,
    },
}

impl From<super::apply::Refusal> for ConfigError {
    fn from(refusal: super::apply::Refusal) -> Self {
        Self::Unsupported { at: refusal.at, because: refusal.because }
    }
}
