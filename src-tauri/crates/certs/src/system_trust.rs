//! What this system's own trust store says of a chain.

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use rustls_platform_verifier::Verifier;

/// The verdict of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It trusts the chain for that name.
    Trusted,
    /// It knows no authority that signed it.
    UnknownAuthority,
    /// It refuses it for another reason.
    Refused(String),
}

/// Asks the trust store that browsers and curl use on this system: the Keychain's on macOS, the bundle of authorities on
/// Linux. Blocks for a moment on macOS.
///
/// # Errors
/// The store cannot be read or is empty; `name` is no name.
pub fn system_judges(chain: &[CertificateDer<'_>], name: &str, now: UnixTime) -> Result<Judgement, String> {
    let Some((leaf, rest)) = chain.split_first() else { return Err("there is no certificate".to_owned()) };
    let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
    let verifier = Verifier::new(Arc::new(default_provider())).map_err(|error| error.to_string())?;
    Ok(match verifier.verify_server_cert(leaf, rest, &name, &[], now) {
        Ok(_) => Judgement::Trusted,
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Judgement::UnknownAuthority,
        Err(error) => Judgement::Refused(error.to_string()),
    })
}
