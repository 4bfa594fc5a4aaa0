//! The grammar of a request target.

use http::Method;

use super::RequestHead;
use crate::error::EdgeError;
use crate::settings::Limits;

/// Origin form, or absolute form with `http` or `https`; a path that begins with `/`; nothing but visible ASCII, and in
/// the path none of the characters that a parser downstream could take for a delimiter.
pub(super) fn check(head: &RequestHead<'_>, limits: &Limits) -> Result<(), EdgeError> {
    let uri = head.uri;
    let Some(target) = uri.path_and_query() else {
        return Err(EdgeError::BadTarget);
    };
    if target.as_str().len() > limits.target_bytes {
        return Err(EdgeError::TargetTooLong);
    }
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => {}
        // Origin form; on HTTP/2 a request that names its host in Host only.
        (None, None) if *head.method != Method::CONNECT => {}
        _ => return Err(EdgeError::BadTarget),
    }
    let path = target.path();
    let query = target.query().unwrap_or_default();
    if path.starts_with('/') && path.bytes().all(path_byte) && query.bytes().all(query_byte) {
        Ok(())
    } else {
        Err(EdgeError::BadTarget)
    }
}

fn path_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'#' | b'?')
}

/// Browsers leave more characters alone in a query than in a path.
fn query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'#')
}
