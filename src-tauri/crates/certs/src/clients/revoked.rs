//! A verifier that also knows whom we have taken the certificate away from.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::authority::serial_of;

/// Refuses serial numbers, beyond what `inner` refuses; without one it refuses everybody.
#[derive(Debug)]
pub(super) struct Revoking {
    pub(super) inner: Option<Arc<dyn ClientCertVerifier>>,
    pub(super) serials: BTreeSet<String>,
}

impl Revoking {
    fn inner(&self) -> Result<&Arc<dyn ClientCertVerifier>, Error> {
        self.inner.as_ref().ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
}

impl ClientCertVerifier for Revoking {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.as_ref().map_or(&[], |inner| inner.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner()?.verify_client_cert(leaf, others, now)?;
        let serial = serial_of(leaf).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        match self.serials.contains(&serial) {
            true => Err(Error::InvalidCertificate(CertificateError::Revoked)),
            false => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner()?.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner()?.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = || {
            rustls::crypto::aws_lc_rs::default_provider()
                .signature_verification_algorithms
                .supported_schemes()
        };
        self.inner.as_ref().map_or_else(all, |inner| inner.supported_verify_schemes())
    }
}
