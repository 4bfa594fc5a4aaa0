//! The load: closed loops over few, cheap connections, so that the server is what is measured.
//!
//! Requests and frames are bytes made once; answers are parsed no further than their ends. Masks are zero (RFC 6455
//! asks clients to mask, any key will do), which spares the load and the upstream a pass over every payload.

mod bulk;
mod http1;
mod http2;
mod websocket;

use crate::Outcome;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use bulk::weigh;
pub use http1::{once, statuses};
pub use websocket::{Message, Socket, message};

/// A connection to a server.
pub type Stream = TlsStream<TcpStream>;

/// Where the load goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// The name in SNI; it decides which certificate is used.
    pub name: ServerName<'static>,
    /// Key exchange and protocol.
    pub config: Arc<ClientConfig>,
}

impl Target {
    /// One handshake.
    pub async fn connect(&self) -> Outcome<Stream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        Ok(connector.connect(self.name.clone(), stream).await?)
    }
}

/// What one loop does again and again, and what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Keep-alive requests on HTTP/1.1.
    Http1,
    /// Keep-alive requests on HTTP/2, this many streams at once.
    Http2(usize),
    /// Full handshakes, each on a connection of its own.
    Handshake,
    /// WebSocket messages of this size, each sent when the echo of the last one is complete.
    Echo(usize),
    /// Bytes of a large answer.
    Download,
    /// Bytes of a large request.
    Upload,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Tally {
    units: AtomicU64,
    failures: AtomicU64,
}

impl Tally {
    fn add(&self, units: u64) {
        self.units.fetch_add(units, Ordering::Relaxed);
    }

    /// Units so far.
    pub fn units(&self) -> u64 {
        self.units.load(Ordering::Relaxed)
    }

    /// Loops that had to begin again.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// Loops that run until this value is dropped.
pub struct Load {
    tasks: JoinSet<()>,
    tally: Arc<Tally>,
}

impl Load {
    /// Starts this many loops.
    pub fn start(work: Work, target: &Target, loops: usize) -> Self {
        let tally = Arc::new(Tally::default());
        let mut tasks = JoinSet::new();
        for _ in 0..loops {
            let (target, tally) = (target.clone(), Arc::clone(&tally));
            tasks.spawn(async move {
                while once_more(work, &target, &tally).await.is_err() {
                    tally.failures.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        Self { tasks, tally }
    }

    /// What was done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Ends all loops.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn once_more(work: Work, target: &Target, tally: &Tally) -> Outcome<()> {
    match work {
        Work::Http1 => http1::run(target, tally).await,
        Work::Http2(streams) => http2::run(target, streams, tally).await,
        Work::Handshake => handshakes(target, tally).await,
        Work::Echo(size) => {
            let mut socket = Socket::open(target).await?;
            let message = message(size);
            loop {
                socket.echo(&message).await?;
                tally.add(1);
            }
        }
        Work::Download => bulk::download(target, tally).await,
        Work::Upload => bulk::upload(target, tally).await,
    }
}

async fn handshakes(target: &Target, tally: &Tally) -> Outcome<()> {
    let mut rest = Vec::new();
    loop {
        let mut stream = target.connect().await?;
        // Wait for the server's end: it has processed our Finished by then. The reset keeps ports from lingering.
        stream.get_ref().0.set_zero_linger()?;
        stream.write_all(&[]).await?;
        stream.shutdown().await?;
        rest.clear();
        let _ = stream.read_to_end(&mut rest).await;
        tally.add(1);
    }
}
