//! Counting who is connected, in total and per client, and how fast they come.

use crate::rate::{self, Rate};
use crate::settings::Limits;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Descriptors that are not for clients: log, listeners, idle gateway connections, whatever else the process does.
const RESERVED: usize = 128;
/// A client's connection takes one descriptor and the gateway's side of it another.
const PER_CONNECTION: usize = 2;
/// Clients of which something is kept before the first look for those that may be forgotten.
const FORGET_FROM: usize = 1024;

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Everybody together holds too many.
    Total,
    /// This client holds too many.
    Client,
    /// This client comes too often.
    Rate,
}

/// The counts. Loopback peers count in the total only: a tunnel on this machine carries many clients.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    counts: Mutex<Counts>,
    /// Connections for which there are descriptors; 0 = not measured yet.
    room: AtomicUsize,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    handshakes: usize,
    clients: HashMap<IpAddr, Client>,
    forget_at: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Client {
    due: Option<Instant>,
    connections: usize,
    handshakes: usize,
}

impl Admission {
    /// Lets a connection from `peer` in, with its handshake still to do. `None` stands for this machine and for proxies,
    /// behind which are many clients: they count in the total only.
    pub(crate) fn admit(
        self: &Arc<Self>,
        peer: impl Into<Option<IpAddr>>,
        limits: &Limits,
    ) -> Result<Permit, Refused> {
        let client = peer.into().and_then(client_key);
        let total = limits.connections.min(self.room());
        let mut counts = self.counts();
        if counts.connections >= total || counts.handshakes >= limits.handshakes {
            return Err(Refused::Total);
        }
        if let Some(key) = client {
            let now = Instant::now();
            counts.forget(now);
            let mut held = counts.clients.get(&key).copied().unwrap_or_default();
            if held.connections >= limits.connections_per_client
                || held.handshakes >= limits.handshakes_per_client
            {
                return Err(Refused::Client);
            }
            Rate { per_second: limits.connection_rate, burst: limits.connection_burst }
                .take(&mut held.due, now)
                .map_err(|_| Refused::Rate)?;
            held.connections += 1;
            held.handshakes += 1;
            counts.clients.insert(key, held);
        }
        counts.connections += 1;
        counts.handshakes += 1;
        Ok(Permit { admission: Arc::clone(self), client, shaking: true })
    }

    /// Looks at the descriptor limit of the process, so that established connections never lack one.
    pub(crate) fn measure(&self) {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        self.room.store(room_for(limit), Ordering::Relaxed);
    }

    /// Connections to the gateway for which there are descriptors.
    pub(crate) fn room(&self) -> usize {
        match self.room.load(Ordering::Relaxed) {
            0 => usize::MAX,
            room => room,
        }
    }

    /// Connections open now.
    pub(crate) fn connections(&self) -> usize {
        self.counts().connections
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Looks for clients to forget, each time their number has doubled.
    fn forget(&mut self, now: Instant) {
        if self.clients.len() >= self.forget_at.max(FORGET_FROM) {
            self.clients.retain(|_, held| held.connections > 0 || !rate::is_over(held.due, now));
            self.forget_at = self.clients.len() * 2;
        }
    }
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    client: Option<IpAddr>,
    shaking: bool,
}

impl Permit {
    /// The handshake is over: its place is free for the next one.
    pub(crate) fn handshake_done(&mut self) {
        if std::mem::take(&mut self.shaking) {
            let mut counts = self.admission.counts();
            counts.handshakes -= 1;
            if let Some(held) = self.client.and_then(|key| counts.clients.get_mut(&key)) {
                held.handshakes -= 1;
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.handshake_done();
        let mut counts = self.admission.counts();
        counts.connections -= 1;
        let Some(key) = self.client else { return };
        if let Some(held) = counts.clients.get_mut(&key) {
            held.connections -= 1;
            if held.connections == 0 && rate::is_over(held.due, Instant::now()) {
                counts.clients.remove(&key);
            }
        }
    }
}

/// Connections that fit into so many descriptors; at least one.
fn room_for(descriptors: usize) -> usize {
    let reserved = RESERVED.min(descriptors / 2);
    (descriptors.saturating_sub(reserved) / PER_CONNECTION).max(1)
}

/// What counts as one client: an IPv4 address, an IPv6 /64. `None` for loopback.
pub(crate) fn client_key(peer: IpAddr) -> Option<IpAddr> {
    match peer.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(IpAddr::V4(address)),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            Some(IpAddr::V6(Ipv6Addr::from(network)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_never_more_room_than_descriptors() {
        assert_eq!(room_for(256), 64);
        assert_eq!(room_for(1024), 448);
        assert_eq!(room_for(65_536), 32_704);
        assert_eq!(room_for(0), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_comes_too_often_is_turned_away_for_a_while() {
        let admission = Arc::new(Admission::default());
        let limits = Limits { connection_rate: 2, connection_burst: 3, ..Limits::default() };
        let stranger = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..3 {
            drop(admission.admit(stranger, &limits).unwrap());
        }
        assert_eq!(admission.admit(stranger, &limits).unwrap_err(), Refused::Rate);
        drop(admission.admit(IpAddr::from([192, 0, 2, 2]), &limits).unwrap());
        for _ in 0..10 {
            drop(admission.admit(IpAddr::from([127, 0, 0, 1]), &limits).unwrap());
        }
        tokio::time::advance(std::time::Duration::from_millis(500)).await;
        drop(admission.admit(stranger, &limits).unwrap());
        assert_eq!(admission.admit(stranger, &limits).unwrap_err(), Refused::Rate);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_come_and_go_are_forgotten() {
        let admission = Arc::new(Admission::default());
        let limits = Limits::default();
        for number in 0..FORGET_FROM as u32 {
            let address = IpAddr::from(std::net::Ipv4Addr::from(number | 0x0a00_0000));
            drop(admission.admit(address, &limits).unwrap());
        }
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let _held = admission.admit(IpAddr::from([192, 0, 2, 1]), &limits).unwrap();
        assert_eq!(admission.counts().clients.len(), 1);
    }

    #[test]
    fn a_process_without_descriptors_left_takes_no_more_connections() {
        let admission = Arc::new(Admission::default());
        admission.room.store(1, Ordering::Relaxed);
        let local = IpAddr::from([127, 0, 0, 1]);
        let _held = admission.admit(local, &Limits::default()).unwrap();
        assert_eq!(admission.admit(local, &Limits::default()).unwrap_err(), Refused::Total);
    }
}
