//! Certificates that the user brings, and certificates of clients.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{SecretText, Text};

/// A file of the user, by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportFile {
    /// What it is called, for messages.
    pub name: String,
    /// Its bytes, in base64: it may hold a key.
    pub content: SecretText,
}

/// Where a certificate is to be taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum ImportFrom {
    /// From these contents (PEM, PKCS#12 or DER, together chain and key); Gatehouse keeps a copy.
    Content {
        /// One or more.
        files: Vec<ImportFile>,
        /// The password of a PKCS#12 file.
        #[serde(default)]
        password: Option<SecretText>,
    },
    /// From these files, which stay the user's and are read again whenever they change. Absolute paths.
    Files {
        /// The certificate with its chain, perhaps with the key; or a PKCS#12 file.
        certificate: String,
        /// The key, where it is in a file of its own.
        #[serde(default)]
        key: Option<String>,
        /// A file with the password of the PKCS#12 file.
        #[serde(default)]
        password_file: Option<String>,
    },
}

/// Whose certificates a name wants from its clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CertificateRule {
    /// The name or address.
    pub host: String,
    /// A file with the authorities' certificates (PEM); `None` = Gatehouse's own authority for clients.
    #[serde(default)]
    pub ca: Option<String>,
    /// Files with lists of revoked certificates.
    #[serde(default)]
    pub crls: Vec<String>,
    /// What is wrong with these files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Text>,
    /// Until when the lists of revoked certificates are good; nobody gets in afterwards.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub crl_due: Option<OffsetDateTime>,
}

/// A certificate that Gatehouse gave to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ClientCertificate {
    /// Its serial number: lower-case hex.
    pub serial: String,
    /// What the user calls the client.
    pub label: String,
    /// SHA-256 of the certificate, upper-case hex with colons.
    pub sha256: String,
    /// When it was given.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub issued_at: OffsetDateTime,
    /// Last moment of validity.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub not_after: OffsetDateTime,
    /// When it was taken back.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub revoked_at: Option<OffsetDateTime>,
}

/// Certificates of clients: who wants them, who has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ClientCertificates {
    /// Names that want one.
    pub rules: Vec<CertificateRule>,
    /// Those that Gatehouse gave, oldest first.
    pub certificates: Vec<ClientCertificate>,
}

/// In which form a client gets its certificate with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ClientForm {
    /// PKCS#12 with AES, for browsers and phones of today.
    Pkcs12,
    /// PKCS#12 with 3DES, for systems from before 2022.
    Pkcs12Old,
    /// PEM, not encrypted, for programs.
    Pem,
}

/// A new certificate of a client, with its key: nobody else has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IssuedClient {
    /// What was given.
    pub certificate: ClientCertificate,
    /// The file, in base64.
    pub content: SecretText,
    /// The password that was made up for it; `None` = it has none, or one that the user gave.
    pub password: Option<SecretText>,
}
