//! Which upgrades are taken: WebSocket, complete, and nothing else.

use http::{HeaderMap, Method, Version, header};

use super::fields::Seen;
use super::{Kind, Length, RequestHead};
use crate::error::EdgeError;

/// A complete WebSocket handshake is one; an incomplete one is refused. An invitation to upgrade to something else is
/// an offer that may be ignored (RFC 9110 §7.8) where the request is a plain GET or HEAD, and refused elsewhere.
pub(super) fn kind(head: &RequestHead<'_>, seen: &Seen, length: Length) -> Result<Kind, EdgeError> {
    if *head.method == Method::CONNECT {
        return extended_connect(head);
    }
    let websocket = offers_websocket(head.headers);
    let others = head.headers.get_all(header::UPGRADE).iter().any(|value| {
        tokens(value.as_bytes()).any(|token| !token.is_empty() && !token.eq_ignore_ascii_case(b"websocket"))
    });
    let idle = length == Length::Empty && (*head.method == Method::GET || *head.method == Method::HEAD);
    match (websocket, others) {
        (false, false) => Ok(Kind::Plain),
        (false, true) if idle => Ok(Kind::Plain),
        (false, true) => Err(EdgeError::UpgradeRefused),
        (true, true) => Err(EdgeError::BadWebSocket),
        (true, false) => {
            let get = *head.method == Method::GET && head.version == Version::HTTP_11;
            let body = length != Length::Empty || head.headers.contains_key(header::CONTENT_LENGTH);
            if !get || body || !seen.connection_upgrade || !key(head.headers) {
                return Err(EdgeError::BadWebSocket);
            }
            version(head.headers)?;
            Ok(Kind::WebSocketH1)
        }
    }
}

/// Whether the headers offer to go on as a WebSocket: bytes behind such a head may be frames.
pub(crate) fn offers_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(header::UPGRADE).iter().any(|value| names_websocket(value.as_bytes()))
}

/// Whether the value of an `Upgrade` names it.
pub(crate) fn names_websocket(value: &[u8]) -> bool {
    tokens(value).any(|token| token.eq_ignore_ascii_case(b"websocket"))
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// RFC 8441: no key (the edge makes one for the gateway), no length, the same version.
fn extended_connect(head: &RequestHead<'_>) -> Result<Kind, EdgeError> {
    if head.protocol != Some("websocket") {
        return Err(EdgeError::UpgradeRefused);
    }
    if head.headers.contains_key(header::CONTENT_LENGTH) {
        return Err(EdgeError::BadWebSocket);
    }
    version(head.headers)?;
    Ok(Kind::WebSocketH2)
}

fn version(headers: &HeaderMap) -> Result<(), EdgeError> {
    match headers.get(header::SEC_WEBSOCKET_VERSION) {
        Some(version) if version.as_bytes() == b"13" => Ok(()),
        Some(_) => Err(EdgeError::WebSocketVersion),
        None => Err(EdgeError::BadWebSocket),
    }
}

/// Sixteen bytes in base64 with padding. Bits that the padding leaves over may be anything: some clients put noise there.
fn key(headers: &HeaderMap) -> bool {
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else { return false };
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.as_bytes().strip_suffix(b"==").is_some_and(|text| text.len() == 22 && text.iter().all(base64))
}
