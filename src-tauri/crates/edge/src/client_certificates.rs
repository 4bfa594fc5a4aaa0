//! Certificates of clients (mutual TLS), for the names that want one.
//!
//! Guarantees: a name that wants a certificate is served only over a connection on which the client proved the key of a
//! certificate that is good for that name *now*. The handshake asks for it, but nothing rests on the handshake alone: every
//! request is judged by the name in its own Host, so no other name in TLS (or none), no HTTP/2 connection of another name,
//! no resumed session and no connection from before the rule gets around it. A certificate that is revoked or ends while a
//! connection is open ends its next request, and its WebSockets.

use crate::error::EdgeError;
use crate::names::{Authority, Host};
use arc_swap::ArcSwapOption;
use http::HeaderValue;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CommonState, DigitallySignedStruct, DistinguishedName, SignatureScheme};
use std::fmt;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a verdict on a certificate holds: by then it may have ended.
const VERDICT: Duration = Duration::from_secs(30);
/// Longest name of a client in the log, in characters.
const CALLED_MAX: usize = 200;

/// Which names want a certificate from their clients. Asked at every handshake and for every request.
pub trait ClientCertificates: Send + Sync + fmt::Debug {
    /// The rule of a name (lower-case) or address; `None` = it wants no certificate. The same value until the rule
    /// changes, and then another one.
    fn policy(&self, host: &Host<'_>) -> Option<Arc<ClientPolicy>>;
}

/// Whose certificates are good.
pub struct ClientPolicy {
    /// Judges chain, validity, purpose and revocation.
    pub verifier: Arc<dyn ClientCertVerifier>,
    /// What a client is called in the log, by its certificate.
    pub called: fn(&CertificateDer<'_>) -> String,
}

impl fmt::Debug for ClientPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientPolicy").finish_non_exhaustive()
    }
}

/// The rule for a handshake: by the name that the client asks for, else by the address that it connected to.
pub(crate) fn policy_for(
    source: Option<&Arc<dyn ClientCertificates>>,
    name: Option<&str>,
    local: IpAddr,
) -> Option<Arc<ClientPolicy>> {
    let source = source?;
    match name {
        Some(name) => source.policy(&Authority::parse(name.as_bytes())?.host),
        None => source.policy(&Host::Ip(local.to_canonical())),
    }
}

/// A verifier that never lets a client in without a certificate, whatever the one inside says.
#[derive(Debug)]
pub(crate) struct Demanding(pub(crate) Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Demanding {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.0.verify_client_cert(leaf, others, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The certificate whose key the client of a connection proved.
pub(crate) struct ClientIdentity {
    chain: Vec<CertificateDer<'static>>,
    /// What the client is called in the log.
    pub(crate) called: Arc<str>,
    /// The last verdict that was good.
    good: ArcSwapOption<Good>,
}

struct Good {
    policy: Arc<ClientPolicy>,
    at: Instant,
}

impl ClientIdentity {
    /// Of a session that was made, or resumed, under `policy`. `None` = no certificate was proven.
    pub(crate) fn of(session: &CommonState, policy: Option<&ClientPolicy>) -> Option<Self> {
        let policy = policy?;
        let chain: Vec<_> = session.peer_certificates()?.iter().map(|one| one.clone().into_owned()).collect();
        let called = (policy.called)(chain.first()?);
        let called = crate::access_log::printable(called.as_bytes(), CALLED_MAX).into();
        Some(Self { chain, called, good: ArcSwapOption::empty() })
    }

    /// Whether the certificate is good under `policy` now.
    fn stands(&self, policy: &Arc<ClientPolicy>) -> bool {
        let fresh = |good: &Good| Arc::ptr_eq(&good.policy, policy) && good.at.elapsed() < VERDICT;
        if self.good.load().as_deref().is_some_and(fresh) {
            return true;
        }
        let Some((leaf, others)) = self.chain.split_first() else { return false };
        match policy.verifier.verify_client_cert(leaf, others, UnixTime::now()) {
            Ok(_) => {
                let good = Good { policy: Arc::clone(policy), at: Instant::now() };
                self.good.store(Some(Arc::new(good)));
                true
            }
            Err(error) => {
                tracing::debug!(%error, client = %self.called, "a client's certificate is no longer good");
                false
            }
        }
    }
}

/// Who asks clients for certificates, and news of that.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) source: Option<Arc<dyn ClientCertificates>>,
    changed: watch::Sender<u64>,
}

impl Rules {
    pub(crate) fn new(source: Option<Arc<dyn ClientCertificates>>) -> Self {
        Self { source, changed: watch::Sender::new(0) }
    }

    /// The rules are other ones now: open WebSockets are judged again.
    pub(crate) fn have_changed(&self) {
        self.changed.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Whether a request for `host` (a Host header) may come over a connection of `identity`.
    pub(crate) fn admit(
        &self,
        host: &HeaderValue,
        identity: Option<&ClientIdentity>,
    ) -> Result<(), EdgeError> {
        match (self.policy(host), identity) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(EdgeError::ClientCertificateRequired),
            (Some(policy), Some(identity)) if identity.stands(&policy) => Ok(()),
            (Some(_), Some(_)) => Err(EdgeError::ClientCertificateRefused),
        }
    }

    /// Ready when a WebSocket to `host` may no longer go on.
    pub(crate) async fn refuse(&self, host: &HeaderValue, identity: Option<&ClientIdentity>) {
        if self.source.is_none() {
            return pending().await;
        }
        let mut changes = self.changed.subscribe();
        while self.admit(host, identity).is_ok() {
            let ends = self.policy(host).is_some();
            let changed = tokio::select! {
                changed = changes.changed() => changed,
                () = tokio::time::sleep(VERDICT), if ends => Ok(()),
            };
            if changed.is_err() {
                return pending().await;
            }
        }
    }

    fn policy(&self, host: &HeaderValue) -> Option<Arc<ClientPolicy>> {
        self.source.as_ref()?.policy(&Authority::parse(host.as_bytes())?.host)
    }
}
