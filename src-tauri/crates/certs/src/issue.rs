//! Signing a leaf, and checking it as a client would before anybody sees it.

use std::sync::Arc;
use std::time::Duration as StdDuration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use secrecy::{ExposeSecret, SecretString};
use time::{Duration, OffsetDateTime};

use crate::authority::{Authority, BACK_DATED};
use crate::facts::random_serial;
use crate::{CertError, Names};

/// Total validity, the back-dated day included: what Mozilla's guidelines allow. More than 398 days is refused by some clients.
const LIFE: Duration = Duration::days(365);
/// More names make a handshake that no longer fits into the first packets.
pub(crate) const MOST_NAMES: usize = 100;

/// A new leaf: chain (leaf first, then the authority) and key.
pub(crate) struct Issued {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key_pem: SecretString,
}

/// Signs a leaf for `names` (canonical), with the key `kept` or a new one. It never outlives its authority.
pub(crate) fn issue(
    authority: &Authority,
    issuer: &Issuer<'_, KeyPair>,
    names: &Names,
    kept: Option<&SecretString>,
    now: OffsetDateTime,
) -> Result<Issued, CertError> {
    let failed = || CertError::crypto::<rcgen::Error>("signing a certificate");
    let key = match kept {
        Some(kept) => KeyPair::from_pem(kept.expose_secret()),
        None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
    };
    let key = key.map_err(failed())?;
    let texts: Vec<String> = names.texts().collect();
    let mut params = CertificateParams::new(texts).map_err(failed())?;
    params.not_before = now - BACK_DATED;
    params.not_after = (params.not_before + LIFE).min(authority.facts.not_after);
    params.serial_number = Some(random_serial()?);
    // A space keeps OpenSSL from taking it for a DNS name that the constraints would have to allow.
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Gatehouse certificate");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&key, issuer).map_err(failed())?;
    let chain = vec![leaf.der().clone(), authority.der()];
    verify(&chain, authority, names, now)?;
    Ok(Issued { chain, key_pem: SecretString::from(key.serialize_pem()) })
}

/// Fails unless a client that trusts `authority` accepts `chain` for every one of `names`.
fn verify(
    chain: &[CertificateDer<'_>],
    authority: &Authority,
    names: &Names,
    now: OffsetDateTime,
) -> Result<(), CertError> {
    const WHAT: &str = "checking a new certificate";
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).map_err(CertError::crypto(WHAT))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
        .build()
        .map_err(CertError::crypto(WHAT))?;
    let seconds = u64::try_from(now.unix_timestamp()).map_err(CertError::crypto(WHAT))?;
    let now = UnixTime::since_unix_epoch(StdDuration::from_secs(seconds));
    let Some((leaf, rest)) = chain.split_first() else { return Err(CertError::NoNames) };
    for name in names.texts() {
        let server = ServerName::try_from(name.as_str()).map_err(CertError::crypto(WHAT))?;
        verifier
            .verify_server_cert(leaf, rest, &server, &[], now)
            .map_err(|error| CertError::Crypto { what: WHAT, detail: format!("{name}: {error}") })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
