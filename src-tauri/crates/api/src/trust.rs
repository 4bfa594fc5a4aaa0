//! Who trusts the certificate authority, fingerprints to compare, and who has pinned a certificate.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Fix, Text};

/// A kind of place on this machine that keeps authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// The user's keychain on macOS.
    LoginKeychain,
    /// The system's store on Linux.
    SystemStore,
    /// A database of Chromium and its kin on Linux.
    Chromium,
    /// The database of a Firefox profile on Linux.
    Firefox,
}

/// Whether a place trusts the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TrustState {
    /// It does.
    Trusted,
    /// It does not.
    NotTrusted,
    /// It cannot be said.
    Unknown,
}

/// An authority that this Gatehouse used before, and that a place still trusts or keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StaleAuthority {
    /// Its name there.
    pub name: String,
    /// SHA-256, upper-case hex with colons.
    pub sha256: String,
}

/// A place, and what it thinks of the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustPlace {
    /// Its kind.
    pub kind: TrustKind,
    /// Its path, by which a request names it.
    pub path: String,
    /// Whether it trusts the authority, after what was asked.
    pub state: TrustState,
    /// Whether something was changed there just now.
    #[serde(default)]
    pub changed: bool,
    /// Why it cannot be said, or was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub because: Option<Text>,
    /// What a person can do about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Fix>,
    /// Earlier authorities that are still there.
    #[serde(default)]
    pub stale: Vec<StaleAuthority>,
}

/// Where this machine trusts the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustPlaces {
    /// The authority; `None` = there is none yet.
    pub ca_name: Option<String>,
    /// The places that there are.
    pub places: Vec<TrustPlace>,
}

/// A fingerprint in the forms that people compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fingerprint {
    /// Common name of the certificate's owner: the authority's name, or who issued the certificate.
    pub name: String,
    /// SHA-256 of the certificate, upper-case hex with colons.
    pub sha256: String,
    /// The same as words of the PGP word list, one for each byte. The first eight are enough to read aloud.
    pub words: Vec<String>,
    /// SHA-256 of the public key in base64, as `curl --pinnedpubkey sha256//…` takes it.
    pub public_key: String,
}

/// The fingerprints of what is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fingerprints {
    /// The certificate.
    pub certificate: Fingerprint,
    /// The local certificate authority; `None` = it did not issue the certificate.
    pub authority: Option<Fingerprint>,
}

/// An app that remembers the certificate it saw, and refuses another one until its user agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pin {
    /// The device: SHA-256 of its public key, lower-case hex.
    pub device_id: String,
    /// Its name.
    pub name: String,
    /// The app, as it calls itself: `openclaw-ios`.
    pub client: String,
    /// The name or address at which it connects.
    pub host: String,
    /// SHA-256 of the certificate that it last saw, upper-case hex with colons.
    pub sha256: String,
    /// SHA-256 of the certificate that is served there now; `None` = none is.
    pub now: Option<String>,
    /// When it last saw it.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub seen: OffsetDateTime,
}

impl Pin {
    /// Whether the app will meet another certificate than the one that it knows.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.now.as_ref().is_some_and(|now| *now != self.sha256)
    }
}

/// Apps that remember certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pins {
    /// One for each device, last seen first.
    pub pins: Vec<Pin>,
    /// From when on the local certificate is replaced by itself; `None` = there is none.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub renewal: Option<OffsetDateTime>,
    /// What those apps will show, and what their users do about it.
    pub steps: Vec<Text>,
}

/// How near the end of a certificate is, as a share of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Nearness {
    /// Less than a third is left: a renewal is due.
    Due,
    /// Less than a quarter: it should have worked by now.
    Near,
    /// Less than a tenth.
    Close,
    /// It is over.
    Over,
}

/// A certificate that comes to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Expiring {
    /// Which: `certificate` or `authority`, and its SHA-256 (upper-case hex with colons).
    pub sha256: String,
    /// Whether it is the authority.
    pub authority: bool,
    /// How near.
    pub nearness: Nearness,
    /// Its last moment.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub not_after: OffsetDateTime,
}
