//! The upstream of every server: as light as it can be, one thread.
//!
//! `/bytes/N` answers with N bytes, `/sink` swallows a body, an upgrade echoes WebSocket frames, everything else is a
//! small JSON answer.

use crate::Outcome;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SMALL: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 128\r\n\r\n";
const CHUNK: usize = 64 * 1024;
/// RFC 6455 §1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Serves until it is killed.
pub async fn main(listen: SocketAddr) -> Outcome<()> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    let listener: TcpListener = socket.listen(4096)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            // A peer that goes away is no news.
            let _ = serve(stream).await;
        });
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let small = format!("{SMALL}{:<128}", "{\"status\":\"ok\"}");
    let mut input = Vec::with_capacity(4096);
    loop {
        let end = loop {
            if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        };
        let head: Vec<u8> = input.drain(..end).collect();
        if let Some(key) = header(&head, b"sec-websocket-key") {
            return echo(stream, key, input).await;
        }
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if let Some(count) = path.strip_prefix(b"/bytes/") {
            give(&mut stream, number(count)).await?;
        } else if path == b"/sink" {
            let length = header(&head, b"content-length").map_or(0, number);
            swallow(&mut stream, &mut input, length).await?;
            stream.write_all(small.as_bytes()).await?;
        } else {
            stream.write_all(small.as_bytes()).await?;
        }
    }
}

async fn give(stream: &mut TcpStream, length: u64) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").as_bytes()).await?;
    let chunk = vec![b'x'; CHUNK];
    let mut left = length;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        stream.write_all(chunk.get(..count).unwrap_or_default()).await?;
        left -= count as u64;
    }
    Ok(())
}

async fn swallow(stream: &mut TcpStream, input: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let mut left = length;
    let mut chunk = vec![0; CHUNK];
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
    input.drain(..here);
    left -= here as u64;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let count = stream.read(chunk.get_mut(..most).unwrap_or_default()).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left -= count as u64;
    }
    Ok(())
}

/// Answers every frame with the same payload, unmasked. The load masks with zeros, so nothing needs to be undone.
async fn echo(mut stream: TcpStream, key: &[u8], mut input: Vec<u8>) -> io::Result<()> {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(ACCEPT_SUFFIX);
    let accept = STANDARD.encode(context.finish());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        let mut done = 0;
        while let Some((header, end)) = frame(input.get(done..).unwrap_or_default()) {
            let frame = input.get(done..done + end).unwrap_or_default();
            answer.extend_from_slice(frame.get(..1).unwrap_or_default());
            // The length without the mask bit, then the payload without the mask.
            answer.extend(frame.get(1).map(|byte| byte & 0x7f));
            answer.extend_from_slice(frame.get(2..header - 4).unwrap_or_default());
            answer.extend_from_slice(frame.get(header..).unwrap_or_default());
            done += end;
        }
        if done > 0 {
            input.drain(..done);
            stream.write_all(&answer).await?;
            answer.clear();
            if input.is_empty() {
                // Nothing to keep while idle.
                input.shrink_to(256);
                answer.shrink_to(256);
            }
        }
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
    }
}

/// A complete masked frame at the start: the length of its header, and of all of it.
fn frame(input: &[u8]) -> Option<(usize, usize)> {
    let extended = |range: std::ops::Range<usize>| {
        input.get(range).map(|bytes| bytes.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)))
    };
    let (header, payload) = match input.get(1)? & 0x7f {
        126 => (8, extended(2..4)?),
        127 => (14, extended(2..10)?),
        short => (6, usize::from(short)),
    };
    (input.len() >= header + payload).then_some((header, header + payload))
}

fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (key, value) = line.split_at(colon);
        key.eq_ignore_ascii_case(name).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

fn number(text: &[u8]) -> u64 {
    text.iter().filter(|byte| byte.is_ascii_digit()).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}
