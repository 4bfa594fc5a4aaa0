//! From what was found to a pair that can be served: which certificate the key is for, its chain in order, and everything
//! that clients would stumble over.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, SignatureAlgorithm};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use secrecy::SecretString;
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::ImportError;
use super::bundle::{Bundle, Material};
use crate::LeafFacts;

/// RSA keys below this are refused by clients.
const RSA_BITS: usize = 2048;
/// Apple refuses public certificates that last longer, and private ones past 825.
const LONG_LIFE: i64 = 398;
/// The longest chain that is looked for.
const LONGEST_CHAIN: usize = 8;

/// A certificate with its chain and its key, fit to be served.
pub struct Pair {
    /// What it says.
    pub facts: Arc<LeafFacts>,
    /// `ECDSA`, `Ed25519` or `RSA`.
    pub algorithm: &'static str,
    /// What the user should know.
    pub remarks: Vec<Remark>,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Arc<CertifiedKey>,
    pub(super) private: PrivateKeyDer<'static>,
    /// The earliest end of an intermediate certificate, and whose.
    issuer_ends: Option<(OffsetDateTime, String)>,
}

/// What is not wrong and should be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The certificates were not in order; they are served in order.
    Reordered,
    /// Certificates that do not belong to the chain are left out.
    LeftOut {
        /// Whose.
        subjects: Vec<String>,
    },
    /// Nobody but itself signed it.
    SelfSigned,
    /// The certificate that signed it is missing: clients that do not happen to know it refuse it.
    IssuerMissing {
        /// Whose certificate is missing.
        issuer: String,
    },
    /// It is that of an authority; some clients refuse those for a server.
    IsAuthority,
    /// It lasts longer than some clients accept.
    LongLived {
        /// How many days.
        days: i64,
    },
    /// It asks for a stapled OCSP answer, which Gatehouse does not send: some clients refuse it then.
    MustStaple,
}

impl Pair {
    /// Reads files together and finds the pair in them.
    ///
    /// # Errors
    /// Every [`ImportError`] but those about the clock ([`Self::in_time`]).
    pub fn read(files: &[Material<'_>], password: Option<&SecretString>) -> Result<Self, ImportError> {
        Self::of(Bundle::read(files, password)?)
    }

    fn of(bundle: Bundle) -> Result<Self, ImportError> {
        let Bundle { certificates, keys } = bundle;
        if certificates.is_empty() {
            return Err(ImportError::NoCertificate);
        }
        if keys.is_empty() {
            return Err(ImportError::NoKey);
        }
        let (leaf, private) = matching(&certificates, &keys)?;
        let links = Links::of(leaf, &certificates)?;
        let key = any_supported_type(private).map_err(unusable)?;
        let algorithm = match key.algorithm() {
            SignatureAlgorithm::ECDSA => "ECDSA",
            SignatureAlgorithm::ED25519 => "Ed25519",
            _ => "RSA",
        };
        let key = CertifiedKey::from_der(links.chain.clone(), private.clone_key(), &default_provider())
            .map_err(unusable)?;
        let mut facts = LeafFacts::of(&links.chain).map_err(|detail| damaged(&detail))?;
        // That is the word for the local authority.
        facts.ca_sha256 = None;
        let parsed = parse(leaf)?;
        if facts.issuer.is_empty() {
            facts.issuer = parsed.issuer().to_string();
        }
        let mut remarks = links.remarks;
        examine(&parsed, &facts, &mut remarks)?;
        holds_together(&links.chain, &facts)?;
        Ok(Self {
            facts: Arc::new(facts),
            algorithm,
            remarks,
            chain: links.chain,
            key: Arc::new(key),
            private: private.clone_key(),
            issuer_ends: links.issuer_ends,
        })
    }

    /// Whether it is valid at `now`.
    ///
    /// # Errors
    /// [`ImportError::Expired`], [`ImportError::NotYetValid`], [`ImportError::IssuerExpired`].
    pub fn in_time(&self, now: OffsetDateTime) -> Result<(), ImportError> {
        let LeafFacts { not_before, not_after, .. } = *self.facts;
        if now > not_after {
            return Err(ImportError::Expired { not_after });
        }
        if now < not_before {
            return Err(ImportError::NotYetValid { not_before });
        }
        match &self.issuer_ends {
            Some((end, subject)) if now > *end => {
                Err(ImportError::IssuerExpired { subject: subject.clone(), not_after: *end })
            }
            _ => Ok(()),
        }
    }

    /// The chain, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pair").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The certificate that a key belongs to; of several, one for a server, and the one that lasts longest.
fn matching<'a>(
    certificates: &'a [CertificateDer<'static>],
    keys: &'a [PrivateKeyDer<'static>],
) -> Result<(&'a CertificateDer<'static>, &'a PrivateKeyDer<'static>), ImportError> {
    let mut best: Option<(bool, i64, usize, usize)> = None;
    let mut refused = None;
    for (at, key) in keys.iter().enumerate() {
        let signer = match any_supported_type(key) {
            Ok(signer) => signer,
            Err(error) => {
                refused = Some(unusable(error));
                continue;
            }
        };
        for (number, certificate) in certificates.iter().enumerate() {
            let pair = CertifiedKey::new(vec![certificate.clone()], signer.clone());
            if pair.keys_match().is_err() {
                continue;
            }
            let parsed = parse(certificate)?;
            let rank = (!parsed.is_ca(), parsed.validity().not_after.timestamp(), number, at);
            if best.is_none_or(|best| (rank.0, rank.1) > (best.0, best.1)) {
                best = Some(rank);
            }
        }
    }
    let found = best.and_then(|(_, _, number, at)| Some((certificates.get(number)?, keys.get(at)?)));
    match (found, refused) {
        (Some(found), _) => Ok(found),
        (None, Some(refused)) => Err(certificates.iter().find_map(weak_key).unwrap_or(refused)),
        (None, None) => Err(ImportError::KeyMismatch { subjects: subjects(certificates) }),
    }
}

