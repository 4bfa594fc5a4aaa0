//! Idle gateway connections, newest first.

use super::Sender;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The gateway closes an idle connection after 5 s; below that nobody races it.
const MAX_IDLE: Duration = Duration::from_secs(4);
/// Idle connections kept.
const MAX_KEPT: usize = 64;

/// The idle connections, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    gateway: SocketAddr,
    read: Arc<AtomicU64>,
    since: Instant,
}

impl Pool {
    /// The newest idle connection to this gateway that can take a request.
    pub(crate) fn take(pool: &Arc<Self>, gateway: SocketAddr) -> Option<Lease> {
        let mut idle = pool.idle();
        prune(&mut idle);
        let newest = idle.iter().rposition(|one| one.gateway == gateway && one.sender.is_ready())?;
        let Idle { sender, gateway, read, .. } = idle.remove(newest);
        Some(Lease { pool: Arc::clone(pool), gateway, sender, read, reused: true })
    }

    /// Forgets all idle connections.
    pub(crate) fn clear(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prune(idle: &mut Vec<Idle>) {
    let now = Instant::now();
    idle.retain(|one| now.duration_since(one.since) < MAX_IDLE && !one.sender.is_closed());
    let surplus = idle.len().saturating_sub(MAX_KEPT);
    idle.drain(..surplus);
}

/// A connection in use. Dropped, it is closed; only [`Lease::give_back`] keeps it.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    gateway: SocketAddr,
    pub(super) sender: Sender,
    read: Arc<AtomicU64>,
    /// Whether it has carried a request before.
    pub(super) reused: bool,
}

impl Lease {
    /// A new connection.
    pub(super) fn new(pool: Arc<Pool>, gateway: SocketAddr, sender: Sender, read: Arc<AtomicU64>) -> Self {
        Self { pool, gateway, sender, read, reused: false }
    }

    /// Bytes read from it so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Acquire)
    }

    /// Its answer arrived completely: the next request may use it.
    pub(crate) fn give_back(self) {
        let Self { pool, gateway, sender, read, .. } = self;
        if sender.is_closed() {
            return;
        }
        let mut idle = pool.idle();
        idle.push(Idle { sender, gateway, read, since: Instant::now() });
        prune(&mut idle);
    }
}
