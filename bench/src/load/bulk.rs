//! Large bodies over HTTP/1.1.

use super::http1::{answer, head_end};
use super::{Stream, Tally, Target};
use crate::Outcome;
use crate::tls::NAME;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// One body. Within the edge's limit, which is the strictest.
const BODY: usize = 128 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;

pub(super) async fn download(target: &Target, tally: &Tally) -> Outcome<()> {
    let mut stream = target.connect().await?;
    let request = format!("GET /bytes/{BODY} HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
    let mut chunk = vec![0; CHUNK];
    loop {
        stream.write_all(request.as_bytes()).await?;
        let mut left = BODY;
        left -= head(&mut stream).await?;
        while left > 0 {
            let count = stream.read(&mut chunk).await?;
            if count == 0 {
                return Err("the connection ended".into());
            }
            left = left.checked_sub(count).ok_or("more than was asked for")?;
            tally.add(count as u64);
        }
    }
}

pub(super) async fn upload(target: &Target, tally: &Tally) -> Outcome<()> {
    let mut stream = target.connect().await?;
    let request = format!("POST /sink HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {BODY}\r\n\r\n");
    let chunk = vec![b'x'; CHUNK];
    let mut input = Vec::new();
    loop {
        stream.write_all(request.as_bytes()).await?;
        for _ in 0..BODY / CHUNK {
            stream.write_all(&chunk).await?;
            tally.add(CHUNK as u64);
        }
        stream.flush().await?;
        if answer(&mut stream, &mut input).await? != 200 {
            return Err("not 200".into());
        }
    }
}

/// Reads a head; says how much of the body came with it.
async fn head(stream: &mut Stream) -> Outcome<usize> {
    let mut input = Vec::with_capacity(CHUNK);
    loop {
        if stream.read_buf(&mut input).await? == 0 {
            return Err("the connection ended".into());
        }
        if let Some(end) = head_end(&input) {
            if !input.starts_with(b"HTTP/1.1 200") {
                return Err("not 200".into());
            }
            return Ok(input.len() - end);
        }
    }
}

/// Downloads one body on a connection of its own; says its bytes as they came and as they were meant.
///
/// # Errors
/// When it does not arrive.
pub async fn weigh(target: &Target) -> Outcome<(u64, u64)> {
    let tcp = TcpStream::connect(target.address).await?;
    let connector = TlsConnector::from(Arc::clone(&target.config));
    let mut stream = connector.connect(target.name.clone(), Weighed { stream: tcp, bytes: 0 }).await?;
    let request = format!("GET /bytes/{BODY} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut chunk = vec![0; CHUNK];
    let mut plain = stream.read(&mut chunk).await? as u64;
    let before = stream.get_ref().0.bytes;
    let first = plain;
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) => break,
            Ok(count) => plain += count as u64,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error.into()),
        }
    }
    if plain < BODY as u64 {
        return Err("the body is cut".into());
    }
    Ok((stream.get_ref().0.bytes - before, plain - first))
}

/// A stream that counts what it reads.
struct Weighed {
    stream: TcpStream,
    bytes: u64,
}

impl AsyncRead for Weighed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.bytes += (buf.filled().len() - before) as u64;
        result
    }
}

impl AsyncWrite for Weighed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
