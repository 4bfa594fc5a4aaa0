//! Header names, values, counts, and what they say about the body.

use http::{HeaderName, Version, header};

use super::{Length, RequestHead};
use crate::error::EdgeError;
use crate::headers::protected;
use crate::settings::Limits;

/// What a look at every line has found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// `Connection` names `upgrade`.
    pub(super) connection_upgrade: bool,
    tokens: usize,
}

/// Real clients name two or three; each one costs a look at all headers.
const CONNECTION_TOKENS: usize = 16;

/// Checks every line by itself, and the sum of them. One pass: lines of one name follow each other.
pub(super) fn check(head: &RequestHead<'_>, limits: &Limits) -> Result<Seen, EdgeError> {
    if head.headers.len() > limits.header_count {
        return Err(EdgeError::HeadersTooLarge);
    }
    let mut seen = Seen::default();
    let mut bytes = 0;
    let mut singles = 0;
    for (name, value) in head.headers {
        bytes += name.as_str().len() + value.len() + 4;
        if malformed(value.as_bytes()) {
            return Err(EdgeError::BadHeader);
        }
        match name.as_str() {
            // These differ from headers that frame the message by one character that some servers fold.
            "content_length" | "transfer_encoding" => return Err(EdgeError::BadHeader),
            // Connection management that HTTP/2 does not have (RFC 9113 §8.2.2).
            "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade"
                if head.version == Version::HTTP_2 =>
            {
                return Err(EdgeError::BadHeader);
            }
            "connection" => seen.connection(value.as_bytes())?,
            "expect" if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
                return Err(EdgeError::ExpectationRefused);
            }
            name => {
                let bit = single(name);
                if singles & bit != 0 {
                    return Err(EdgeError::DuplicateHeader);
                }
                singles |= bit;
            }
        }
    }
    if bytes > limits.header_bytes {
        return Err(EdgeError::HeadersTooLarge);
    }
    Ok(seen)
}

/// A bit for each header of which the gateway would believe one of two lines, or their concatenation; else 0.
fn single(name: &str) -> u8 {
    match name {
        "authorization" => 1,
        "content-type" => 2,
        "origin" => 4,
        "sec-websocket-key" => 8,
        "sec-websocket-version" => 16,
        "expect" => 32,
        _ => 0,
    }
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

/// Digits only, within 64 bits; no sign, no list, no leading space, and no leading zeros, which say nothing and which a
/// parser that counts digits takes for an overflow.
fn number(text: &[u8]) -> Option<u64> {
    let plain = text == b"0"
        || (text.iter().all(u8::is_ascii_digit) && text.first().is_some_and(|first| *first != b'0'));
    plain.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// Control characters, or space at either end. Looks at every byte, as that is faster than stopping.
fn malformed(value: &[u8]) -> bool {
    let edge_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    edge_space(value.first())
        || edge_space(value.last())
        || value.iter().fold(false, |found, byte| found | control(*byte))
}

impl Seen {
    /// A `Connection` line is a list of tokens, none of which is a header that must reach the gateway.
    fn connection(&mut self, value: &[u8]) -> Result<(), EdgeError> {
        for token in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.tokens += 1;
            if self.tokens > CONNECTION_TOKENS {
                return Err(EdgeError::BadConnection);
            }
            if token.eq_ignore_ascii_case(b"upgrade") {
                self.connection_upgrade = true;
                continue;
            }
            let ordinary = token.is_empty()
                || token.eq_ignore_ascii_case(b"keep-alive")
                || token.eq_ignore_ascii_case(b"close")
                || HeaderName::from_bytes(token).is_ok_and(|name| !protected(&name));
            if !ordinary {
                return Err(EdgeError::BadConnection);
            }
        }
        Ok(())
    }
}
