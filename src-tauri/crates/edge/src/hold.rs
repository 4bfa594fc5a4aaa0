//! Requests that wait for a gateway that restarts.
//!
//! Guarantees: whoever waits, one prober at a time asks whether the gateway is back; a request waits until it is live (it
//! accepts a connection and answers `GET` on the health path with 200), a WebSocket until it is ready (the ready path
//! is not answered with a 5xx any more: for about a second a gateway that starts takes WebSockets only to close them
//! again); all waiters of one kind wake together; no more than `queue` requests wait; nobody waits longer than its
//! limit. While an outage is known nobody else knocks at the closed door.

use crate::settings::EdgeSettings;
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

/// How far back a gateway is, and how far a request needs it to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It refuses connections, or does not answer.
    Down,
    /// It answers requests.
    Live,
    /// It takes WebSockets, too.
    Ready,
}

/// The state that all requests share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hold {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: AtomicUsize,
    outage: Mutex<Option<Outage>>,
}

/// A gateway that was away. It is over at [`Stage::Ready`], and so is its prober.
#[derive(Debug, Clone)]
struct Outage {
    gateway: SocketAddr,
    stage: Arc<watch::Sender<Stage>>,
}

impl Hold {
    /// Whether the gateway at this address is known to be away, for what needs it to be `needed`.
    pub(crate) fn is_out(&self, gateway: SocketAddr, needed: Stage) -> bool {
        let outage = self.inner.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.as_ref().is_some_and(|outage| outage.gateway == gateway && *outage.stage.borrow() < needed)
    }

    /// Requests that wait now.
    pub(crate) fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Acquire)
    }

    /// Says that the gateway refused a connection: from now on [`Hold::is_out`], until a probe succeeds.
    pub(crate) fn report(&self, settings: &EdgeSettings) {
        let outage = self.outage(settings, Stage::Down);
        outage.stage.send_if_modified(|stage| std::mem::replace(stage, Stage::Down) != Stage::Down);
    }

    /// Says that the gateway may be restarting, as its WebSockets ended: WebSockets that begin now wait until a probe
    /// has found it ready.
    pub(crate) fn suspect(&self, settings: &EdgeSettings) {
        _ = self.outage(settings, Stage::Live);
    }

    /// Waits until a gateway that is out is back, for at most `limit`.
    pub(crate) async fn wait(
        &self,
        settings: &EdgeSettings,
        needed: Stage,
        limit: Duration,
    ) -> Result<(), GaveUp> {
        let deadline = Instant::now() + limit;
        let Some(_place) = self.place(settings.limits.hold_queue) else { return Err(GaveUp::QueueFull) };
        let mut stage = self.outage(settings, Stage::Down).stage.subscribe();
        match timeout_at(deadline, stage.wait_for(|stage| *stage >= needed)).await {
            // Its sender only goes away with the outage that another gateway's has replaced.
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

    /// Joins the outage, or begins one at this stage with its prober.
    fn outage(&self, settings: &EdgeSettings, begins: Stage) -> Outage {
        let gateway = settings.upstream;
        let mut outage = self.inner.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outage) = outage.as_ref()
            && outage.gateway == gateway
            && *outage.stage.borrow() < Stage::Ready
        {
            return outage.clone();
        }
        let fresh = Outage { gateway, stage: Arc::new(watch::Sender::new(begins)) };
        *outage = Some(fresh.clone());
        let inner = Arc::clone(&self.inner);
        let paths = (settings.health_path.clone(), settings.ready_path.clone());
        let prober = fresh.clone();
        tokio::spawn(async move {
            if begins == Stage::Down {
                tracing::warn!(%gateway, "the gateway refuses connections");
            }
            probe_until_back(&inner, &prober, &paths.0, &paths.1).await;
            prober.stage.send_replace(Stage::Ready);
        });
        fresh
    }
}

/// A place in the queue.
struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn probe_until_back(inner: &Inner, outage: &Outage, health_path: &str, ready_path: &str) {
    let gateway = outage.gateway;
    let mut pause = PAUSE.0;
    let mut wanted = Instant::now();
    loop {
        let before = *outage.stage.borrow();
        let found = timeout(PROBE, probe(gateway, health_path, ready_path)).await.unwrap_or(Stage::Down);
        if found == Stage::Ready {
            tracing::info!(%gateway, "the gateway is back");
            return;
        }
        if found != before {
            outage.stage.send_replace(found);
            pause = PAUSE.0;
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

/// How far back the gateway is.
async fn probe(gateway: SocketAddr, health_path: &str, ready_path: &str) -> Stage {
    match ask(gateway, health_path).await {
        Some(200) => {}
        _ => return Stage::Down,
    }
    match ask(gateway, ready_path).await {
        Some(status) if status < 500 => Stage::Ready,
        _ => Stage::Live,
    }
}

/// The status with which the gateway answers a `GET`.
async fn ask(gateway: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(gateway).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {gateway}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.ok()?;
    let status = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    std::str::from_utf8(status).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
