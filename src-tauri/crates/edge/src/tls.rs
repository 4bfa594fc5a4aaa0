//! TLS for accepted connections.
//!
//! Guarantees: TLS 1.2 and 1.3 with aws-lc-rs, X25519MLKEM768 preferred, no early data; ALPN h2 and http/1.1; a client
//! without SNI (one that used an address) gets the resolver's default certificate; a name for which there is no
//! certificate is refused with `unrecognized_name`; plaintext waiting for a slow reader is bounded. The certificates
//! are asked for at every handshake, so a swap in the resolver needs nothing here; and a session is resumed only under
//! the very certificate it was begun with, because every certificate has tickets of its own: after a swap everybody
//! sees the new leaf at the next handshake. A certificate authority that asks with `acme-tls/1` gets the certificate of
//! its challenge and nothing else. A name that wants a certificate from its clients has a configuration, and so tickets, of its
//! own, and gets new ones when its rule changes: no session that began under another rule is resumed.

mod pieces;
mod session;
mod stream;
mod suites;

pub(crate) use stream::TlsStream;

use crate::CertificateSource;
use crate::buffers::Buffer;
use crate::challenge::{self, ACME_TLS};
use crate::client_certificates::{ClientCertificates, ClientPolicy, Demanding, policy_for};
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::server::{Accepted, Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CommonState, ProtocolVersion, ServerConfig};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use suites::{Order, Suites};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Certificates (twice, by [`Order`]) whose sessions can be resumed at the same time; of more, those used first are forgotten.
const REMEMBERED: usize = 32;
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

/// Why there is no TLS session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSession {
    /// The client asked for a name of which there is no certificate, or there is none at all.
    #[error("no certificate for this name")]
    UnknownName,
    /// It was an authority's question, and it is answered.
    #[error("a challenge was answered")]
    Challenge,
    /// What the client sent is not TLS as we speak it, or it went away.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Performs handshakes.
pub(crate) struct Tls {
    suites: Suites,
    certificates: CertificateSource,
    clients: Option<Arc<dyn ClientCertificates>>,
    /// One configuration, with its own tickets and sessions, for each certificate in use, and for each rule about clients with it.
    known: ArcSwap<Vec<Known>>,
    /// Held while [`Self::known`] is changed.
    change: Mutex<()>,
}

#[derive(Clone)]
struct Known {
    key: Arc<CertifiedKey>,
    policy: Option<Arc<ClientPolicy>>,
    order: Order,
    config: Arc<ServerConfig>,
}

/// A session, the name that its client asked for (none with an address), and the rule about clients under which it was
/// made.
pub(crate) struct Session<T> {
    pub(crate) stream: Box<TlsStream<T>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) policy: Option<Arc<ClientPolicy>>,
}

/// Always the same certificate.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

impl Tls {
    /// Handshakes with certificates from this source.
    pub(crate) fn new(
        certificates: CertificateSource,
        clients: Option<Arc<dyn ClientCertificates>>,
    ) -> Result<Self, rustls::Error> {
        // What cannot work is known at the start.
        aws_lc_rs::Ticketer::new()?;
        Ok(Self {
            suites: Suites::new(),
            certificates,
            clients,
            known: ArcSwap::default(),
            change: Mutex::new(()),
        })
    }

