//! A gateway of raw TCP: it records heads as they came, byte for byte, and answers as told.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

/// One connection of the edge.
pub(crate) struct Call {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// A gateway on a free port whose connections are handled like this.
    pub(crate) async fn start<F, R>(handler: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::at("127.0.0.1:0".parse().unwrap(), handler).await
    }

    /// The same at this address.
    pub(crate) async fn at<F, R>(address: SocketAddr, handler: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (kept, counted) = (heads.clone(), connections.clone());
        let accepting = tokio::spawn(async move {
            let mut calls = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A head and its body go as two writes: without this the second waits 40 ms for an acknowledgement.
                stream.set_nodelay(true).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                calls.spawn(handler(Call { stream, buffer: Vec::new(), heads: kept.clone() }));
            }
        });
        Self { address, heads, connections, accepting: accepting.abort_handle() }
    }

    /// A gateway that answers everything with 200 and the request's body.
    pub(crate) async fn echo() -> Self {
        Self::start(Call::echo).await
    }

    /// The heads of all requests so far, health probes excepted.
    pub(crate) fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().filter(|head| !is_probe(head)).cloned().collect()
    }

    /// Connections that were accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Stops listening and cuts all connections, like a process that dies.
    pub(crate) async fn stop(self) {
        self.accepting.abort();
        super::until(|| self.accepting.is_finished()).await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Call {
    /// Reads one head; `None` at the end of the connection.
    pub(crate) async fn head(&mut self) -> Option<String> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if self.fill().await == 0 {
                return None;
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        self.heads.lock().unwrap().push(head.clone());
        Some(head)
    }

    /// Reads the body that belongs to a head.
    pub(crate) async fn body(&mut self, head: &str) -> Vec<u8> {
        if let Some(length) = header(head, "content-length") {
            let length: usize = length.parse().unwrap();
            return self.take(length).await;
        }
        let mut body = Vec::new();
        if header(head, "transfer-encoding").as_deref() == Some("chunked") {
            loop {
                let size = usize::from_str_radix(self.line().await.split(';').next().unwrap(), 16).unwrap();
                if size == 0 {
                    while !self.line().await.is_empty() {}
                    break;
                }
                body.extend(self.take(size).await);
                self.line().await;
            }
        }
        body
    }

    /// Bytes behind the head, of which this many are needed.
    pub(crate) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert_ne!(self.fill().await, 0, "the edge broke the connection");
        }
        self.buffer.drain(..length).collect()
    }

    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return String::from_utf8(line[..end].to_vec()).unwrap();
            }
            assert_ne!(self.fill().await, 0, "the edge broke the connection");
        }
    }

    async fn fill(&mut self) -> usize {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0)
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// 200 with this body.
    pub(crate) async fn ok(&mut self, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        self.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())).await;
        self.write(body).await;
    }

    /// Answers every request with 200 and its own body.
    pub(crate) async fn echo(mut self) {
        while let Some(head) = self.head().await {
            let body = self.body(&head).await;
            if head.starts_with("HEAD ") {
                self.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
            } else {
                self.ok(body).await;
            }
        }
    }

    /// Accepts the WebSocket handshake of this head.
    pub(crate) async fn accept(&mut self, head: &str) {
        let key = header(head, "sec-websocket-key").unwrap();
        let accept = super::client::accept(&key);
        self.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ))
        .await;
    }

    /// What was read ahead.
    pub(crate) fn early(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Everything until the edge ends its direction, what was read ahead included.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await > 0 {}
        std::mem::take(&mut self.buffer)
    }

    /// Answers a health probe; says the head of anything else.
    pub(crate) async fn head_or_health(&mut self) -> Option<String> {
        loop {
            let head = self.head().await?;
            if !is_probe(&head) {
                return Some(head);
            }
            self.ok("{}").await;
        }
    }
}

/// Whether the edge asks how the gateway is.
pub(crate) fn is_probe(head: &str) -> bool {
    head.starts_with("GET /healthz ") || head.starts_with("GET /startupz ")
}

/// All values of a header, in order.
pub(crate) fn headers(head: &str, name: &str) -> Vec<String> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// The only value of a header.
pub(crate) fn header(head: &str, name: &str) -> Option<String> {
    let mut values = headers(head, name);
    assert!(values.len() < 2, "{name} stands twice in {head}");
    values.pop()
}
