//! The gateway's shared token: where it is, whether it can be had, and what can be done with it. Never the token itself.

use serde::{Deserialize, Serialize};

use crate::{Fix, SecretText, Text};

/// Where the gateway takes its token from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlace {
    /// It stands in its configuration in plain text.
    Configuration,
    /// It asks Gatehouse, which keeps it in the keychain (an exec SecretRef).
    Store,
    /// From a variable, or from another program or store.
    Elsewhere,
    /// It has none.
    Nowhere,
    /// It asks for something else: a password, or the identity that a proxy vouches for.
    NotUsed,
}

/// Whether the token can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TokenState {
    /// Gatehouse knows it.
    Known,
    /// The keychain that holds it is locked.
    Locked,
    /// The system or its user refused access to it.
    Denied,
    /// It was stored once and is not there now.
    Missing,
    /// What is stored is another one than Gatehouse stored, or than the gateway uses.
    Replaced,
    /// The store cannot be reached.
    Unavailable,
    /// It is kept where Gatehouse does not read, and was not imported.
    Unknown,
    /// There is none.
    Absent,
}

/// The gateway's shared token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GatewayToken {
    /// Where the gateway takes it from.
    pub place: TokenPlace,
    /// Whether it can be had.
    pub state: TokenState,
    /// One sentence: what.
    pub title: Text,
    /// One or two sentences: why, and what it means.
    pub because: Text,
    /// What to do next, where something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Fix>,
    /// Where Gatehouse keeps secrets: `keychain`, `secret-service` or `file` (0600).
    pub store: String,
    /// Whether Gatehouse keeps this token there.
    pub stored: bool,
    /// Whether the running gateway takes it; `None` = it could not be asked.
    pub accepted: Option<bool>,
    /// What a new token would sign out, a line each.
    pub signs_out: Vec<Text>,
}

/// What can be done with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "edit", rename_all = "kebab-case")]
pub enum TokenEdit {
    /// Give a gateway that has none a token.
    Generate,
    /// Replace it. Who uses the old one is signed out.
    Rotate {
        /// By this one; `None` = one is made.
        secret: Option<SecretText>,
    },
    /// Keep it in the keychain, and have the gateway ask for it.
    UseStore,
    /// Write it into the gateway's configuration again.
    UsePlain,
}