    /// Performs one handshake with a client that connected to `local` and has sent the bytes in `first` so far. The caller
    /// limits its time.
    ///
    /// `other` = certificates for this connection instead of the usual ones.
    pub(crate) async fn accept<T>(
        &self,
        mut io: T,
        local: IpAddr,
        first: Vec<u8>,
        other: Option<CertificateSource>,
    ) -> Result<Session<T>, NoSession>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let (accepted, first) = hello(&mut io, first).await?;
        let hello = accepted.client_hello();
        let asks = challenge::asked(&hello);
        let name: Option<Box<str>> = hello.server_name().map(Into::into);
        let policy = policy_for(self.clients.as_ref(), hello.server_name(), local);
        let order = Order::for_client(hello.cipher_suites());
        let Some(key) = other.as_ref().unwrap_or(&self.certificates).resolve(hello) else {
            io.write_all(&UNRECOGNIZED_NAME).await?;
            io.shutdown().await?;
            return Err(NoSession::UnknownName);
        };
        drop(accepted);
        if asks {
            let config = Arc::new(self.challenge(key).map_err(io::Error::other)?);
            TlsStream::accept(io, config, first).await?.shutdown().await?;
            return Err(NoSession::Challenge);
        }
        let config = self.config(key, policy.clone(), order).map_err(io::Error::other)?;
        Ok(Session { stream: TlsStream::accept(io, config, first).await?, name, policy })
    }

    /// The configuration that belongs to a certificate, a rule about clients and an order of cipher suites.
    fn config(
        &self,
        key: Arc<CertifiedKey>,
        policy: Option<Arc<ClientPolicy>>,
        order: Order,
    ) -> Result<Arc<ServerConfig>, rustls::Error> {
        let policy_of = policy.as_ref();
        if let Some(known) = self.known.load().iter().find(|known| known.is_for(&key, policy_of, order)) {
            return Ok(Arc::clone(&known.config));
        }
        let _turn = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load_full();
        if let Some(known) = known.iter().find(|known| known.is_for(&key, policy_of, order)) {
            return Ok(Arc::clone(&known.config));
        }
        let config = Arc::new(self.build(Arc::clone(&key), policy_of, order)?);
        let forgotten = (known.len() + 1).saturating_sub(REMEMBERED);
        let mut next: Vec<Known> = known.iter().skip(forgotten).cloned().collect();
        next.push(Known { key, policy, order, config: Arc::clone(&config) });
        self.known.store(Arc::new(next));
        Ok(config)
    }

    /// For an authority: it agrees on `acme-tls/1` alone and gives no tickets.
    fn challenge(&self, key: Arc<CertifiedKey>) -> Result<ServerConfig, rustls::Error> {
        let mut config = self.build(key, None, Order::AesFirst)?;
        config.alpn_protocols = vec![ACME_TLS.to_vec()];
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    fn build(
        &self,
        key: Arc<CertifiedKey>,
        policy: Option<&Arc<ClientPolicy>>,
        order: Order,
    ) -> Result<ServerConfig, rustls::Error> {
        let config = ServerConfig::builder_with_provider(self.suites.provider(order))
            .with_safe_default_protocol_versions()?;
        let config = match policy {
            Some(policy) => {
                config.with_client_cert_verifier(Arc::new(Demanding(Arc::clone(&policy.verifier))))
            }
            None => config.with_no_client_auth(),
        };
        let mut config = config.with_cert_resolver(Arc::new(Only(key)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.max_early_data_size = 0;
        config.ignore_client_order = true;
        Ok(config)
    }
}

impl Known {
    /// A resolver may make the same certificate anew for each handshake.
    fn is_for(&self, key: &Arc<CertifiedKey>, policy: Option<&Arc<ClientPolicy>>, order: Order) -> bool {
        let same_policy = match (&self.policy, policy) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, Some(_)) | (Some(_), None) => false,
        };
        same_policy && self.order == order && (Arc::ptr_eq(&self.key, key) || self.key.cert == key.cert)
    }
}

/// Reads from the client until its first message is complete. Says all bytes that came, too: the session, of which the
/// configuration depends on that message, reads them again.
async fn hello<T>(io: &mut T, mut first: Vec<u8>) -> io::Result<(Accepted, Vec<u8>)>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut acceptor = Acceptor::default();
    let mut seen = 0;
    loop {
        let mut rest = first.get(seen..).unwrap_or_default();
        while !rest.is_empty() {
            acceptor.read_tls(&mut rest)?;
            match acceptor.accept() {
                Ok(Some(accepted)) => return Ok((accepted, first)),
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let mut why = Vec::new();
                    alert.write_all(&mut why)?;
                    io.write_all(&why).await?;
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
        seen = first.len();
        if read_some(io, &mut first).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Reads what is there, behind what was read before; no buffer is held while there is nothing. 0 is the end.
pub(crate) async fn read_some<T: AsyncRead + Unpin>(io: &mut T, into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut buffer = Buffer::borrow();
        let mut target = ReadBuf::new(&mut buffer);
        Pin::new(&mut *io).poll_read(cx, &mut target).map_ok(|()| {
            into.extend_from_slice(target.filled());
            target.filled().len()
        })
    })
    .await
}

/// What the handshake agreed on for HTTP.
pub(crate) fn alpn(session: &CommonState) -> Alpn {
    if session.alpn_protocol() == Some(b"h2") { Alpn::Http2 } else { Alpn::Http1 }
}

/// The version in words of the access log.
pub(crate) fn version(session: &CommonState) -> &'static str {
    match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3",
        Some(ProtocolVersion::TLSv1_2) => "1.2",
        _ => "other",
    }
}

/// The cipher suite by its registered name.
pub(crate) fn cipher(session: &CommonState) -> &'static str {
    session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("other")
}

/// Whether the session goes on from an earlier one.
pub(crate) fn resumed(session: &CommonState) -> bool {
    session.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
}
