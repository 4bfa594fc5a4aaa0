//! Header names, values, counts, and what they say about the body.

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use super::{Length, RequestHead};
use crate::error::EdgeError;
use crate::headers::protected;
use crate::settings::Limits;

/// What a look at every line has found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// `Connection` names `upgrade`.
    pub(super) connection_upgrade: bool,
}

/// Headers of which the gateway would believe one of two lines, or their concatenation.
const SINGLE: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::EXPECT,
];

/// Connection management that HTTP/2 does not have (RFC 9113 §8.2.2).
const NOT_IN_HTTP2: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Real clients name two or three; each one costs a look at all headers.
const CONNECTION_TOKENS: usize = 16;

/// Checks every line by itself, and the sum of them.
pub(super) fn check(head: &RequestHead<'_>, limits: &Limits) -> Result<Seen, EdgeError> {
    if head.headers.len() > limits.header_count {
        return Err(EdgeError::HeadersTooLarge);
    }
    let mut bytes = 0;
    for (name, value) in head.headers {
        bytes += name.as_str().len() + value.len() + 4;
        line(name, value)?;
    }
    if bytes > limits.header_bytes {
        return Err(EdgeError::HeadersTooLarge);
    }
    if head.version == Version::HTTP_2 && NOT_IN_HTTP2.iter().any(|name| head.headers.contains_key(*name)) {
        return Err(EdgeError::BadHeader);
    }
    for name in &SINGLE {
        if head.headers.get_all(name).iter().nth(1).is_some() {
            return Err(EdgeError::DuplicateHeader);
        }
    }
    if let Some(expectation) = head.headers.get(header::EXPECT)
        && !expectation.as_bytes().eq_ignore_ascii_case(b"100-continue")
    {
        return Err(EdgeError::ExpectationRefused);
    }
    connection(head.headers)
}

/// One length, said in one way.
pub(super) fn length(head: &RequestHead<'_>, limits: &Limits) -> Result<Length, EdgeError> {
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    let known = match lengths.next() {
        Some(value) => Some(number(value.as_bytes()).ok_or(EdgeError::BadContentLength)?),
        None => None,
    };
    if lengths.next().is_some() {
        return Err(EdgeError::BadContentLength);
    }
    let mut encodings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(encoding) = encodings.next() {
        if known.is_some() {
            return Err(EdgeError::AmbiguousLength);
        }
        let chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || encodings.next().is_some() || head.version != Version::HTTP_11 {
            return Err(EdgeError::BadTransferEncoding);
        }
        return Ok(Length::Unknown);
    }
    match known {
        Some(0) => Ok(Length::Empty),
        Some(bytes) if bytes > limits.body_bytes => Err(EdgeError::BodyTooLarge),
        Some(bytes) => Ok(Length::Known(bytes)),
        None if head.version == Version::HTTP_2 => Ok(Length::Unknown),
        None => Ok(Length::Empty),
    }
}

/// Digits only, within 64 bits; no sign, no list, no leading space.
fn number(text: &[u8]) -> Option<u64> {
    let plain = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

fn line(name: &HeaderName, value: &HeaderValue) -> Result<(), EdgeError> {
    // These two differ from headers that frame the message by one character that some servers fold.
    if matches!(name.as_str(), "content_length" | "transfer_encoding") {
        return Err(EdgeError::BadHeader);
    }
    let bytes = value.as_bytes();
    let edge_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if edge_space(bytes.first()) || edge_space(bytes.last()) || bytes.iter().any(|byte| control(*byte)) {
        return Err(EdgeError::BadHeader);
    }
    Ok(())
}

fn control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

/// Every `Connection` line is a list of tokens, none of which is a header that must reach the gateway.
fn connection(headers: &HeaderMap) -> Result<Seen, EdgeError> {
    let mut seen = Seen::default();
    let mut tokens = 0;
    for value in headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|byte| *byte == b',') {
            let token = token.trim_ascii();
            tokens += 1;
            if tokens > CONNECTION_TOKENS {
                return Err(EdgeError::BadConnection);
            }
            if token.is_empty() {
                continue;
            }
            if token.eq_ignore_ascii_case(b"upgrade") {
                seen.connection_upgrade = true;
                continue;
            }
            let Ok(name) = HeaderName::from_bytes(token) else {
                return Err(EdgeError::BadConnection);
            };
            if protected(&name) {
                return Err(EdgeError::BadConnection);
            }
        }
    }
    Ok(seen)
}
