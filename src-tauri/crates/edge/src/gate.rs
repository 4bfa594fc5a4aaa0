//! What is a request: one pure function that a stranger's bytes must pass.
//!
//! [`judge`] admits a request only if it can be read in exactly one way: one target, one host, one length of the body,
//! at most one upgrade. What is admitted may be written to an HTTP/1.1 upstream without any further doubt about where it
//! ends, once [`crate::headers::rewrite_request`] has been over it. It looks at the head only, keeps nothing, and never
//! panics.
//!
//! Sources: RFC 9110, 9112 (§3, §6), 9113 (§8), 6455 (§4), 8441. Where these let a recipient choose between repairing
//! and refusing, it refuses.

mod fields;
mod target;
mod upgrade;

pub(crate) use upgrade::{names_websocket, offers_websocket};

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};

use crate::error::EdgeError;
use crate::names::Authority;
use crate::settings::{Limits, ServedNames};

/// The head of a request as it was parsed.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The version of the connection.
    pub version: Version,
    /// The target: origin form, absolute form, or (HTTP/2) put together from the pseudo headers.
    pub uri: &'a Uri,
    /// All header lines.
    pub headers: &'a HeaderMap,
    /// The `:protocol` of an extended CONNECT (RFC 8441).
    pub protocol: Option<&'a str>,
}

impl<'a> RequestHead<'a> {
    /// The head of a request as hyper delivers it.
    #[must_use]
    pub fn of(parts: &'a http::request::Parts) -> Self {
        Self {
            method: &parts.method,
            version: parts.version,
            uri: &parts.uri,
            headers: &parts.headers,
            protocol: parts.extensions.get::<hyper::ext::Protocol>().map(hyper::ext::Protocol::as_str),
        }
    }
}

/// Longest method, in bytes. Registered ones have up to 17.
pub(crate) const METHOD_MAX: usize = 32;

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request with a response.
    Plain,
    /// A WebSocket handshake over HTTP/1.1 (RFC 6455): answered with 101.
    WebSocketH1,
    /// A WebSocket handshake over HTTP/2 (RFC 8441): answered with 200.
    WebSocketH2,
}

impl Kind {
    /// Whether it becomes a tunnel.
    #[must_use]
    pub const fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocketH1 | Self::WebSocketH2)
    }
}

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// There is none.
    Empty,
    /// So many bytes, within [`Limits::body_bytes`].
    Known(u64),
    /// It ends when it ends (chunked, or an HTTP/2 stream): count while it passes.
    Unknown,
}

/// A request that may be forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// What kind of request it is.
    pub kind: Kind,
    /// Host with its port, byte for byte as the client wrote it. A clone shares it.
    pub host: HeaderValue,
    /// Whether the host is `localhost`, `127.0.0.1` or `::1`.
    pub loopback_name: bool,
    /// How long the body is.
    pub length: Length,
}

/// A request that may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub error: EdgeError,
    /// Whether the HTTP/1 connection must be closed after the answer. On HTTP/2 only the stream ends.
    pub close: bool,
}

/// The verdict on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Forward it.
    Admitted(Admitted),
    /// Answer it.
    Refused(Refused),
}

/// Decides what `head` is, and whether it is for one of `names`.
#[must_use]
pub fn judge(head: &RequestHead<'_>, names: &ServedNames, limits: &Limits) -> Outcome {
    match admit(head, names, limits) {
        Ok(admitted) => Outcome::Admitted(admitted),
        Err(error) => Outcome::Refused(Refused { error, close: error.closes() }),
    }
}

/// [`judge`] as a `Result`.
///
/// # Errors
/// The first rule that the request breaks.
pub fn admit(head: &RequestHead<'_>, names: &ServedNames, limits: &Limits) -> Result<Admitted, EdgeError> {
    if !matches!(head.version, Version::HTTP_10 | Version::HTTP_11 | Version::HTTP_2) {
        return Err(EdgeError::VersionRefused);
    }
    let seen = fields::check(head, limits)?;
    if refused_method(head) {
        return Err(EdgeError::MethodRefused);
    }
    target::check(head, limits)?;
    let host = host_of(head)?;
    let authority = Authority::parse(host.as_bytes()).ok_or(EdgeError::BadHost)?;
    let loopback_name = authority.host.is_loopback();
    let served = names.serves(&authority.host);
    let length = fields::length(head, limits)?;
    let kind = upgrade::kind(head, &seen, length)?;
    if !served {
        return Err(EdgeError::UnknownHost);
    }
    Ok(Admitted { kind, host, loopback_name, length })
}

/// `CONNECT` (but the extended one), words too long for a method or not in capitals (a server that folds them would see
/// another method than we), methods that echo the request, and the first word of an HTTP/2 preface.
fn refused_method(head: &RequestHead<'_>) -> bool {
    if *head.method == Method::CONNECT {
        return head.protocol.is_none() || head.version != Version::HTTP_2;
    }
    let method = head.method.as_str();
    head.protocol.is_some()
        || method.len() > METHOD_MAX
        || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        || ["TRACE", "TRACK", "PRI"].contains(&method)
}

/// The one host: the Host header on HTTP/1, `:authority` on HTTP/2, equal where both are there.
fn host_of(head: &RequestHead<'_>) -> Result<HeaderValue, EdgeError> {
    let mut lines = head.headers.get_all(header::HOST).iter();
    let host = lines.next();
    if lines.next().is_some() {
        return Err(EdgeError::DuplicateHost);
    }
    match (head.uri.authority(), host) {
        (None, None) => Err(EdgeError::MissingHost),
        (None, Some(host)) => Ok(host.clone()),
        (Some(_), None) if head.version != Version::HTTP_2 => Err(EdgeError::MissingHost),
        (Some(authority), None) => HeaderValue::from_str(authority.as_str()).map_err(|_| EdgeError::BadHost),
        (Some(authority), Some(host)) => {
            let asked = Authority::parse(authority.as_str().as_bytes()).ok_or(EdgeError::BadHost)?;
            let named = Authority::parse(host.as_bytes()).ok_or(EdgeError::BadHost)?;
            if asked == named { Ok(host.clone()) } else { Err(EdgeError::HostMismatch) }
        }
    }
}

#[cfg(test)]
mod tests;
