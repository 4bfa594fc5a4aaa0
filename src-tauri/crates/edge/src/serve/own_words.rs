//! What hyper says to bytes that are no HTTP, in our words.
//!
//! hyper answers a head that it cannot parse by itself, with a bare status line, before any request exists. Every answer
//! of the edge says that it is the edge's, so that answer is recognised on its way out and replaced.

use crate::error::EdgeError;
use crate::page::{Answer, Reader};
use crate::request_id::RequestId;
use http::header::CONNECTION;
use http::{HeaderName, HeaderValue};
use std::net::SocketAddr;

/// Our answer in place of this one, where it is one of hyper's own: all that pass the pipeline carry a request id. It is
/// about what was `refused` before hyper saw it, else about what hyper says.
pub(super) fn instead_of(written: &[u8], refused: Option<EdgeError>, peer: SocketAddr) -> Option<Vec<u8>> {
    let rest = written.strip_prefix(b"HTTP/1.1 4")?;
    let error = match rest.get(..2)? {
        b"00" => EdgeError::BadHeader,
        b"14" => EdgeError::TargetTooLong,
        b"31" => EdgeError::HeadersTooLarge,
        _ => return None,
    };
    let head = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?;
    let ours = head.split("\r\n").any(|line| line.starts_with("x-request-id:"));
    (!ours && !head.contains("\r\n\r\n")).then(|| say(refused.unwrap_or(error), peer))
}

fn say(error: EdgeError, peer: SocketAddr) -> Vec<u8> {
    let id = RequestId::new();
    tracing::debug!(%peer, %id, code = error.code(), "bytes that are no HTTP request");
    let answer = Answer { error, reader: Reader::Program, id, retry_after: None, link: None };
    let (mut parts, body) = answer.response().into_parts();
    parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    parts.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let mut bytes = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        line(&mut bytes, name, value);
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

fn line(bytes: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    bytes.extend_from_slice(name.as_str().as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value.as_bytes());
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_answer_of_hyper_is_replaced() {
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let bare =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let said = String::from_utf8(instead_of(bare, None, peer).unwrap()).unwrap();
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
        assert!(said.contains("\r\nx-gatehouse-error: headers-too-large\r\n"), "{said}");
        let refused = instead_of(bare, Some(EdgeError::AmbiguousLength), peer).unwrap();
        assert!(refused.starts_with(b"HTTP/1.1 400 "), "what was refused before is what it is about");
        let passed = b"HTTP/1.1 400 Bad Request\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(instead_of(passed, None, peer), None);
        assert_eq!(instead_of(b"HTTP/1.1 404 Not Found\r\n\r\n", None, peer), None);
        assert_eq!(instead_of(b"HTTP/1.1 400 Bad Request\r\nx", None, peer), None, "not a whole head");
    }
}
