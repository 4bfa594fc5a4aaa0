//! The form of a line.

use std::io::Write as _;

use http::StatusCode;
use serde::{Serialize, Serializer};
use time::UtcOffset;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{AccessRecord, Answerer};

/// Longest host in a record, in characters.
pub const HOST_MAX: usize = 262;
/// Longest path in a record, in characters.
pub const PATH_MAX: usize = 1024;

const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Text of a stranger, fit for a log: visible ASCII as it is, everything else as `\xNN`, cut with `...` at `max`.
#[must_use]
pub fn printable(text: &[u8], max: usize) -> Box<str> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut clean = String::with_capacity(text.len().min(max));
    for byte in text {
        if clean.len() >= max {
            clean.push_str("...");
            break;
        }
        if byte.is_ascii_graphic() || *byte == b' ' {
            clean.push(char::from(*byte));
        } else {
            clean.push_str("\\x");
            clean.push(char::from(HEX[usize::from(byte >> 4)]));
            clean.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    clean.into_boxed_str()
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(serialize_with = "time_text")]
    time: time::OffsetDateTime,
    id: &'a str,
    client: std::net::IpAddr,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    #[serde(serialize_with = "status_number")]
    status: StatusCode,
    answered_by: &'static str,
    error: Option<&'static str>,
    bytes_in: u64,
    bytes_out: u64,
    ms: u64,
    protocol: &'static str,
    tls: Option<Tls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_certificate: Option<&'a str>,
    websocket: Option<WebSocket>,
}

#[derive(Serialize)]
struct Tls {
    version: &'static str,
    cipher: &'static str,
}

#[derive(Serialize)]
struct WebSocket {
    close_code: Option<u16>,
    closed_by: &'static str,
    duration_ms: u64,
}

/// Appends the line of `record`, with its line feed.
pub(super) fn append(buffer: &mut Vec<u8>, record: &AccessRecord) {
    let start = buffer.len();
    let line = Line {
        time: record.time.to_offset(UtcOffset::UTC),
        id: record.id.as_str(),
        client: record.client,
        method: record.method.as_str(),
        host: &record.host,
        path: &record.path,
        status: record.status,
        answered_by: match record.answered_by {
            Answerer::Edge => "edge",
            Answerer::Gateway => "gateway",
        },
        error: record.error.map(crate::EdgeError::code),
        bytes_in: record.bytes_in,
        bytes_out: record.bytes_out,
        ms: millis(record.duration),
        protocol: record.protocol.as_str(),
        tls: record.tls.map(|tls| Tls { version: tls.version, cipher: tls.cipher }),
        client_certificate: record.client_certificate.as_deref(),
        websocket: record.websocket.as_ref().map(|end| WebSocket {
            close_code: end.close_code,
            closed_by: end.closed_by.as_str(),
            duration_ms: millis(end.duration),
        }),
    };
    if serde_json::to_writer(&mut *buffer, &line).is_ok() {
        buffer.push(b'\n');
    } else {
        buffer.truncate(start);
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn time_text<S: Serializer>(time: &time::OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [0_u8; 24];
    let mut rest = &mut text[..];
    time.format_into(&mut rest, TIME).map_err(serde::ser::Error::custom)?;
    let _ = rest.flush();
    serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn status_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
