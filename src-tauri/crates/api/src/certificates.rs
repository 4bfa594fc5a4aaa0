//! Certificates of every origin, and how public ones are got.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{ErrorEnvelope, Fix, Problem, SecretText, Text};

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// Gatehouse's local certificate authority.
    Local,
    /// A public authority, by ACME.
    Acme,
    /// A file of the user.
    Imported,
}

/// One word for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum CertificateState {
    /// There is none yet.
    Missing,
    /// It is served, and more than a quarter of its life is left.
    Valid,
    /// Less than a quarter of its life is left: a renewal should have worked by now.
    Expiring,
    /// It is over.
    Expired,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum OrderStage {
    /// The account is looked up or made.
    Begun,
    /// The authority took the order.
    Ordered,
    /// The authority looks for proof that the names are ours.
    Proving,
    /// It is convinced, and signs.
    Signing,
    /// The certificate is here.
    Stored,
}

/// When an authority wants a certificate renewed (RFC 9773).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RenewalWindow {
    /// Its first moment.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub start: OffsetDateTime,
    /// Its last moment.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub end: OffsetDateTime,
}

/// One certificate: served, or wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Certificate {
    /// The same for as long as it is wanted: `local`, `acme:…`, `imported:…`.
    pub id: String,
    /// Where it comes from.
    pub kind: CertificateKind,
    /// One word.
    pub state: CertificateState,
    /// DNS names and IP addresses, as text.
    pub names: Vec<String>,
    /// Common name of whoever signed it; `None` = there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub issuer: Option<String>,
    /// First moment of validity.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub not_before: Option<OffsetDateTime>,
    /// Last moment of validity.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub not_after: Option<OffsetDateTime>,
    /// How much of its life is left, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub life_left: Option<u8>,
    /// SHA-256 of the leaf, upper-case hex with colons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub sha256: Option<String>,
    /// What people call the authority that is asked for it (ACME).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub authority: Option<String>,
    /// How far the order is that is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub stage: Option<OrderStage>,
    /// When it is renewed, or tried next; `None` = not by itself.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub next_attempt: Option<OffsetDateTime>,
    /// When the authority wants it renewed (ARI), where it says so; [`Self::next_attempt`] is drawn from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub window: Option<RenewalWindow>,
    /// The file that is watched; `None` = nothing of the user's is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub source: Option<String>,
    /// The kind of its key: `ECDSA`, `Ed25519` or `RSA`, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub key_type: Option<String>,
    /// Whether this system trusts it, and so every device, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub trusted: Option<bool>,
    /// What is wrong with it, and what a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Problem>,
}

/// A way to prove a name to an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ProofWay {
    /// A certificate shown on the HTTPS port, which the internet must reach as 443 (`tls-alpn-01`).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn,
    /// A text shown on port 80 (`http-01`).
    #[serde(rename = "http-01")]
    Http,
    /// A TXT record (`dns-01`): the only way for a wildcard; needs no open port.
    #[serde(rename = "dns-01")]
    Dns,
}

/// Who sets TXT records. The secret that it needs is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "provider", rename_all = "kebab-case")]
pub enum DnsSetup {
    /// Cloudflare's API, with a token that may edit the zone.
    Cloudflare,
    /// DNS updates (RFC 2136), signed with a shared key.
    Rfc2136 {
        /// Address and port of the server.
        server: String,
        /// The zone.
        zone: String,
        /// Name of the key on the server.
        key_name: String,
        /// `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
        algorithm: String,
        /// How long a record takes until everybody sees it, in seconds.
        settle: u32,
    },
    /// A program of the user's own; it needs no secret from us.
    Hook {
        /// Its whole path.
        program: String,
        /// How long a record takes until everybody sees it, in seconds.
        settle: u32,
    },
}

