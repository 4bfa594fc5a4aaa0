//! Devices that wait for approval and devices that have it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Text;

/// What the edge saw of the same client. `None` in its place means: it did not come through Gatehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EdgeSighting {
    /// The client's address as the edge attributed it.
    pub client: String,
    /// The name it asked for, with its port.
    pub host: String,
    /// `TLS 1.3` or `TLS 1.2`.
    pub tls: String,
    /// A short name of browser and system from its User-Agent, for example `Safari on iPhone`.
    pub agent: Option<String>,
    /// When it was first seen since this core started.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub first_seen: OffsetDateTime,
    /// When it was last seen.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub last_seen: OffsetDateTime,
}

/// A device that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PendingDevice {
    /// SHA-256 of its public key, lower-case hex: what an approval is bound to.
    pub device_id: String,
    /// The newest request of that key; clients replace it every few seconds.
    pub request_id: String,
    /// What it calls itself, else what the edge knows of it, else its platform.
    pub name: String,
    /// As it says.
    pub platform: Option<String>,
    /// `operator` or `node`.
    pub role: String,
    /// What it asks for.
    pub scopes: Vec<String>,
    /// As the gateway saw it.
    pub remote_ip: Option<String>,
    /// What the edge saw of the same client.
    pub via_edge: Option<EdgeSighting>,
    /// Whether this key is already paired, so that approving replaces what it has.
    pub is_repair: bool,
    /// When it asked.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub asked_at: Option<OffsetDateTime>,
}

/// A device that is paired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PairedDevice {
    /// SHA-256 of its public key, lower-case hex.
    pub device_id: String,
    /// `None`: kept so that both lists have the same keys.
    pub request_id: Option<String>,
    /// The label given by the user, else what it calls itself, else its platform.
    pub name: String,
    /// As it says.
    pub platform: Option<String>,
    /// `operator` or `node`.
    pub role: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// As the gateway last saw it.
    pub remote_ip: Option<String>,
    /// What the edge saw of the same client.
    pub via_edge: Option<EdgeSighting>,
    /// How it was approved: `owner`, `silent`, `bootstrap` and so on.
    pub approved_via: Option<String>,
    /// Whether it is connected now.
    pub connected: bool,
    /// When it was last seen.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last_seen: Option<OffsetDateTime>,
    /// When Gatehouse revokes it; `None` = never.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub expires_at: Option<OffsetDateTime>,
}

/// A device whose time was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExpiredDevice {
    /// SHA-256 of its public key, lower-case hex.
    pub device_id: String,
    /// Its name.
    pub name: String,
    /// When Gatehouse revoked it.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub at: OffsetDateTime,
    /// Whether it could come back by itself, because it may know the shared token or password.
    pub can_return: bool,
    /// How, and what would stop it, as a sentence.
    pub note: Text,
}

/// All devices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeviceList {
    /// Waiting, oldest first.
    pub pending: Vec<PendingDevice>,
    /// Paired, last seen first.
    pub paired: Vec<PairedDevice>,
    /// Revoked because their time was over, newest first; those of the last week.
    #[serde(default)]
    pub expired: Vec<ExpiredDevice>,
}

/// What a revocation did, and what it did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RevokeReport {
    /// The device.
    pub device_id: String,
    /// Its name.
    pub name: String,
    /// Whether it could come back by itself, because it may know the shared token or password.
    pub can_return: bool,
    /// How, and what would stop it, as a sentence.
    pub note: Text,
    /// Whether the shared token was replaced, as asked.
    pub token_rotated: bool,
}
