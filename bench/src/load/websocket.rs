//! WebSockets with raw frames.

use super::http1::head_end;
use super::{Stream, Target};
use crate::Outcome;
use crate::tls::NAME;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An open WebSocket over TLS and HTTP/1.1.
#[derive(Debug)]
pub struct Socket {
    stream: Stream,
    input: Vec<u8>,
}

/// A message, framed by a client.
#[derive(Debug)]
pub struct Message {
    frame: Vec<u8>,
    /// The length of its echo, which has no mask.
    echo: usize,
}

/// A binary message of this size.
pub fn message(size: usize) -> Message {
    let mut frame = vec![0x82];
    match (u8::try_from(size), u16::try_from(size)) {
        (Ok(short), _) if short < 126 => frame.push(0x80 | short),
        (_, Ok(medium)) => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    let echo = frame.len() + size;
    frame.extend_from_slice(&[0; 4]);
    frame.resize(frame.len() + size, b'x');
    Message { frame, echo }
}

impl Socket {
    /// The handshake.
    pub async fn open(target: &Target) -> Outcome<Self> {
        let mut stream = target.connect().await?;
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {NAME}\r\nUser-Agent: bench/1.0 (load)\r\nOrigin: https://{NAME}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut input = Vec::new();
        let end = loop {
            if let Some(end) = head_end(&input) {
                break end;
            }
            if stream.read_buf(&mut input).await? == 0 {
                return Err("the connection ended".into());
            }
        };
        if !input.starts_with(b"HTTP/1.1 101") {
            return Err("no 101".into());
        }
        input.drain(..end);
        Ok(Self { stream, input })
    }

    /// Sends a message and waits for all of its echo.
    pub async fn echo(&mut self, message: &Message) -> Outcome<()> {
        self.stream.write_all(&message.frame).await?;
        self.stream.flush().await?;
        while self.input.len() < message.echo {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err("the connection ended".into());
            }
        }
        self.input.clear();
        Ok(())
    }

    /// A small message there and back: whether the WebSocket is alive.
    pub async fn is_alive(&mut self) -> bool {
        self.echo(&message(64)).await.is_ok()
    }
}
