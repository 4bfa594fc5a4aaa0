//! Edits of a configuration and their inverses.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::KeyPath;
use super::secret::shown;

/// One edit. The first five are what callers ask for; the last three occur in inverses.
///
/// `Debug` shows no value under a key that names a secret. Serialised, `Set` and `Replace` hold their value: do not journal a forward
/// edit that sets a secret; inverses never hold one.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "kebab-case")]
pub enum Edit {
    /// Appends the values that are not there yet; makes the array and the objects above it where missing.
    AddToArray {
        /// The array.
        path: KeyPath,
        /// What must be in it.
        values: Vec<String>,
    },
    /// Removes every occurrence of the values; what is not there is no error.
    RemoveFromArray {
        /// The array.
        path: KeyPath,
        /// What must not be in it.
        values: Vec<String>,
    },
    /// Sets a value; makes the objects above it where missing.
    Set {
        /// Where.
        path: KeyPath,
        /// To what.
        value: Value,
    },
    /// Sets a secret or what stands for it, also where a secret stands now. Its inverse does not bring that one back:
    /// who replaces a secret keeps the old one where secrets are kept.
    Replace {
        /// Where.
        path: KeyPath,
        /// By what; `None` = by nothing.
        value: Option<Value>,
    },
    /// Removes a key.
    Remove {
        /// Which.
        path: KeyPath,
    },
    /// Inverse of `Set` and `Remove`: puts `before` back if the value is still what we made it.
    Restore {
        /// Where.
        path: KeyPath,
        /// What we made it.
        ours: Expected,
        /// What it was; `None` = the key was not there.
        before: Option<Value>,
    },
    /// Inverse of `RemoveFromArray`: puts entries back where they stood, unless they are there again.
    Reinsert {
        /// The array.
        path: KeyPath,
        /// What was removed, first to last.
        removed: Vec<Removed>,
    },
    /// Inverse of making an array or object: removes it if it is empty.
    Prune {
        /// Which.
        path: KeyPath,
    },
}

/// What an inverse expects to find.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "value", rename_all = "kebab-case")]
pub enum Expected {
    /// No such key.
    Absent,
    /// This value.
    Value(Value),
    /// A secret with this SHA-256 (lower-case hex of the JSON text).
    Digest(String),
}

/// An array entry that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Where it stood.
    pub index: usize,
    /// What it was.
    pub value: String,
}

/// What to do where somebody changed a value that an inverse wants to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDrift {
    /// Leave it alone and report it.
    #[default]
    Leave,
    /// Restore it all the same, and report it.
    Overwrite,
}

/// A value of ours that somebody changed meanwhile. Values of secrets are not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Where.
    pub path: KeyPath,
    /// What we made it, for people.
    pub ours: String,
    /// What it is now, for people.
    pub now: String,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Value(_) => f.write_str("a value"),
            Self::Digest(_) => f.write_str("a secret"),
        }
    }
}

impl Edit {
    /// The edit as one line for people, without secrets.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::AddToArray { path, values } => format!("add {} to {path}", values.join(", ")),
            Self::RemoveFromArray { path, values } => format!("remove {} from {path}", values.join(", ")),
            Self::Set { path, value } => format!("set {path} to {}", shown(path, Some(value))),
            Self::Replace { path, value } => format!("replace {path} by {}", shown(path, value.as_ref())),
            Self::Remove { path } => format!("remove {path}"),
            Self::Restore { path, before, .. } => match before {
                Some(value) => format!("set {path} back to {}", shown(path, Some(value))),
                None => format!("remove {path} again"),
            },
            Self::Reinsert { path, removed } => {
                let values: Vec<&str> = removed.iter().map(|entry| entry.value.as_str()).collect();
                format!("put {} back into {path}", values.join(", "))
            }
            Self::Prune { path } => format!("remove {path} if it is empty"),
        }
    }
}
