//! Counting who is connected, in total and per client, and how fast they come.
//!
//! Who is over its share is turned away before TLS, which costs nothing; now and then one such connection is let in to
//! be told why, at a rate that costs next to nothing. Where all places for handshakes are taken, the one that has taken
//! longest gives way: half-open connections keep nobody out.

use crate::error::EdgeError;
use crate::metrics::TurnedAway;
use crate::rate::{self, Rate};
use crate::settings::Limits;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Descriptors that are not for clients: log, listeners, idle gateway connections, whatever else the process does.
const RESERVED: usize = 128;
/// A client's connection takes one descriptor and the gateway's side of it another.
const PER_CONNECTION: usize = 2;
/// Clients of which something is kept before the first look for those that may be forgotten.
const FORGET_FROM: usize = 1024;

/// For this long a handshake gives way to nobody: enough for three round trips over a slow mobile network.
const GIVES_WAY: Duration = Duration::from_millis(750);
/// How many connections over the limit are let in to be told so: of one client, and of all.
const TOLD: (Rate, Rate) = (Rate { per_second: 1, burst: 2 }, Rate { per_second: 20, burst: 20 });

/// What a connection over its client's share is let in to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) error: EdgeError,
    /// After how long there is room again, where that is known.
    pub(crate) after: Option<Duration>,
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
    told: Option<Instant>,
    /// Handshakes in the order in which they began; those that ended are taken out now and then.
    shaking: VecDeque<Shaking>,
}

/// A handshake that can be told to give way.
#[derive(Debug)]
struct Shaking {
    since: Instant,
    /// Closed once it has ended.
    give_way: oneshot::Sender<()>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Client {
    due: Option<Instant>,
    told: Option<Instant>,
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
    ) -> Result<Permit, TurnedAway> {
        let client = peer.into().and_then(client_key);
        let total = self.limit(limits);
        let mut counts = self.counts();
        let now = Instant::now();
        if counts.connections >= total
            || (counts.handshakes >= limits.handshakes && !counts.may_give_way(now))
        {
            return Err(TurnedAway::Total);
        }
        let over = client.map_or(Ok(None), |key| counts.enter(key, limits))?;
        if counts.handshakes >= limits.handshakes {
            counts.one_gives_way();
        }
        let (give_way, told) = oneshot::channel();
        counts.shaking.push_back(Shaking { since: now, give_way });
        counts.connections += 1;
        counts.handshakes += 1;
        Ok(Permit { admission: Arc::clone(self), client, shaking: Some(told), over })
    }