/// A key that the library does not even load.
fn weak_key(certificate: &CertificateDer<'_>) -> Option<ImportError> {
    match parse(certificate).ok()?.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS => {
            Some(ImportError::Weak { what: format!("RSA, {} bits", key.key_size()) })
        }
        _ => None,
    }
}

/// The chain from a leaf upwards.
struct Links {
    chain: Vec<CertificateDer<'static>>,
    remarks: Vec<Remark>,
    issuer_ends: Option<(OffsetDateTime, String)>,
}

impl Links {
    fn of(leaf: &CertificateDer<'static>, all: &[CertificateDer<'static>]) -> Result<Self, ImportError> {
        let mut chain = vec![leaf.clone()];
        let mut issuer_ends: Option<(OffsetDateTime, String)> = None;
        let mut remarks = Vec::new();
        let mut root = None;
        while let Some(last) = chain.last().cloned() {
            let parsed = parse(&last)?;
            if parsed.issuer().as_raw() == parsed.subject().as_raw() {
                if chain.len() == 1 {
                    remarks.push(Remark::SelfSigned);
                } else {
                    // Clients have the root, or do not believe it.
                    root = chain.pop();
                }
                break;
            }
            let Some(issuer) = issuer_of(&parsed, all, &chain) else {
                if chain.len() == 1 {
                    remarks.push(Remark::IssuerMissing { issuer: parsed.issuer().to_string() });
                }
                break;
            };
            if chain.len() >= LONGEST_CHAIN {
                return Err(ImportError::ChainBroken { detail: "it does not end".to_owned() });
            }
            chain.push(issuer.clone());
        }
        for issuer in chain.iter().skip(1) {
            let parsed = parse(issuer)?;
            let end = parsed.validity().not_after.to_datetime();
            if issuer_ends.as_ref().is_none_or(|(first, _)| end < *first) {
                issuer_ends = Some((end, parsed.subject().to_string()));
            }
        }
        let in_file: Vec<_> = all.iter().filter(|one| chain.contains(one)).cloned().collect();
        if in_file != chain {
            remarks.push(Remark::Reordered);
        }
        let left: Vec<_> =
            all.iter().filter(|one| !chain.contains(one) && root.as_ref() != Some(one)).cloned().collect();
        if !left.is_empty() {
            remarks.push(Remark::LeftOut { subjects: subjects(&left) });
        }
        Ok(Self { chain, remarks, issuer_ends })
    }
}

/// Whose subject is the issuer of `child`; where several have it, the one with the key that `child` names.
fn issuer_of<'a>(
    child: &X509Certificate<'_>,
    all: &'a [CertificateDer<'static>],
    chain: &[CertificateDer<'static>],
) -> Option<&'a CertificateDer<'static>> {
    let wanted = child.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    });
    let mut named = all.iter().filter(|one| !chain.contains(one)).filter_map(|one| {
        let parsed = parse(one).ok()?;
        if parsed.subject().as_raw() != child.issuer().as_raw() {
            return None;
        }
        let own = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        });
        Some((own.is_some() && own == wanted, one))
    });
    let first = named.next()?;
    if first.0 {
        return Some(first.1);
    }
    Some(named.find(|(fits, _)| *fits).unwrap_or(first).1)
}