/// What is to be changed about public certificates. What is `None` or empty stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeSetup {
    /// One certificate for these names and addresses, beside those that are wanted already.
    #[serde(default)]
    pub names: Vec<String>,
    /// Where authorities may write.
    #[serde(default)]
    pub email: Option<String>,
    /// The user has read the authority's terms and agrees.
    #[serde(default)]
    pub agree_terms: bool,
    /// The authority to ask: a name that Gatehouse knows, or the address of a directory. It becomes the first; those
    /// before it are asked when it fails.
    #[serde(default)]
    pub authority: Option<String>,
    /// Ask this authority alone, no other.
    #[serde(default)]
    pub only_authority: bool,
    /// Certificates (PEM) by which a private authority's own address is trusted.
    #[serde(default)]
    pub roots: Option<String>,
    /// Key identifier of the account on the authority's web site.
    #[serde(default)]
    pub external_key_id: Option<String>,
    /// Its key.
    #[serde(default)]
    pub external_key: Option<SecretText>,
    /// The ways that may be used, the first to try first.
    #[serde(default)]
    pub ways: Vec<ProofWay>,
    /// Who sets TXT records.
    #[serde(default)]
    pub dns: Option<DnsSetup>,
    /// The secret of [`Self::dns`]: an API token, or the shared key in base64.
    #[serde(default)]
    pub dns_secret: Option<SecretText>,
    /// Whether renewals keep the key, for clients that know the public key.
    #[serde(default)]
    pub reuse_key: Option<bool>,
}

/// An authority that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeAuthority {
    /// Where ACME begins.
    pub directory: String,
    /// What people call it.
    pub name: String,
    /// Whether its terms are agreed to.
    pub agreed: bool,
    /// The account's address at the authority; `None` = there is no account yet.
    pub account: Option<String>,
    /// Where it may write; empty = nowhere.
    pub email: String,
    /// Key identifier of the account on its web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub external_key_id: Option<String>,
    /// Whether it is trusted by certificates that the user gave.
    pub private: bool,
}

/// An authority that Gatehouse knows by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct KnownAuthority {
    /// What [`AcmeSetup::authority`] calls it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where ACME begins.
    pub directory: String,
    /// Whether it wants an account of its web site.
    pub external_account: bool,
    /// Whether a dry run with it is possible.
    pub staging: bool,
}

/// What an authority says of itself, asked now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeDirectory {
    /// Where ACME begins.
    pub directory: String,
    /// What people call it.
    pub name: String,
    /// Where its terms are; `None` = it has none, or does not say.
    pub terms: Option<String>,
    /// Its web site.
    pub website: Option<String>,
    /// Whether it wants an account of its web site.
    pub external_account: bool,
    /// Whether a dry run with it is possible.
    pub staging: bool,
    /// Whether its terms are agreed to.
    pub agreed: bool,
    /// Our account's address there; `None` = there is no account yet.
    pub account: Option<String>,
}

/// How public certificates are got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeState {
    /// Whether certificates can be asked for.
    pub ready: bool,
    /// Authorities, the first to ask first.
    pub authorities: Vec<AcmeAuthority>,
    /// Where authorities may write; empty = nowhere.
    pub email: String,
    /// The ways that may be used, the first to try first.
    pub ways: Vec<ProofWay>,
    /// Who sets TXT records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub dns: Option<DnsSetup>,
    /// Whether renewals keep the key.
    #[serde(default)]
    pub reuse_key: bool,
    /// Authorities that can be named in a setup.
    #[serde(default)]
    pub known: Vec<KnownAuthority>,
    /// Names that are wanted whatever is open, one list for each certificate.
    pub wanted: Vec<Vec<String>>,
    /// The public certificates.
    pub certificates: Vec<Certificate>,
}

/// One attempt to get a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeAttempt {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub at: OffsetDateTime,
    /// What the certificate is for.
    pub names: Vec<String>,
    /// What people call the authority.
    pub authority: String,
    /// What went wrong; `None` = it gave a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Problem>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// As it should be.
    Good,
    /// It may hinder.
    Doubt,
    /// An attempt would fail.
    Hindrance,
}

/// Something that was looked at before an attempt is spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PreflightFinding {
    /// The name or address that it is about; `None` = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// How much it weighs.
    pub weight: Weight,
    /// What was found, as a sentence.
    pub text: Text,
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Fix>,
}

/// What was found before an attempt is spent, worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preflight {
    /// Whether nothing hinders, as far as can be seen from here.
    pub passed: bool,
    /// One for each thing that was looked at.
    pub findings: Vec<PreflightFinding>,
}

/// A dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AcmeTest {
    /// What was looked at first.
    pub preflight: Preflight,
    /// The authority that was asked; `None` = none was, because of the preflight or because none can be asked without
    /// counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub authority: Option<String>,
    /// Whether everything worked that was tried.
    pub works: bool,
    /// What failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<ErrorEnvelope>,
}
