//! TLS as a device does it: local names are trusted by our authority and nothing else; for any other name exactly the
//! certificate must be presented that is served for it now, and be valid for that name today.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatehouse_certs::{Certificates, fingerprint};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{Check, ProbeError};
use super::exactly::Exactly;
use crate::address_plan::PlannedAddress;
use crate::context::Context;
use crate::public::Public;

const LIMIT: Duration = Duration::from_secs(5);

/// Our authority as the only root with its leaf, and the certificates that are served beside it.
#[derive(Clone)]
pub struct Trust {
    connector: TlsConnector,
    leaf_sha256: String,
    /// `None`: there is none beside it.
    public: Option<Arc<Public>>,
}

/// What must be presented at an address.
struct Expected {
    connector: TlsConnector,
    /// SHA-256 of the leaves that may be.
    leaves: Vec<String>,
}

/// What the handshake showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// SHA-256 of the leaf: upper-case hex with colons.
    pub leaf_sha256: String,
    /// For example `TLS 1.3`.
    pub version: &'static str,
    /// Where the client sat.
    pub from: SocketAddr,
}

impl Trust {
    /// Of what is served now.
    ///
    /// # Errors
    /// [`ProbeError::NoCertificate`].
    pub fn of(context: &Context) -> Result<Self, ProbeError> {
        let local = Self::of_local(&context.certificates)?;
        Ok(Self { public: Some(Arc::clone(&context.public)), ..local })
    }

    /// Of what the local authority vouches for, and nothing else.
    ///
    /// # Errors
    /// [`ProbeError::NoCertificate`].
    pub fn of_local(certificates: &Certificates) -> Result<Self, ProbeError> {
        let (Some(authority), Some(leaf)) = (certificates.authority(), certificates.current()) else {
            return Err(ProbeError::NoCertificate);
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.der)).map_err(|_| ProbeError::NoCertificate)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| ProbeError::NoCertificate)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { connector, leaf_sha256: leaf.sha256.clone(), public: None })
    }

    /// Whether this is the leaf that is served there now.
    #[must_use]
    pub fn is_ours(&self, address: &PlannedAddress, sha256: &str) -> bool {
        self.expected(address).is_ok_and(|expected| expected.leaves.iter().any(|leaf| leaf == sha256))
    }

    /// What must be presented at this address now.
    fn expected(&self, address: &PlannedAddress) -> Result<Expected, ProbeError> {
        let none = || ProbeError::NoCertificateFor { url: address.url.clone() };
        let Some(public) = &self.public else {
            let leaves = vec![self.leaf_sha256.clone()];
            return Ok(Expected { connector: self.connector.clone(), leaves });
        };
        let key = public.served(&address.host).ok_or_else(none)?;
        let leaf = fingerprint(key.cert.first().ok_or_else(none)?);
        if leaf == self.leaf_sha256 {
            if address.is_public() {
                return Err(none());
            }
            return Ok(Expected { connector: self.connector.clone(), leaves: vec![leaf] });
        }
        // Whoever reaches a public address from within, past its router, comes from a local one and gets the local leaf.
        let mut leaves = vec![leaf];
        if address.host.parse::<std::net::IpAddr>().is_ok() {
            leaves.push(self.leaf_sha256.clone());
        }
        let connector = Exactly::connector(leaves.clone()).map_err(|_| none())?;
        Ok(Expected { connector, leaves })
    }
}

/// Connects, checks name and chain, and says what was presented.
///
/// # Errors
/// [`ProbeError::Connect`], [`ProbeError::Tls`], [`ProbeError::OtherCertificate`], [`ProbeError::Silent`].
pub async fn tls(address: &PlannedAddress, trust: &Trust) -> Result<TlsFacts, ProbeError> {
    connect(address, trust).await.map(|(_, facts)| facts)
}

pub(super) async fn connect(
    address: &PlannedAddress,
    trust: &Trust,
) -> Result<(TlsStream<TcpStream>, TlsFacts), ProbeError> {
    within(address, Check::Reach, handshake(address, trust)).await
}

async fn handshake(
    address: &PlannedAddress,
    trust: &Trust,
) -> Result<(TlsStream<TcpStream>, TlsFacts), ProbeError> {
    let (tcp, from) = dial(address).await?;
    secure(address, trust, tcp, from).await
}

/// A TCP connection, and from where it was made.
pub(super) async fn dial(address: &PlannedAddress) -> Result<(TcpStream, SocketAddr), ProbeError> {
    let unreachable = |error: std::io::Error| ProbeError::Connect {
        url: address.url.clone(),
        to: address.connect.to_string(),
        why: error.to_string(),
    };
    let tcp = TcpStream::connect(address.connect).await.map_err(unreachable)?;
    let from = tcp.local_addr().map_err(unreachable)?;
    Ok((tcp, from))
}

/// TLS on a connection.
pub(super) async fn secure(
    address: &PlannedAddress,
    trust: &Trust,
    tcp: TcpStream,
    from: SocketAddr,
) -> Result<(TlsStream<TcpStream>, TlsFacts), ProbeError> {
    let url = || address.url.clone();
    let name = ServerName::try_from(address.host.clone())
        .map_err(|error| ProbeError::Tls { url: url(), why: error.to_string() })?;
    let expected = trust.expected(address)?;
    let stream = expected.connector.connect(name, tcp).await.map_err(|error| failed(address, &error))?;
    let (_, session) = stream.get_ref();
    let leaf = session.peer_certificates().and_then(<[_]>::first);
    let leaf_sha256 = leaf.map(|leaf| fingerprint(leaf)).unwrap_or_default();
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        Some(_) | None => "TLS",
    };
    Ok((stream, TlsFacts { leaf_sha256, version, from }))
}

/// A certificate that our authority did not sign means that somebody else answers.
fn failed(address: &PlannedAddress, error: &std::io::Error) -> ProbeError {
    let url = address.url.clone();
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::UnknownIssuer | rustls::CertificateError::BadSignature,
        )) => ProbeError::OtherCertificate { url, sha256: String::new() },
        Some(error) => ProbeError::Tls { url, why: error.to_string() },
        None => ProbeError::Tls { url, why: error.to_string() },
    }
}

pub(super) async fn within<T>(
    address: &PlannedAddress,
    check: Check,
    work: impl Future<Output = Result<T, ProbeError>>,
) -> Result<T, ProbeError> {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| {
        Err(ProbeError::Silent { url: address.url.clone(), check, seconds: LIMIT.as_secs() })
    })
}
