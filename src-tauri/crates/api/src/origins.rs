//! Browser origins: those the gateway accepts, and those that were seen.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Text;

/// Who put an origin into the gateway's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum OriginOwner {
    /// Gatehouse, by opening an address.
    Gatehouse,
    /// Somebody else; Gatehouse never removes it by itself.
    User,
}

/// An entry of `gateway.controlUi.allowedOrigins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OriginEntry {
    /// As it stands in the file.
    pub origin: String,
    /// Who put it there.
    pub owner: OriginOwner,
    /// Why it will never match a browser, where it will not (a trailing slash, `:443`, no scheme, a glob).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub never_matches: Option<Text>,
    /// When the edge last saw a browser use it.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub last_seen: Option<OffsetDateTime>,
}

/// The gateway's list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OriginList {
    /// In file order.
    pub origins: Vec<OriginEntry>,
}

/// An origin that a browser sent through the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OriginSeen {
    /// As the browser sent it.
    pub origin: String,
    /// How often.
    pub count: u64,
    /// Whether the gateway refused it the last time.
    pub refused: bool,
    /// The client that sent it last.
    pub client: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub last_seen: OffsetDateTime,
}

/// Whether an origin gets in, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum OriginVerdict {
    /// It stands in the list.
    Listed,
    /// The list contains `*`.
    Wildcard,
    /// A private address or name that equals the Host it asks for needs no entry.
    PrivateSameOrigin,
    /// It is refused.
    Refused,
    /// It is not an origin at all.
    NotAnOrigin,
}

/// The answer to "would this origin get in?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OriginTest {
    /// What was asked.
    pub origin: String,
    /// What a browser would send for it.
    pub canonical: Option<String>,
    /// The verdict.
    pub verdict: OriginVerdict,
    /// Why, as a sentence.
    pub because: Text,
}
