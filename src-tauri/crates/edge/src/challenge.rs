//! What a certificate authority asks a listener before it vouches for a name (ACME).
//!
//! Guarantees: a client that offers `acme-tls/1` and nothing else gets the challenge's certificate or a refusal, and in
//! either case no HTTP (RFC 8737 §3); on the redirect port only `/.well-known/acme-challenge/<token>` of a token that is
//! being asked for is answered, whatever the Host, and nothing but that token's text (RFC 8555 §8.3).

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, request::Parts};
use rustls::server::ClientHello;

use crate::CertificateSource;

/// The protocol by which an authority asks over TLS.
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";
const PATH: &str = "/.well-known/acme-challenge/";
/// Longer tokens are nobody's: authorities use 22 to 43 characters.
const LONGEST_TOKEN: usize = 128;

/// The answers that are waited for on the redirect port (http-01).
pub trait HttpChallenges: Send + Sync + Debug {
    /// The text for this token (`[A-Za-z0-9_-]+`); `None` where nobody waits for it.
    fn key_authorization(&self, token: &str) -> Option<String>;
}

/// Which certificates a connection gets where that depends on its two ends: a client that uses a public address sends no
/// name, and the certificate for that address is another one than that for local addresses.
pub trait ByEnds: Send + Sync + Debug {
    /// The certificates for a connection from `peer` that arrived at `local`; `None` = the usual ones.
    fn certificates(&self, peer: IpAddr, local: IpAddr) -> Option<CertificateSource>;
}

/// Where the edge finds what authorities and nameless clients are shown, beyond its certificates.
#[derive(Debug, Clone, Default)]
pub struct Challenges {
    /// Answers on the redirect port; `None` = there are none.
    pub http: Option<Arc<dyn HttpChallenges>>,
    /// Certificates that depend on where a connection comes from; `None` = there are none.
    pub by_ends: Option<Arc<dyn ByEnds>>,
}

impl Challenges {
    /// The text that this plain request asks for.
    pub(crate) fn answer(&self, parts: &Parts) -> Option<String> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return None;
        }
        let token = parts.uri.path().strip_prefix(PATH)?;
        let known = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        if token.is_empty() || token.len() > LONGEST_TOKEN || !token.bytes().all(known) {
            return None;
        }
        self.http.as_ref()?.key_authorization(token)
    }
}

/// Whether a certificate authority is asking: it offers `acme-tls/1` alone.
pub(crate) fn asked(hello: &ClientHello<'_>) -> bool {
    let Some(mut offered) = hello.alpn() else { return false };
    offered.next() == Some(ACME_TLS) && offered.next().is_none()
}
