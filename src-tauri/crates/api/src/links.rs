//! What is handed on: a link that logs in, a setup code for the phone app, an invitation to trust the authority.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::SecretText;

/// A link that makes one browser an owner. It works once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SecretLink {
    /// The link. Whoever opens it first is an owner: show it only to the person who asked.
    pub url: SecretText,
    /// The address in it.
    pub address: String,
    /// When it stops working; `None` = the gateway did not say.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub expires_at: Option<OffsetDateTime>,
}

/// What the OpenClaw app on a phone needs to connect. It works once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PhoneSetup {
    /// The code, as the app takes it pasted or as a QR code.
    pub code: SecretText,
    /// Where it leads, as the app shows it: `wss://host:port`.
    pub gateway_url: String,
    /// By which [`crate::Request::PhoneSetupStatus`] asks for it.
    pub setup_id: Option<String>,
    /// When it stops working; `None` = the gateway did not say.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub expires_at: Option<OffsetDateTime>,
}

/// Whether a setup code was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PhoneSetupProgress {
    /// Whether the app has connected with it.
    pub done: bool,
    /// The device, once it has.
    pub device_id: Option<String>,
    /// What the device calls itself.
    pub name: Option<String>,
}

/// A page on the local network from which one device gets the certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustInvite {
    /// The page: plain HTTP, because the device trusts nothing of ours yet. Compare the fingerprint.
    pub url: String,
    /// When it closes, used or not.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub expires_at: OffsetDateTime,
    /// SHA-256 of the authority, upper-case hex with colons: the page shows it, too.
    pub ca_sha256: String,
    /// The first eight bytes of it as words to read aloud: the page shows them, too.
    #[serde(default)]
    pub ca_words: Vec<String>,
    /// Its common name, as the device shows it.
    pub ca_name: String,
}

/// How far an invitation got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustInviteProgress {
    /// Whether the page can still be opened.
    pub open: bool,
    /// Addresses that opened the page.
    pub visitors: Vec<String>,
    /// Addresses that got the authority.
    pub fetched: Vec<String>,
}
