//! TLS for accepted connections.
//!
//! Guarantees: TLS 1.2 and 1.3 with aws-lc-rs, X25519MLKEM768 preferred, no early data; ALPN h2 and http/1.1; a client
//! without SNI (one that used an address) gets the resolver's default certificate; a name for which there is no
//! certificate is refused with `unrecognized_name`; plaintext waiting for a slow reader is bounded. The certificates
//! are asked for at every handshake, so a swap in the resolver needs nothing here. A certificate authority that asks with
//! `acme-tls/1` gets the certificate of its challenge and nothing else.

use crate::CertificateSource;
use crate::challenge::{self, ACME_TLS};
use rustls::crypto::aws_lc_rs;
use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// Plaintext and ciphertext that may wait in one session for a slow reader, in bytes.
const SESSION_BUFFER: usize = 32 * 1024;
/// A fatal `unrecognized_name` alert before the server's first flight (RFC 8446 §6, RFC 6066 §3).
const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 112];

/// The protocol that both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// HTTP/1.1, also for clients that offer nothing.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Performs handshakes.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    /// For authorities only: it agrees on `acme-tls/1` and gives no tickets.
    challenge: Arc<ServerConfig>,
    certificates: CertificateSource,
}

impl Tls {
    /// Handshakes with certificates from this source.
    pub(crate) fn new(certificates: CertificateSource) -> Result<Self, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificates));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.max_early_data_size = 0;
        let mut challenge = config.clone();
        challenge.alpn_protocols = vec![ACME_TLS.to_vec()];
        challenge.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), challenge: Arc::new(challenge), certificates })
    }

    /// Performs one handshake. The caller limits its time.
    pub(crate) async fn accept<T>(&self, stream: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = rustls::server::Acceptor::default();
        let mut start = LazyConfigAcceptor::new(acceptor, stream).await?;
        let hello = start.client_hello();
        let asks = challenge::asked(&hello);
        if (asks || hello.server_name().is_some()) && self.certificates.resolve(hello).is_none() {
            start.io.write_all(&UNRECOGNIZED_NAME).await?;
            start.io.shutdown().await?;
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no certificate for this name"));
        }
        let bound = |session: &mut ServerConnection| session.set_buffer_limit(Some(SESSION_BUFFER));
        if asks {
            let mut stream = start.into_stream_with(Arc::clone(&self.challenge), bound).await?;
            stream.shutdown().await?;
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a challenge was answered"));
        }
        start.into_stream_with(Arc::clone(&self.config), bound).await
    }
}

/// What the handshake agreed on for HTTP.
pub(crate) fn alpn(session: &ServerConnection) -> Alpn {
    if session.alpn_protocol() == Some(b"h2") { Alpn::Http2 } else { Alpn::Http1 }
}

/// The version in words of the access log.
pub(crate) fn version(session: &ServerConnection) -> &'static str {
    match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        _ => "other",
    }
}

/// The cipher suite by its registered name.
pub(crate) fn cipher(session: &ServerConnection) -> &'static str {
    session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("other")
}
