//! Requests that wait for a gateway that restarts.
//!
//! Guarantees: whoever waits, one prober at a time asks whether the gateway is back (it accepts a connection and
//! answers `GET` on the health path with 200); all waiters wake together; no more than `queue` requests wait; nobody
//! waits longer than its limit. While an outage is known nobody else knocks at the closed door.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// First and longest pause between two probes.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));
/// How long one probe may take.
const PROBE: Duration = Duration::from_secs(2);
/// After this long without anybody waiting the outage is forgotten: the next request finds out for itself.
const FORGET: Duration = Duration::from_secs(30);

/// Why a request waits no longer although the gateway is not back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GaveUp {
    /// The queue was full at once.
    QueueFull,
    /// The time was over.
    TimeOver,
}

/// The state that all requests share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hold {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: AtomicUsize,
    /// The running prober: the address it watches, and the channel that closes when the outage is over.
    outage: Mutex<Option<(SocketAddr, watch::Receiver<()>)>>,
}

impl Hold {
    /// Whether the gateway at this address is known to be away.
    pub(crate) fn is_out(&self, gateway: SocketAddr) -> bool {
        let outage = self.inner.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.as_ref().is_some_and(|(address, over)| *address == gateway && over.has_changed().is_ok())
    }

    /// Says that the gateway refused a connection: from now on [`Hold::is_out`], until a probe succeeds.
    pub(crate) fn report(&self, gateway: SocketAddr, health_path: &str) {
        _ = self.outage(gateway, health_path);
    }

    /// Waits until the gateway is back, for at most `limit`, with at most `queue` others.
    pub(crate) async fn wait(
        &self,
        gateway: SocketAddr,
        health_path: &str,
        limit: Duration,
        queue: usize,
    ) -> Result<(), GaveUp> {
        let deadline = Instant::now() + limit;
        let Some(_place) = self.place(queue) else { return Err(GaveUp::QueueFull) };
        let mut over = self.outage(gateway, health_path);
        // The prober drops its end when the gateway is back: nothing is ever sent.
        match timeout_at(deadline, over.changed()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(GaveUp::TimeOver),
        }
    }

    fn place(&self, queue: usize) -> Option<Place> {
        let inner = Arc::clone(&self.inner);
        let taken = inner.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |waiting| {
            (waiting < queue).then_some(waiting + 1)
        });
        taken.is_ok().then_some(Place(inner))
    }

    /// Joins the outage, or begins one with its prober.
    fn outage(&self, gateway: SocketAddr, health_path: &str) -> watch::Receiver<()> {
        let mut outage = self.inner.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((address, over)) = outage.as_ref()
            && *address == gateway
            && over.has_changed().is_ok()
        {
            return over.clone();
        }
        let (back, over) = watch::channel(());
        *outage = Some((gateway, over.clone()));
        let inner = Arc::clone(&self.inner);
        let path = health_path.to_owned();
        tokio::spawn(async move {
            tracing::warn!(%gateway, "the gateway refuses connections");
            probe_until_back(&inner, gateway, &path).await;
            drop(back);
        });
        over
    }
}

/// A place in the queue.
struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn probe_until_back(inner: &Inner, gateway: SocketAddr, path: &str) {
    let mut pause = PAUSE.0;
    let mut wanted = Instant::now();
    loop {
        if timeout(PROBE, probe(gateway, path)).await.unwrap_or(false) {
            tracing::info!(%gateway, "the gateway is back");
            return;
        }
        let now = Instant::now();
        if inner.waiting.load(Ordering::Acquire) > 0 {
            wanted = now;
        } else if now.duration_since(wanted) > FORGET {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Whether the gateway accepts a connection and calls itself healthy.
async fn probe(gateway: SocketAddr, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(gateway).await else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {gateway}\r\nConnection: close\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut status = [0; 12];
    let read = stream.read_exact(&mut status).await;
    read.is_ok() && (status.starts_with(b"HTTP/1.1 200") || status.starts_with(b"HTTP/1.0 200"))
}

#[cfg(test)]
mod tests;
