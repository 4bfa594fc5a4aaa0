//! Counting who is connected: in total and per client.

use crate::settings::Limits;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Descriptors that are not for clients: log, listeners, idle gateway connections, whatever else the process does.
const RESERVED: usize = 128;
/// A client's connection takes one descriptor and the gateway's side of it another.
const PER_CONNECTION: usize = 2;

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Everybody together holds too many.
    Total,
    /// This client holds too many.
    Client,
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
}

#[derive(Debug, Default, Clone, Copy)]
struct Client {
    connections: usize,
    handshakes: usize,
}

impl Admission {
    /// Lets a connection from `peer` in, with its handshake still to do.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr, limits: &Limits) -> Result<Permit, Refused> {
        let client = client_key(peer);
        let total = match self.room.load(Ordering::Relaxed) {
            0 => limits.connections,
            room => limits.connections.min(room),
        };
        let mut counts = self.counts();
        if counts.connections >= total || counts.handshakes >= limits.handshakes {
            return Err(Refused::Total);
        }
        if let Some(key) = client {
            let held = counts.clients.get(&key).copied().unwrap_or_default();
            if held.connections >= limits.connections_per_client
                || held.handshakes >= limits.handshakes_per_client
            {
                return Err(Refused::Client);
            }
            let held = counts.clients.entry(key).or_default();
            held.connections += 1;
            held.handshakes += 1;
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

    /// Connections open now.
    pub(crate) fn connections(&self) -> usize {
        self.counts().connections
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
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
            if held.connections == 0 {
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
fn client_key(peer: IpAddr) -> Option<IpAddr> {
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

    #[test]
    fn a_process_without_descriptors_left_takes_no_more_connections() {
        let admission = Arc::new(Admission::default());
        admission.room.store(1, Ordering::Relaxed);
        let local = IpAddr::from([127, 0, 0, 1]);
        let _held = admission.admit(local, &Limits::default()).unwrap();
        assert_eq!(admission.admit(local, &Limits::default()).unwrap_err(), Refused::Total);
    }
}