/// Everything that clients look at in the leaf itself.
fn examine(
    leaf: &X509Certificate<'_>,
    facts: &LeafFacts,
    remarks: &mut Vec<Remark>,
) -> Result<(), ImportError> {
    if facts.names.is_empty() {
        return Err(ImportError::NoNames { subject: leaf.subject().to_string() });
    }
    let self_signed = remarks.contains(&Remark::SelfSigned);
    if let Some(what) = weak_signature(&leaf.signature_algorithm.algorithm)
        && !self_signed
    {
        return Err(ImportError::Weak { what: what.to_owned() });
    }
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usage) if !usage.server_auth && !usage.any => {
                return Err(ImportError::NotForServers { why: purposes(usage) });
            }
            ParsedExtension::KeyUsage(usage) if !usage.digital_signature() => {
                return Err(ImportError::NotForServers { why: format!("key usage: {usage}") });
            }
            _ if extension.oid == TLS_FEATURE => remarks.push(Remark::MustStaple),
            _ => {}
        }
    }
    if leaf.is_ca() {
        remarks.push(Remark::IsAuthority);
    }
    let days = (facts.not_after - facts.not_before).whole_days();
    if days > LONG_LIFE {
        remarks.push(Remark::LongLived { days });
    }
    Ok(())
}

/// RFC 7633.
const TLS_FEATURE: Oid<'static> = x509_parser::der_parser::oid!(1.3.6.1.5.5.7.1.24);

fn weak_signature(algorithm: &Oid<'_>) -> Option<&'static str> {
    match algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => Some("SHA-1"),
        "1.2.840.113549.1.1.4" => Some("MD5"),
        _ => None,
    }
}

fn purposes(usage: &x509_parser::extensions::ExtendedKeyUsage<'_>) -> String {
    let known = [
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let mut purposes: Vec<String> =
        known.iter().filter(|(has, _)| *has).map(|(_, name)| (*name).to_owned()).collect();
    purposes.extend(usage.other.iter().map(Oid::to_id_string));
    format!("extended key usage: {}", purposes.join(", "))
}

/// Fails where the last certificate of the chain, believed, does not vouch for the leaf.
fn holds_together(chain: &[CertificateDer<'static>], facts: &LeafFacts) -> Result<(), ImportError> {
    let [leaf, between @ .., top] = chain else { return Ok(()) };
    let broken = |detail: String| ImportError::ChainBroken { detail };
    let mut roots = RootCertStore::empty();
    roots.add(top.clone()).map_err(|error| broken(error.to_string()))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .build()
        .map_err(|error| broken(error.to_string()))?;
    let Some(name) = facts.names.texts().find_map(|name| server_name(&name)) else { return Ok(()) };
    // Time is judged elsewhere: an old chain is old, not broken.
    let (begin, end) = (facts.not_before.unix_timestamp(), facts.not_after.unix_timestamp());
    let seconds = u64::try_from(begin / 2 + end / 2).unwrap_or_default();
    let at = UnixTime::since_unix_epoch(StdDuration::from_secs(seconds));
    match verifier.verify_server_cert(leaf, between, &name, &[], at) {
        Ok(_)
        | Err(rustls::Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        )) => Ok(()),
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            Ok(())
        }
        Err(error) => Err(broken(error.to_string())),
    }
}

/// A name that a client could ask for: `*` becomes a label.
pub(super) fn server_name(name: &str) -> Option<ServerName<'static>> {
    let name = name.strip_prefix("*.").map_or_else(|| name.to_owned(), |parent| format!("any.{parent}"));
    ServerName::try_from(name).ok()
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, ImportError> {
    let parsed = X509Certificate::from_der(certificate);
    parsed.map(|(_, parsed)| parsed).map_err(|error| damaged(&error.to_string()))
}

fn damaged(detail: &str) -> ImportError {
    ImportError::Damaged { file: "the certificate".to_owned(), detail: detail.to_owned() }
}

fn unusable(error: rustls::Error) -> ImportError {
    ImportError::KeyUnusable { detail: error.to_string() }
}

fn subjects(certificates: &[CertificateDer<'_>]) -> Vec<String> {
    let subject = |one: &CertificateDer<'_>| parse(one).ok().map(|parsed| parsed.subject().to_string());
    certificates.iter().filter_map(subject).collect()
}
