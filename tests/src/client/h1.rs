//! HTTP/1.1 by hand: what is written is what was given, so that doubled and misspelt fields arrive as they are.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Answer, Io, joined};

/// One connection that carries requests written by hand.
pub struct Line {
    stream: Box<dyn Io>,
    read: Vec<u8>,
}

impl Line {
    /// A line over any stream.
    pub fn over(stream: impl Io + 'static) -> Self {
        Self { stream: Box::new(stream), read: Vec::new() }
    }

    /// Sends a GET and reads the answer.
    pub async fn get(&mut self, host: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        self.send(&request).await;
        self.answer().await.expect("the request is answered")
    }

    /// Writes bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.expect("the request can be written");
        self.stream.flush().await.expect("the request can be sent");
    }

    /// Reads one answer; `None` where the connection ends without one.
    pub async fn answer(&mut self) -> Option<Answer> {
        let head = self.head().await?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers =
            joined(lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())));
        let field = |name: &str| headers.get(name).map_or("", String::as_str);
        let body = if status == 101 || status == 204 || status == 304 {
            Vec::new()
        } else if field("transfer-encoding").eq_ignore_ascii_case("chunked") {
            self.chunks().await?
        } else if let Ok(length) = field("content-length").parse() {
            self.exactly(length).await?
        } else {
            self.rest().await
        };
        Some(Answer { status, headers, body: Bytes::from(body) })
    }

    /// The head of an answer, without its body: for answers that never end.
    pub async fn head(&mut self) -> Option<String> {
        let head = self.until(b"\r\n\r\n").await?;
        Some(String::from_utf8_lossy(&head).into_owned())
    }

    /// What comes after the head, as it comes; empty at the end of the stream.
    pub async fn some(&mut self) -> Vec<u8> {
        if self.read.is_empty() {
            self.more().await;
        }
        std::mem::take(&mut self.read)
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = String::from_utf8(self.until(b"\r\n").await?).ok()?;
            let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
            let chunk = self.exactly(size).await?;
            self.exactly(2).await?;
            if size == 0 {
                return Some(body);
            }
            body.extend(chunk);
        }
    }

    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|window| window == mark) {
                let found = self.read.drain(..at).collect();
                self.read.drain(..mark.len());
                return Some(found);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if !self.more().await {
                return None;
            }
        }
        Some(self.read.drain(..length).collect())
    }

    async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) -> bool {
        // On the heap: a future that holds it is moved about a lot.
        let mut buffer = vec![0; 16 * 1024];
        let count = self.stream.read(&mut buffer).await.unwrap_or(0);
        self.read.extend_from_slice(&buffer[..count]);
        count > 0
    }
}
