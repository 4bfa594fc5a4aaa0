//! Requests on HTTP/2 with raw frames.
//!
//! The first request of a connection puts its headers into the server's table, the others name them there, as browsers
//! do. Of the answers only what ends them is read, and that they begin with `:status: 200`.

use super::{Tally, Target};
use crate::Outcome;
use crate::tls::NAME;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` in HPACK's table.
const STATUS_200: u8 = 0x88;
/// Bytes received before the window is opened again.
const REFRESH: u32 = 512 * 1024;

pub(super) async fn run(target: &Target, streams: usize, tally: &Tally) -> Outcome<()> {
    let mut stream = target.connect().await?;
    let mut output = PREFACE.to_vec();
    // No push; a large window for every stream, and for the connection.
    frame(&mut output, SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 0, 0, 4, 0, 0x10, 0, 0]);
    frame(&mut output, WINDOW, 0, 0, &(REFRESH * 2).to_be_bytes());
    let (first, next) = requests();
    let mut id = 1;
    frame(&mut output, HEADERS, END_STREAM | END_HEADERS, id, &first);
    for _ in 1..streams {
        id += 2;
        frame(&mut output, HEADERS, END_STREAM | END_HEADERS, id, &next);
    }
    let mut input = Vec::with_capacity(64 * 1024);
    let mut received = 0;
    loop {
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Err("the connection ended".into());
        }
        let mut at = 0;
        while let Some((kind, flags, payload)) = whole_frame(input.get(at..).unwrap_or_default()) {
            at += 9 + payload.len();
            match kind {
                HEADERS if payload.first() != Some(&STATUS_200) => return Err("not 200".into()),
                DATA => received += u32::try_from(payload.len())?,
                SETTINGS if flags & ACK == 0 => frame(&mut output, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => frame(&mut output, PING, ACK, 0, payload),
                RESET | GOAWAY => return Err("the server gave up".into()),
                _ => {}
            }
            if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
                tally.add(1);
                id += 2;
                frame(&mut output, HEADERS, END_STREAM | END_HEADERS, id, &next);
            }
        }
        input.drain(..at);
        if received > REFRESH {
            frame(&mut output, WINDOW, 0, 0, &received.to_be_bytes());
            received = 0;
        }
    }
}

/// The header block of the first request, and of all others.
fn requests() -> (Vec<u8>, Vec<u8>) {
    // `:method: GET`, `:scheme: https`
    let mut first = vec![0x82, 0x87];
    // Literals that go into the table: `:authority`, `:path`, `user-agent`.
    for (name, value) in [(0x41, NAME), (0x44, "/status"), (0x7a, "bench/1.0 (load)")] {
        first.push(name);
        first.push(u8::try_from(value.len()).unwrap_or(0));
        first.extend_from_slice(value.as_bytes());
    }
    (first, vec![0x82, 0x87, 0x80 | 64, 0x80 | 63, 0x80 | 62])
}

fn frame(output: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    output.extend_from_slice(length.get(1..).unwrap_or_default());
    output.extend_from_slice(&[kind, flags]);
    output.extend_from_slice(&stream.to_be_bytes());
    output.extend_from_slice(payload);
}

fn whole_frame(input: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (head, rest) = input.split_at_checked(9)?;
    let [high, middle, low, kind, flags, ..] = head else { return None };
    let length = (usize::from(*high) << 16) | (usize::from(*middle) << 8) | usize::from(*low);
    Some((*kind, *flags, rest.get(..length)?))
}
