//! What people are shown of a certificate.

use aws_lc_rs::digest::{SHA256, digest};
use time::OffsetDateTime;

use crate::Names;

/// A leaf certificate that is or was served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafFacts {
    /// Common name of whoever signed it.
    pub issuer: String,
    /// First moment of validity.
    pub not_before: OffsetDateTime,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
    /// What it is for.
    pub names: Names,
    /// SHA-256 over its DER: upper-case hex with colons.
    pub sha256: String,
    /// SHA-256 of the authority's certificate, in the same form.
    pub ca_sha256: Option<String>,
}

/// The local certificate authority: what a user installs on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityFacts {
    /// Its common name, the only thing that iOS shows of it.
    pub name: String,
    /// When it was made.
    pub created: OffsetDateTime,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
    /// SHA-256 over its DER: upper-case hex with colons.
    pub sha256: String,
    /// The certificate as PEM.
    pub pem: String,
    /// The certificate as DER.
    pub der: Vec<u8>,
}

/// SHA-256 of `der` as certificate viewers show it: upper-case hex, bytes separated by colons.
pub fn fingerprint(der: &[u8]) -> String {
    let hash = digest(&SHA256, der);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
