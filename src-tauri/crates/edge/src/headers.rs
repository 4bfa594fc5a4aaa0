//! Which headers pass, in both directions, and which ones are ours.
//!
//! [`rewrite_request`] guarantees, whatever came in and in whatever spelling or number: no forwarding, identity or
//! hop-by-hop header of the client is left; a remote client has exactly one `X-Forwarded-For`, which is its attributed
//! address; a local one has none; `X-Request-Id` is ours; `Host` is byte for byte what the client asked for; a trace
//! context passes if it is one, else not at all. Everything else (`Authorization`, `Cookie`, `Origin`, `Sec-WebSocket-*`, unknown names) passes unchanged and in order.
//!
//! Both rewrites work in place and allocate nothing on their own, but for what HTTP/2 has to join.

mod families;
mod trace;

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use crate::attribution::Client;
use crate::gate::Kind;

pub use families::{forwarding, protected};

use families::{hop_by_hop, stripped, twins};

/// `x-forwarded-for`.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `x-forwarded-proto`.
pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `x-forwarded-host`.
pub const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// `x-request-id`.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// `x-gatehouse-error`: present exactly on what the edge itself answered.
pub const X_GATEHOUSE_ERROR: HeaderName = HeaderName::from_static("x-gatehouse-error");

const HTTPS: HeaderValue = HeaderValue::from_static("https");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const CHUNKED: HeaderValue = HeaderValue::from_static("chunked");
/// One year; subdomains are somebody else's decision.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What a request is rewritten with.
#[derive(Debug, Clone, Copy)]
pub struct RequestRewrite<'a> {
    /// What the gate found.
    pub kind: Kind,
    /// The version of the client's connection.
    pub version: Version,
    /// Host with its port, as admitted by the gate.
    pub host: &'a HeaderValue,
    /// Whom the request is attributed to.
    pub client: &'a Client,
    /// [`crate::request_id::RequestId::header`] of this request.
    pub request_id: &'a HeaderValue,
    /// [`crate::settings::EdgeSettings::identity_headers`].
    pub identity_headers: &'a [HeaderName],
    /// For [`Kind::WebSocketH2`]: the key that the edge made, whose answer it must verify.
    pub websocket_key: Option<&'a HeaderValue>,
}

/// Turns the client's headers into those for the gateway, which is spoken to in HTTP/1.1.
pub fn rewrite_request(headers: &mut HeaderMap, with: &RequestRewrite<'_>) {
    let chunked = with.kind == Kind::Plain && chunked(headers);
    remove_nominated(headers);
    remove_where(headers, |name| {
        stripped(name)
            || hop_by_hop(name)
            || with.identity_headers.iter().any(|identity| twins(name, identity))
    });
    headers.remove(header::EXPECT);
    trace::keep_valid(headers);
    if with.version == Version::HTTP_2 {
        join_cookies(headers);
    }
    headers.insert(header::HOST, with.host.clone());
    match with.kind {
        Kind::Plain if chunked => {
            headers.insert(header::TRANSFER_ENCODING, CHUNKED);
        }
        Kind::Plain => {}
        Kind::WebSocketH1 | Kind::WebSocketH2 => {
            headers.insert(header::CONNECTION, UPGRADE);
            headers.insert(header::UPGRADE, WEBSOCKET);
        }
    }
    if with.kind == Kind::WebSocketH2 {
        headers.remove(header::SEC_WEBSOCKET_KEY);
        if let Some(key) = with.websocket_key {
            headers.insert(header::SEC_WEBSOCKET_KEY, key.clone());
        }
    }
    if let Client::Remote { header, .. } = with.client {
        headers.insert(X_FORWARDED_FOR, header.clone());
        headers.insert(X_FORWARDED_PROTO, HTTPS);
        headers.insert(X_FORWARDED_HOST, with.host.clone());
    }
    headers.insert(X_REQUEST_ID, with.request_id.clone());
}

