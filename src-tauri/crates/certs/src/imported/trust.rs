//! Whether every device trusts a chain, as this system sees it.

use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::UnixTime;
use rustls_platform_verifier::Verifier;

use super::Pair;
use super::check::server_name;

/// What this system says of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It trusts it.
    Trusted,
    /// It does not know who signed it: an authority of the user's own, or a missing intermediate certificate.
    UnknownIssuer,
    /// It refuses it for another reason.
    Refused(String),
}

/// Asks this system's own verifier. May block for a moment, on macOS for the network.
pub fn verdict(pair: &Pair) -> Verdict {
    let Some((leaf, others)) = pair.chain.split_first() else { return Verdict::UnknownIssuer };
    let Some(name) = pair.facts.names.texts().find_map(|name| server_name(&name)) else {
        return Verdict::UnknownIssuer;
    };
    let verifier = match Verifier::new(Arc::new(default_provider())) {
        Ok(verifier) => verifier,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    match verifier.verify_server_cert(leaf, others, &name, &[], UnixTime::now()) {
        Ok(_) => Verdict::Trusted,
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Verdict::UnknownIssuer,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}