    /// Connections that may be open at once.
    pub(crate) fn limit(&self, limits: &Limits) -> usize {
        limits.connections.min(self.room())
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

    /// TLS handshakes in flight now.
    pub(crate) fn handshakes(&self) -> usize {
        self.counts().handshakes
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Whether a handshake has taken so long that it gives way to a new one.
    fn may_give_way(&mut self, now: Instant) -> bool {
        while self.shaking.front().is_some_and(|oldest| oldest.give_way.is_closed()) {
            self.shaking.pop_front();
        }
        self.shaking.front().is_some_and(|oldest| now.duration_since(oldest.since) >= GIVES_WAY)
    }

    /// The oldest handshake gives way: its place is free from now on.
    fn one_gives_way(&mut self) {
        if let Some(oldest) = self.shaking.pop_front() {
            let _ = oldest.give_way.send(());
        }
    }

    /// Forgets handshakes that have ended, each time they are most of those that are kept.
    fn forget_ended(&mut self) {
        if self.shaking.len() > 64 + 2 * self.handshakes {
            self.shaking.retain(|one| !one.give_way.is_closed());
        }
    }

    /// Takes a place for this client, with its handshake still to do. Says what it is to be told where it is over its
    /// share.
    fn enter(&mut self, key: IpAddr, limits: &Limits) -> Result<Option<Over>, TurnedAway> {
        let now = Instant::now();
        self.forget(now);
        let mut held = self.clients.get(&key).copied().unwrap_or_default();
        if held.handshakes >= limits.handshakes_per_client {
            return Err(TurnedAway::Client);
        }
        let rate = Rate { per_second: limits.connection_rate, burst: limits.connection_burst };
        let over = if held.connections >= limits.connections_per_client {
            Some((TurnedAway::Client, Over { error: EdgeError::TooManyConnections, after: None }))
        } else {
            rate.take(&mut held.due, now)
                .err()
                .map(|after| (TurnedAway::Rate, Over { error: EdgeError::RateLimited, after: Some(after) }))
        };
        if let Some((why, _)) = over {
            let told = TOLD.0.take(&mut held.told, now).and_then(|()| TOLD.1.take(&mut self.told, now));
            if self.handshakes > limits.handshakes / 2 || told.is_err() {
                self.clients.insert(key, held);
                return Err(why);
            }
        }
        held.connections += 1;
        held.handshakes += 1;
        self.clients.insert(key, held);
        Ok(over.map(|(_, over)| over))
    }

    /// Looks for clients to forget, each time their number has doubled.
    fn forget(&mut self, now: Instant) {
        if self.clients.len() >= self.forget_at.max(FORGET_FROM) {
            self.clients.retain(|_, held| !held.is_over(now));
            self.forget_at = self.clients.len() * 2;
        }
    }
}

impl Client {
    fn is_over(&self, now: Instant) -> bool {
        self.connections == 0 && rate::is_over(self.due, now) && rate::is_over(self.told, now)
    }
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    client: Option<IpAddr>,
    /// Told when the handshake has to give way; `None` once it is over.
    shaking: Option<oneshot::Receiver<()>>,
    over: Option<Over>,
}

impl Permit {
    /// What this connection was let in to be told, and nothing else.
    pub(crate) fn over(&self) -> Option<Over> {
        self.over
    }

    /// Ready when the handshake has to give way to another; never once it is over.
    pub(crate) async fn gives_way(&mut self) {
        if let Some(told) = &mut self.shaking
            && told.await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }

    /// The connection turns out to be this client's: a proxy has passed it on.
    pub(crate) fn attribute(&mut self, client: IpAddr, limits: &Limits) -> Result<(), TurnedAway> {
        let Some(key) = client_key(client).filter(|_| self.client.is_none()) else { return Ok(()) };
        self.over = self.admission.counts().enter(key, limits)?;
        self.client = Some(key);
        Ok(())
    }

    /// The handshake is over: its place is free for the next one.
    pub(crate) fn handshake_done(&mut self) {
        if self.shaking.take().is_some() {
            let mut counts = self.admission.counts();
            counts.handshakes -= 1;
            if let Some(held) = self.client.and_then(|key| counts.clients.get_mut(&key)) {
                held.handshakes -= 1;
            }
            counts.forget_ended();
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
            if held.is_over(Instant::now()) {
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
    use std::net::Ipv4Addr;

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
        for _ in 0..2 {
            let told = admission.admit(stranger, &limits).unwrap().over().unwrap();
            assert_eq!(told.error, EdgeError::RateLimited);
            assert_eq!(told.after, Some(Duration::from_millis(500)));
        }
        assert_eq!(admission.admit(stranger, &limits).unwrap_err(), TurnedAway::Rate);
        assert_eq!(admission.admit(IpAddr::from([192, 0, 2, 2]), &limits).unwrap().over(), None);
        for _ in 0..10 {
            drop(admission.admit(IpAddr::from([127, 0, 0, 1]), &limits).unwrap());
        }
        tokio::time::advance(std::time::Duration::from_millis(500)).await;
        assert_eq!(admission.admit(stranger, &limits).unwrap().over(), None);
        assert_eq!(admission.admit(stranger, &limits).unwrap_err(), TurnedAway::Rate);
    }

    #[tokio::test(start_paused = true)]
    async fn being_told_costs_the_edge_next_to_nothing_however_many_ask() {
        let admission = Arc::new(Admission::default());
        let limits = Limits { connections_per_client: 1, ..Limits::default() };
        let client = |number: u32| IpAddr::from(Ipv4Addr::from(0x0a00_0000 | number));
        let held: Vec<_> = (0..100).map(|number| admission.admit(client(number), &limits).unwrap()).collect();
        let mut told = 0;
        for second in 1..=10 {
            for number in 0..100 {
                for _ in 0..10 {
                    told += usize::from(admission.admit(client(number), &limits).is_ok());
                }
            }
            assert!(told <= 20 + 20 * second, "{told} in second {second}");
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(told >= 200, "{told}");
        assert_eq!(admission.connections(), held.len());
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_handshakes_keep_nobody_out() {
        let admission = Arc::new(Admission::default());
        let limits = Limits { handshakes: 4, ..Limits::default() };
        let local = IpAddr::from([127, 0, 0, 1]);
        let admit = || admission.admit(local, &limits);
        let mut half_open: Vec<_> = (0..4).map(|_| admit().unwrap()).collect();
        assert_eq!(admit().unwrap_err(), TurnedAway::Total, "each gets some time");
        half_open[0].handshake_done();
        let mut young = admit().unwrap();
        tokio::time::advance(GIVES_WAY).await;
        let mut newcomer = admit().unwrap();
        half_open[1].gives_way().await;
        let mut third = half_open.remove(2);
        for permit in [&mut young, &mut newcomer, &mut half_open[0], &mut third] {
            let gives_way = tokio::time::timeout(Duration::from_secs(1), permit.gives_way()).await;
            assert!(gives_way.is_err(), "only the oldest");
        }
        drop((half_open, young, newcomer, third));
        assert_eq!((admission.connections(), admission.handshakes()), (0, 0));
        for _ in 0..10_000 {
            admit().unwrap().handshake_done();
        }
        assert!(admission.counts().shaking.len() < 100, "those that ended are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_a_proxy_passes_on_counts_for_its_client() {
        let admission = Arc::new(Admission::default());
        let limits = Limits { handshakes_per_client: 1, ..Limits::default() };
        let client = IpAddr::from([192, 0, 2, 1]);
        let mut first = admission.admit(None, &limits).unwrap();
        first.attribute(client, &limits).unwrap();
        let mut second = admission.admit(None, &limits).unwrap();
        assert_eq!(second.attribute(client, &limits), Err(TurnedAway::Client));
        first.handshake_done();
        second.attribute(client, &limits).unwrap();
        drop((first, second));
        assert_eq!((admission.connections(), admission.handshakes()), (0, 0));
        tokio::time::advance(Duration::from_secs(2)).await;
        let _other = admission.admit(IpAddr::from([192, 0, 2, 2]), &limits).unwrap();
        assert_eq!(admission.counts().clients.get(&client).map_or(0, |held| held.connections), 0);
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
        assert_eq!(admission.admit(local, &Limits::default()).unwrap_err(), TurnedAway::Total);
    }
}