/// What a response is rewritten with.
#[derive(Debug, Clone, Copy)]
pub struct ResponseRewrite<'a> {
    /// What the gate found in the request.
    pub kind: Kind,
    /// Whether the gateway has agreed to the upgrade, with an answer that was verified.
    pub switched: bool,
    /// [`crate::request_id::RequestId::header`] of the request.
    pub request_id: &'a HeaderValue,
    /// Whether the host is one that browsers may remember: [`crate::settings::EdgeSettings::hsts`].
    pub hsts: bool,
}

/// Turns the gateway's headers into those for the client.
pub fn rewrite_response(headers: &mut HeaderMap, with: &ResponseRewrite<'_>) {
    remove_nominated(headers);
    remove_where(headers, |name| {
        let text = name.as_str();
        hop_by_hop(name)
            || text.starts_with("x-gatehouse-")
            || matches!(text, "strict-transport-security" | "alt-svc" | "x-request-id")
    });
    if with.switched {
        if with.kind == Kind::WebSocketH2 {
            headers.remove(header::SEC_WEBSOCKET_ACCEPT);
            headers.remove(header::CONTENT_LENGTH);
        } else {
            headers.insert(header::CONNECTION, UPGRADE);
            headers.insert(header::UPGRADE, WEBSOCKET);
        }
    }
    headers.insert(X_REQUEST_ID, with.request_id.clone());
    if with.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// Removes from trailers, in either direction, whatever would frame, route, authenticate or attribute if a recipient
/// merged them into the headers (RFC 9110 §6.5.1).
pub fn rewrite_trailers(trailers: &mut HeaderMap) {
    remove_where(trailers, |name| {
        stripped(name) || hop_by_hop(name) || protected(name) || name.as_str().starts_with("x-gatehouse-")
    });
}

fn chunked(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::TRANSFER_ENCODING).iter();
    let first = lines.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
    first && lines.next().is_none()
}

/// Removes what `Connection` names, unless it must not be dropped on anybody's word.
fn remove_nominated(headers: &mut HeaderMap) {
    loop {
        let nominated = headers.get_all(header::CONNECTION).iter().find_map(|value| {
            value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).find_map(|token| {
                // The three that everybody sends name no line, or one that goes anyway.
                if [&b"keep-alive"[..], b"close", b"upgrade"]
                    .iter()
                    .any(|usual| token.eq_ignore_ascii_case(usual))
                {
                    return None;
                }
                let name = HeaderName::from_bytes(token).ok()?;
                let drop = name != header::CONNECTION && !protected(&name) && headers.contains_key(&name);
                drop.then_some(name)
            })
        });
        match nominated {
            Some(name) => headers.remove(name),
            None => return,
        };
    }
}

/// Removes every line whose name fits. Names are collected in small rounds on the stack.
fn remove_where(headers: &mut HeaderMap, fits: impl Fn(&HeaderName) -> bool) {
    const ROUND: usize = 8;
    loop {
        let mut found: [Option<HeaderName>; ROUND] = [const { None }; ROUND];
        let mut names = headers.keys().filter(|name| fits(name));
        for slot in &mut found {
            *slot = names.next().cloned();
        }
        let full = found[ROUND - 1].is_some();
        for name in found.into_iter().flatten() {
            headers.remove(name);
        }
        if !full {
            return;
        }
    }
}

/// HTTP/2 may send a cookie in crumbs; HTTP/1.1 has one line (RFC 9113 §8.2.3), with no space at its ends (RFC 9112 §5):
/// empty crumbs go.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs = headers.get_all(header::COOKIE).iter();
    let (count, bytes) = crumbs.fold((0, 0), |(count, bytes), crumb| (count + 1, bytes + crumb.len() + 2));
    if count < 2 {
        return;
    }
    let mut joined = Vec::with_capacity(bytes);
    for crumb in headers.get_all(header::COOKIE).iter().filter(|crumb| !crumb.is_empty()) {
        if !joined.is_empty() {
            joined.extend_from_slice(b"; ");
        }
        joined.extend_from_slice(crumb.as_bytes());
    }
    if let Ok(joined) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests;
