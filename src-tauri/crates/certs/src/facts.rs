//! What people are shown of a certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::SerialNumber;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use crate::{CertError, Names};

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
    /// SHA-256 of the local authority's certificate, in the same form.
    pub ca_sha256: Option<String>,
    /// SHA-256 of its public key, as [`public_key`] gives it.
    pub public_key: String,
}

impl LeafFacts {
    /// Reads a chain, leaf first; the error says what is wrong with it.
    pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Result<Self, String> {
        let leaf = chain.first().ok_or("no certificate")?;
        let (_, certificate) =
            X509Certificate::from_der(leaf).map_err(|error| format!("no certificate ({error})"))?;
        Ok(Self {
            issuer: common_name(certificate.issuer()),
            not_before: certificate.validity().not_before.to_datetime(),
            not_after: certificate.validity().not_after.to_datetime(),
            names: names(&certificate)?,
            sha256: fingerprint(leaf),
            ca_sha256: chain.get(1).map(|authority| fingerprint(authority)),
            public_key: public_key(leaf),
        })
    }
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

/// First and last moment of a certificate; `None` = it is none.
pub fn validity(der: &[u8]) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.to_datetime(), validity.not_after.to_datetime()))
}

/// SHA-256 of `der` as certificate viewers show it: upper-case hex, bytes separated by colons.
pub fn fingerprint(der: &[u8]) -> String {
    let hash = digest(&SHA256, der);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// SHA-256 of the public key of a certificate, in base64 (RFC 7469 §2.4); empty where `der` is no certificate.
pub fn public_key(der: &[u8]) -> String {
    X509Certificate::from_der(der).map_or_else(
        |_| String::new(),
        |(_, certificate)| STANDARD.encode(digest(&SHA256, certificate.public_key().raw)),
    )
}

/// Certificates as PEM, in the given order (RFC 7468).
pub(crate) fn pem_of<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    certificates.into_iter().map(|certificate| pem_text("CERTIFICATE", certificate)).collect()
}

/// One section of PEM (RFC 7468).
pub(crate) fn pem_text(label: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    let text = STANDARD.encode(der);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// A serial number that is never used twice: 126 random bits. Firefox refuses two certificates of one issuer with the
/// same one.
pub(crate) fn random_serial() -> Result<SerialNumber, CertError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(CertError::crypto("drawing a serial number"))?;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

pub(crate) fn common_name(name: &X509Name<'_>) -> String {
    let value = name.iter_common_name().next().and_then(|value| value.as_str().ok());
    value.unwrap_or_default().to_owned()
}

fn names(certificate: &X509Certificate<'_>) -> Result<Names, String> {
    let extension = certificate.subject_alternative_name().map_err(|error| error.to_string())?;
    let mut names = Names::default();
    for name in extension.into_iter().flat_map(|extension| &extension.value.general_names) {
        match name {
            GeneralName::DNSName(name) => {
                names.dns.insert(name.to_ascii_lowercase());
            }
            GeneralName::IPAddress(bytes) => {
                names.ips.insert(address(bytes).ok_or("an address of the wrong length")?);
            }
            _ => {}
        }
    }
    Ok(names)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}
