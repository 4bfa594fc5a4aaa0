//! One line of JSON for every request, and the thread that writes them.
//!
//! [`AccessLog::record`] never blocks: when the disk cannot keep up, lines are dropped and counted. A full or vanished
//! disk stops nothing: lines are counted as lost, the file is tried again every few seconds, and no half line stays
//! behind. A line holds no query, no header value and no body.

mod line;
mod writer;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use http::{Method, StatusCode};
use time::OffsetDateTime;

use crate::error::EdgeError;
use crate::request_id::RequestId;
use crate::settings::LogOptions;

pub use line::{HOST_MAX, PATH_MAX, printable};

/// Lines that may wait for the writer.
const QUEUE: usize = 8192;

/// How long a disk that refused is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// Who made a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answerer {
    /// The edge itself.
    Edge,
    /// The gateway.
    Gateway,
}

/// What the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The protocol of an HTTP version.
    #[must_use]
    pub fn of(version: http::Version) -> Self {
        match version {
            http::Version::HTTP_2 => Self::Http2,
            http::Version::HTTP_10 => Self::Http10,
            _ => Self::Http11,
        }
    }

    /// As it is written: `HTTP/1.0`, `HTTP/1.1`, `HTTP/2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// What was agreed in the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TlsFacts {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// Name of the cipher suite.
    pub cipher: &'static str,
}

/// Who ended a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closer {
    /// The client, or the network between it and the edge.
    Client,
    /// The gateway.
    Gateway,
    /// The edge.
    Edge,
}

impl Closer {
    /// `client`, `gateway` or `edge`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Edge => "edge",
        }
    }
}

/// How a WebSocket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketEnd {
    /// The close code that was sent first; `None` = it ended without one.
    pub close_code: Option<u16>,
    /// The reason that came with it. Never written to disk.
    pub close_reason: Option<Box<str>>,
    /// Who ended it.
    pub closed_by: Closer,
    /// How long it lived.
    pub duration: Duration,
}

/// One request that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRecord {
    /// When it ended.
    pub time: OffsetDateTime,
    /// Its id.
    pub id: RequestId,
    /// The client, as attributed; before attribution, the peer.
    pub client: IpAddr,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The method.
    pub method: Method,
    /// Host with its port as asked for, through [`printable`].
    pub host: Box<str>,
    /// The path without its query, through [`printable`].
    pub path: Box<str>,
    /// The status.
    pub status: StatusCode,
    /// Who answered.
    pub answered_by: Answerer,
    /// Why the edge answered, where it did; also what broke an answer of the gateway halfway.
    pub error: Option<EdgeError>,
    /// Bytes of body, or of the tunnel, from the client.
    pub bytes_in: u64,
    /// Bytes of body, or of the tunnel, to the client.
    pub bytes_out: u64,
    /// From the end of the request's head to the end of the response.
    pub duration: Duration,
    /// What the client speaks.
    pub protocol: Protocol,
    /// TLS facts; `None` where there was no TLS.
    pub tls: Option<TlsFacts>,
    /// What the client is called by the certificate that it proved, through [`printable`].
    pub client_certificate: Option<Arc<str>>,
    /// For WebSockets that were opened.
    pub websocket: Option<WebSocketEnd>,
    /// The browser's origin. Never written to disk.
    pub origin: Option<Box<str>>,
    /// The client's User-Agent. Never written to disk.
    pub user_agent: Option<Box<str>>,
}

/// What became of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogCounters {
    /// Lines on disk.
    pub written: u64,
    /// Lines dropped because too many were waiting.
    pub dropped: u64,
    /// Lines lost because the disk refused them.
    pub failed: u64,
    /// Whether the last write failed (a full disk, a folder that is gone).
    pub failing: bool,
}

/// The log. Dropping it writes what is waiting and ends its thread; the caller waits for that.
#[derive(Debug)]
pub struct AccessLog {
    sender: Option<SyncSender<Arc<AccessRecord>>>,
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    failing: AtomicBool,
}

impl AccessLog {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    /// When the folder or the live file cannot be made: at the start that is worth telling; later it is not fatal.
    pub fn start(options: LogOptions) -> io::Result<Self> {
        Self::start_with(options, RETRY)
    }

    fn start_with(options: LogOptions, retry: Duration) -> io::Result<Self> {
        let counts = Arc::new(Counts::default());
        let writer = writer::Writer::open(options, Arc::clone(&counts), retry)?;
        let (sender, receiver) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("gatehouse-log".to_owned())
            .spawn(move || writer.run(&receiver))?;
        Ok(Self { sender: Some(sender), counts, thread: Some(thread) })
    }

    /// Hands a record to the writer. Never blocks.
    pub fn record(&self, record: Arc<AccessRecord>) {
        let sent = self.sender.as_ref().map(|sender| sender.try_send(record));
        match sent {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What became of the lines so far.
    #[must_use]
    pub fn counters(&self) -> LogCounters {
        LogCounters {
            written: self.counts.written.load(Ordering::Relaxed),
            dropped: self.counts.dropped.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
            failing: self.counts.failing.load(Ordering::Relaxed),
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        drop(self.sender.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
