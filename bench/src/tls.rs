//! Certificates for the servers, and clients that trust them without looking.

use crate::Outcome;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// The name that every server serves; it and `rsa.` before it are in the certificates.
pub const NAME: &str = "bench.test";

/// A certificate with its key, in PEM.
pub struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    /// A new one that signs itself: `ecdsa` (P-256) or `rsa` (2048 bits).
    pub fn make(kind: &str) -> Outcome<Self> {
        let key = match kind {
            "rsa" => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            _ => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        };
        let params = CertificateParams::new([NAME.to_owned(), format!("rsa.{NAME}")])?;
        Ok(Self { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
    }

    /// Puts it where every server can read it: `NAME.pem` with both, `NAME.crt` and `NAME.key`.
    pub fn write(&self, folder: &Path, name: &str) -> Outcome<()> {
        std::fs::write(folder.join(format!("{name}.crt")), &self.certificate)?;
        std::fs::write(folder.join(format!("{name}.key")), &self.key)?;
        std::fs::write(folder.join(format!("{name}.pem")), format!("{}{}", self.certificate, self.key))?;
        Ok(())
    }

    /// Reads what [`Pair::write`] wrote.
    pub fn read(folder: &Path, name: &str) -> Outcome<Self> {
        let read = |end: &str| std::fs::read_to_string(folder.join(format!("{name}.{end}")));
        Ok(Self { certificate: read("crt")?, key: read("key")? })
    }

    /// In the form that rustls serves.
    pub fn certified(&self) -> Outcome<Arc<CertifiedKey>> {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())?;
        Ok(Arc::new(CertifiedKey::from_der(vec![certificate], key, &aws_lc_rs::default_provider())?))
    }
}

/// A client that offers one key exchange and one protocol, and never resumes.
pub fn client(exchange: &'static dyn SupportedKxGroup, alpn: &str) -> Outcome<Arc<ClientConfig>> {
    let provider = Arc::new(CryptoProvider { kx_groups: vec![exchange], ..aws_lc_rs::default_provider() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Unseen))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    Ok(Arc::new(config))
}

/// Takes every certificate: the client's cost is not what is measured.
#[derive(Debug)]
struct Unseen;

impl ServerCertVerifier for Unseen {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256]
    }
}
