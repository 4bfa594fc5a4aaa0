//! Who came by: clients and browser origins, as the edge saw them.
//!
//! Fed when a WebSocket opens and ends and when a page was opened, never for each request. Memory is bounded, and one
//! network cannot push all others out: each (IPv4 address, IPv6 /64) has a small share. Nothing is written to disk.

mod agent;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use crate::access_log::AccessRecord;

pub use agent::short_agent;

/// Clients that are remembered.
const CLIENTS: usize = 512;
/// Clients that are remembered of one network.
const CLIENTS_PER_NETWORK: usize = 16;
/// Origins that are remembered.
const ORIGINS: usize = 256;
/// Origins that are remembered of one network.
const ORIGINS_PER_NETWORK: usize = 16;
/// Longest origin that is remembered, in bytes. A DNS name has 253.
const ORIGIN_MAX: usize = 300;

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSighting {
    /// Its address, as attributed.
    pub client: IpAddr,
    /// The host it asked for last, with its port.
    pub host: Box<str>,
    /// `1.2` or `1.3`; `None` where there was no TLS.
    pub tls: Option<&'static str>,
    /// Browser and system in short: `Safari on iPhone`.
    pub user_agent: Option<Box<str>>,
    /// When it was first seen.
    pub first_seen: OffsetDateTime,
    /// When it was last seen.
    pub last_seen: OffsetDateTime,
}

/// An origin that a browser sent with a WebSocket handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginSighting {
    /// As the browser sent it.
    pub origin: Box<str>,
    /// How many handshakes brought it.
    pub count: u64,
    /// Whether the gateway refused it the last time.
    pub refused: bool,
    /// The client that sent it last.
    pub client: IpAddr,
    /// When.
    pub last_seen: OffsetDateTime,
}

/// What is known of a client while its WebSocket is open.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// When.
    pub time: OffsetDateTime,
    /// Its address, as attributed.
    pub client: IpAddr,
    /// The host it asked for.
    pub host: &'a str,
    /// `1.2` or `1.3`.
    pub tls: Option<&'static str>,
    /// Its User-Agent header.
    pub user_agent: Option<&'a str>,
    /// Its Origin header.
    pub origin: Option<&'a str>,
}

impl<'a> Visit<'a> {
    /// The visit that a record is about.
    #[must_use]
    pub fn of(record: &'a AccessRecord) -> Self {
        Self {
            time: record.time,
            client: record.client,
            host: &record.host,
            tls: record.tls.map(|tls| tls.version),
            user_agent: record.user_agent.as_deref(),
            origin: record.origin.as_deref(),
        }
    }
}

/// Devices behind one address differ by what they call themselves.
type Visitor = (IpAddr, Option<Box<str>>);

/// The memory.
#[derive(Debug, Default)]
pub struct Sightings {
    clients: Mutex<HashMap<Visitor, ClientSighting>>,
    origins: Mutex<HashMap<Box<str>, OriginSighting>>,
}

impl Sightings {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A page was opened, or a WebSocket is still there.
    pub fn visited(&self, visit: &Visit<'_>) {
        let agent = visit.user_agent.and_then(short_agent);
        let mut clients = lock(&self.clients);
        let sighting = entry(
            &mut clients,
            (visit.client, agent.clone()),
            |seen| (network(seen.client), seen.last_seen),
            network(visit.client),
            (CLIENTS, CLIENTS_PER_NETWORK),
            || ClientSighting {
                client: visit.client,
                host: visit.host.into(),
                tls: visit.tls,
                user_agent: agent,
                first_seen: visit.time,
                last_seen: visit.time,
            },
        );
        if *sighting.host != *visit.host {
            sighting.host = visit.host.into();
        }
        sighting.tls = visit.tls;
        sighting.last_seen = sighting.last_seen.max(visit.time);
    }

    /// A WebSocket handshake was made: counts its origin.
    pub fn opened(&self, visit: &Visit<'_>) {
        self.visited(visit);
        if let Some(origin) = visit.origin.filter(|origin| origin.len() <= ORIGIN_MAX) {
            let mut origins = lock(&self.origins);
            let sighting = origin_entry(&mut origins, origin, visit);
            sighting.count += 1;
            sighting.refused = false;
            sighting.client = visit.client;
            sighting.last_seen = sighting.last_seen.max(visit.time);
        }
    }

    /// A WebSocket that [`Self::opened`] was told of has ended: notes whether the gateway refused its origin.
    pub fn closed(&self, record: &AccessRecord) {
        let visit = Visit::of(record);
        self.visited(&visit);
        let refused = record
            .websocket
            .as_ref()
            .and_then(|end| end.close_reason.as_deref())
            .is_some_and(|reason| reason.contains("origin not allowed"));
        if let Some(origin) = visit.origin.filter(|origin| refused && origin.len() <= ORIGIN_MAX) {
            let mut origins = lock(&self.origins);
            let sighting = origin_entry(&mut origins, origin, &visit);
            sighting.count = sighting.count.max(1);
            sighting.refused = true;
            sighting.client = visit.client;
            sighting.last_seen = sighting.last_seen.max(visit.time);
        }
    }

    /// Clients, the last seen first.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientSighting> {
        let mut list: Vec<_> = lock(&self.clients).values().cloned().collect();
        list.sort_by(|left, right| right.last_seen.cmp(&left.last_seen).then(left.client.cmp(&right.client)));
        list
    }

    /// Origins, the last seen first.
    #[must_use]
    pub fn origins(&self) -> Vec<OriginSighting> {
        let mut list: Vec<_> = lock(&self.origins).values().cloned().collect();
        list.sort_by(|left, right| right.last_seen.cmp(&left.last_seen).then(left.origin.cmp(&right.origin)));
        list
    }
}

fn origin_entry<'m>(
    origins: &'m mut HashMap<Box<str>, OriginSighting>,
    origin: &str,
    visit: &Visit<'_>,
) -> &'m mut OriginSighting {
    entry(
        origins,
        origin.into(),
        |seen| (network(seen.client), seen.last_seen),
        network(visit.client),
        (ORIGINS, ORIGINS_PER_NETWORK),
        || OriginSighting {
            origin: origin.into(),
            count: 0,
            refused: false,
            client: visit.client,
            last_seen: visit.time,
        },
    )
}

/// The value of `key`, made if need be; before that the oldest of the same network, or of all, makes room.
fn entry<K: Eq + Hash + Clone, V>(
    map: &mut HashMap<K, V>,
    key: K,
    facts: impl Fn(&V) -> (IpAddr, OffsetDateTime),
    network: IpAddr,
    (total, share): (usize, usize),
    make: impl FnOnce() -> V,
) -> &mut V {
    if !map.contains_key(&key) {
        let oldest = |among: Option<IpAddr>| {
            map.iter()
                .map(|(key, value)| (key, facts(value)))
                .filter(|(_, (of, _))| among.is_none_or(|among| *of == among))
                .min_by_key(|(_, (_, seen))| *seen)
                .map(|(key, _)| key.clone())
        };
        let of_network = map.values().filter(|value| facts(value).0 == network).count();
        let leaves = if of_network >= share {
            oldest(Some(network))
        } else if map.len() >= total {
            oldest(None)
        } else {
            None
        };
        if let Some(leaves) = leaves {
            map.remove(&leaves);
        }
    }
    map.entry(key).or_insert_with(make)
}

/// What one subscriber can fill at will: an IPv4 address, an IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
