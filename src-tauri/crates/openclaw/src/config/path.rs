//! Where a value stands in the configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The keys from the root to a value, for example `gateway.controlUi.allowedOrigins`. Never empty keys, never indices.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// A path from its keys; a key may contain dots.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(keys: I) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// The keys, outermost first.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The path without its last key.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The path of a value inside this one.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.to_owned());
        Self(keys)
    }

    /// Whether the value at this path is a secret, by the name of its key.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        const NAMES: [&str; 6] = ["token", "password", "secret", "apikey", "privatekey", "clientsecret"];
        self.0.last().is_some_and(|key| NAMES.contains(&key.to_ascii_lowercase().as_str()))
    }
}

impl From<&str> for KeyPath {
    /// Splits at dots.
    fn from(dotted: &str) -> Self {
        Self::new(dotted.split('.').filter(|key| !key.is_empty()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl fmt::Debug for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
