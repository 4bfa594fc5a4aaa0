//! TLS with one trusted authority, and the way from there to each protocol.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::http::Request;

use super::socket::{self, Socket, UpgradeRefused};
use super::{Answer, H2, Line};
use crate::Machine;

/// A client on one machine that verifies certificates against one authority, as a device that installed it would.
#[derive(Debug, Clone)]
pub struct Https {
    machine: Machine,
    roots: Arc<RootCertStore>,
    port: u16,
    /// Certificate and key of the client itself (PEM).
    own: Option<Arc<str>>,
}

impl Https {
    pub(crate) fn new(machine: Machine, ca: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate.expect("the authority is PEM")).expect("the authority is usable");
        }
        Self { machine, roots: Arc::new(roots), port: 443, own: None }
    }

    /// The same on another port.
    #[must_use]
    pub fn at_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with a certificate and key of its own (PEM).
    #[must_use]
    pub fn with_certificate(mut self, pem: &str) -> Self {
        self.own = Some(pem.into());
        self
    }

    /// The port it connects to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A TLS connection to `address` that asks for `name` and offers the protocols `alpn`.
    pub async fn tls(&self, address: IpAddr, name: &str, alpn: &[&str]) -> io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match &self.own {
            Some(pem) => {
                let chain = CertificateDer::pem_slice_iter(pem.as_bytes());
                let chain = chain.collect::<Result<_, _>>().map_err(io::Error::other)?;
                let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(io::Error::other)?;
                config.with_client_auth_cert(chain, key).map_err(io::Error::other)?
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stream = self.machine.connect(SocketAddr::new(address, self.port)).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// The SHA-256 fingerprint (upper-case hex with colons) of the certificate served to `address`.
    pub async fn fingerprint(&self, address: impl Into<IpAddr>) -> String {
        let address = address.into();
        self.fingerprint_of(address, &address.to_string()).await
    }

    /// The same for a client that asks for `name`.
    pub async fn fingerprint_of(&self, address: IpAddr, name: &str) -> String {
        let stream = self.tls(address, name, &[]).await.expect("TLS is accepted");
        let leaf = &stream.get_ref().1.peer_certificates().expect("a certificate was shown")[0];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, leaf);
        digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// HTTP/1.1, written by hand.
    pub async fn h1(&self, address: impl Into<IpAddr>) -> Line {
        let address = address.into();
        Line::over(self.tls(address, &address.to_string(), &["http/1.1"]).await.expect("TLS is accepted"))
    }

    /// HTTP/2.
    pub async fn h2(&self, address: impl Into<IpAddr>) -> H2 {
        let address = address.into();
        let stream = self.tls(address, &address.to_string(), &["h2"]).await.expect("TLS is accepted");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()), "the server agreed on HTTP/2");
        H2::over(stream).await
    }

    /// A plain GET over HTTP/1.1 that asks for `address` by its own number, with further header lines.
    pub async fn get_with(&self, address: impl Into<IpAddr>, path: &str, headers: &[(&str, &str)]) -> Answer {
        let address = address.into();
        self.h1(address).await.get(&self.authority(address), path, headers).await
    }

    /// A plain GET over HTTP/1.1 that asks for `address` by its own number.
    pub async fn get(&self, address: impl Into<IpAddr>, path: &str) -> Answer {
        self.get_with(address, path, &[]).await
    }

    /// A WebSocket that asks for `address` by its own number, with further header lines.
    pub async fn websocket(
        &self,
        address: impl Into<IpAddr>,
        headers: &[(&str, &str)],
    ) -> Result<Socket, UpgradeRefused> {
        let address = address.into();
        let host = self.authority(address);
        self.websocket_as(address, &host, headers).await
    }

    /// A WebSocket that asks `address` for `host` (`name` or `name:port`), with further header lines.
    pub async fn websocket_as(
        &self,
        address: impl Into<IpAddr>,
        host: &str,
        headers: &[(&str, &str)],
    ) -> Result<Socket, UpgradeRefused> {
        let address = address.into();
        let stream = self.tls(address, &address.to_string(), &["http/1.1"]).await.expect("TLS is accepted");
        Self::upgraded(stream, host, headers).await
    }

    /// A WebSocket that asks `address` for `name`, in TLS too.
    pub async fn websocket_by_name(&self, address: IpAddr, name: &str) -> Result<Socket, UpgradeRefused> {
        let stream = self.tls(address, name, &["http/1.1"]).await.expect("TLS is accepted");
        Self::upgraded(stream, name, &[]).await
    }

    async fn upgraded(
        stream: TlsStream<TcpStream>,
        host: &str,
        headers: &[(&str, &str)],
    ) -> Result<Socket, UpgradeRefused> {
        let mut request = Request::builder()
            .uri(format!("wss://{host}/"))
            .header("Host", host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        socket::upgrade(Box::new(stream), request.body(()).expect("the request is well-formed")).await
    }

    /// How a browser writes `address` into a URL, with the port where it is not 443.
    #[must_use]
    pub fn authority(&self, address: IpAddr) -> String {
        let host = match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}
