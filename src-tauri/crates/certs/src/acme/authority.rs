//! Certificate authorities: which there are, and what each says of itself.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use super::identifier::Identifier;
use super::problem::{Cause, Failure};
use crate::https::{Https, HttpsError};

/// An authority that Gatehouse knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAuthority {
    /// What it is called on the command line.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where ACME begins (RFC 8555 §7.1.1).
    pub directory: &'static str,
    /// Whether it wants an account of its web site (external account binding).
    pub external_account: bool,
    /// The directory for a dry run: its certificates are not trusted, its limits are wide.
    pub staging: Option<&'static str>,
}

/// In the order in which they are offered. Facts of 2026-11; a directory's own word wins.
pub const KNOWN: [KnownAuthority; 5] = [
    KnownAuthority {
        id: "letsencrypt",
        name: "Let's Encrypt",
        directory: "https://acme-v02.api.letsencrypt.org/directory",
        external_account: false,
        staging: Some("https://acme-staging-v02.api.letsencrypt.org/directory"),
    },
    KnownAuthority {
        id: "zerossl",
        name: "ZeroSSL",
        directory: "https://acme.zerossl.com/v2/DV90",
        external_account: true,
        staging: None,
    },
    KnownAuthority {
        id: "google",
        name: "Google Trust Services",
        directory: "https://dv.acme-v02.api.pki.goog/directory",
        external_account: true,
        staging: Some("https://dv.acme-v02.test-api.pki.goog/directory"),
    },
    KnownAuthority {
        id: "sslcom",
        name: "SSL.com",
        directory: "https://acme.ssl.com/sslcom-dv-ecc",
        external_account: true,
        staging: None,
    },
    KnownAuthority {
        id: "actalis",
        name: "Actalis",
        directory: "https://acme-api.actalis.com/acme/directory",
        external_account: true,
        staging: None,
    },
];

/// The directory that `text` (an id of [`KNOWN`], or an https address) stands for.
///
/// # Errors
/// A sentence with what would be understood.
pub fn directory_of(text: &str) -> Result<String, String> {
    if let Some(known) = KNOWN.iter().find(|known| known.id == text) {
        return Ok(known.directory.to_owned());
    }
    match text.parse::<http::Uri>() {
        Ok(uri) if uri.scheme_str() == Some("https") && uri.host().is_some() => Ok(text.to_owned()),
        _ => {
            let ids: Vec<&str> = KNOWN.iter().map(|known| known.id).collect();
            Err(format!("{text:?} is no certificate authority: use {} or an https directory", ids.join(", ")))
        }
    }
}

/// What people call the authority at this directory: its name, or its host.
pub fn authority_name(directory: &str) -> String {
    let staged = |known: &KnownAuthority| known.staging == Some(directory);
    if let Some(known) = KNOWN.iter().find(|known| known.directory == directory) {
        return known.name.to_owned();
    }
    if let Some(known) = KNOWN.iter().find(|known| staged(known)) {
        return format!("{} (staging)", known.name);
    }
    let uri = directory.parse::<http::Uri>().ok();
    uri.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_else(|| directory.to_owned())
}

/// What a directory says (RFC 8555 §7.1.1, RFC 9773, draft-ietf-acme-profiles).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where to ask when a certificate should be renewed.
    #[serde(default)]
    pub renewal_info: Option<String>,
    /// About the authority.
    #[serde(default)]
    pub meta: Meta,
    /// Where orders go; a directory without it is none.
    pub new_order: String,
}

/// About an authority.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Address of its terms.
    #[serde(default)]
    pub terms_of_service: Option<String>,
    /// Its web site.
    #[serde(default)]
    pub website: Option<String>,
    /// What a CAA record must say to allow it.
    #[serde(default)]
    pub caa_identities: Vec<String>,
    /// Whether it wants an account of its web site.
    #[serde(default)]
    pub external_account_required: bool,
    /// Kinds of certificates, with a text about each.
    #[serde(default)]
    pub profiles: BTreeMap<String, String>,
}

impl Directory {
    /// Asks an authority for its directory.
    ///
    /// # Errors
    /// [`Cause::Unreachable`], [`Cause::Slow`], or [`Cause::Server`] for what is no directory.
    pub async fn fetch(https: &Https, url: &str) -> Result<Self, Failure> {
        let request = Request::get(url)
            .body(Bytes::new())
            .map_err(|error| Failure::new(Cause::Unreachable, format!("{url}: {error}")))?;
        let answer = https.send(request).await.map_err(|error| match error {
            HttpsError::TooSlow { .. } => Failure::new(Cause::Slow, error),
            HttpsError::Unreadable { .. } => Failure::new(Cause::Server, error),
            HttpsError::Address(_) | HttpsError::Unreachable { .. } => {
                Failure::new(Cause::Unreachable, error)
            }
        })?;
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(Failure::new(Cause::Server, format!("{url} answers HTTP {status}")));
        }
        serde_json::from_slice(answer.body())
            .map_err(|error| Failure::new(Cause::Server, format!("{url} is no ACME directory: {error}")))
    }

    /// The profile to ask for: short-lived where an address is asked for (nothing else may hold one), else the one made
    /// for servers; none where the authority offers neither.
    pub fn profile(&self, identifiers: &[Identifier]) -> Option<String> {
        let offered = |name: &str| self.meta.profiles.contains_key(name).then(|| name.to_owned());
        let address = identifiers.iter().any(|identifier| matches!(identifier, Identifier::Ip(_)));
        if address { offered("shortlived") } else { offered("tlsserver") }
    }
}

#[cfg(test)]
mod tests;
