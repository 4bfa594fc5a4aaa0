//! WebSocket over HTTP/2 (RFC 8441) on one side, the HTTP/1.1 upgrade of the gateway on the other.
//!
//! An extended `CONNECT` has no key and its 200 no accept, so the edge is the WebSocket client of record towards the
//! gateway: it makes the key, and the gateway's `Sec-WebSocket-Accept` is verified here as for any upgrade, because
//! the client behind HTTP/2 cannot do it.

use crate::upstream::random_key;
use http::request::Parts;
use http::{HeaderValue, Method};

/// Turns an extended `CONNECT` into the `GET` of an HTTP/1.1 handshake. Says the key to send; `None` where there are no
/// random numbers.
pub(crate) fn as_http1(parts: &mut Parts) -> Option<HeaderValue> {
    let key = random_key()?;
    parts.method = Method::GET;
    Some(key)
}
