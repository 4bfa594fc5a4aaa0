//! A rehearsal of WebSocket over HTTP/2 before it is offered to anybody.
//!
//! Browsers use RFC 8441 as soon as it is offered, and everything looks down to them where it does not work. So the edge
//! goes the whole way itself first, as a client of its own listener: TLS, HTTP/2, an extended `CONNECT`, the gateway's
//! upgrade with its accept verified, and the gateway's first frame. Guarantees: only connections that the rehearsal
//! itself opened are offered it before; it counts for the gateway's address with which it was made; a gateway that is
//! away or starting neither passes nor fails. It carries no secret and says nothing but goodbye.

mod client;

use crate::drain::Phase;
use crate::edge::Shared;
use crate::listener::{Listener, ListenerKind};
use crate::settings::{EdgeSettings, Http2WebSockets};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// The whole way may take this long.
const LIMIT: Duration = Duration::from_secs(10);

/// Whether WebSocket over HTTP/2 is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebSocketsOverHttp2 {
    /// The settings say no.
    Off,
    /// The rehearsal has not come to an end yet.
    Untested,
    /// It works, and is offered.
    Offered,
    /// It does not work and is not offered. In words.
    Failed(String),
}

/// Why a rehearsal did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RehearsalError {
    /// It could not be made now: nothing listens, or the gateway is away. It says nothing about the way itself.
    #[error("it could not be tried: {0}")]
    NotNow(String),
    /// The way does not work.
    #[error("{0}")]
    Failed(String),
}

/// What rehearsals have found.
#[derive(Debug, Default)]
pub(crate) struct Rehearsals {
    /// With the gateway at this address.
    found: Mutex<Option<(SocketAddr, Result<(), String>)>>,
    /// Where the rehearsals under way connect from.
    under_way: Mutex<Vec<SocketAddr>>,
}

impl Rehearsals {
    /// Whether a connection from `client` is offered WebSocket over HTTP/2.
    pub(crate) fn offers(&self, settings: &EdgeSettings, client: SocketAddr) -> bool {
        match settings.websocket_over_h2 {
            Http2WebSockets::Off => false,
            Http2WebSockets::Offered => true,
            Http2WebSockets::Rehearsed => {
                self.standing(settings) == WebSocketsOverHttp2::Offered
                    || lock(&self.under_way).contains(&canonical(client))
            }
        }
    }

    /// What is offered, and why not.
    pub(crate) fn standing(&self, settings: &EdgeSettings) -> WebSocketsOverHttp2 {
        match settings.websocket_over_h2 {
            Http2WebSockets::Off => WebSocketsOverHttp2::Off,
            Http2WebSockets::Offered => WebSocketsOverHttp2::Offered,
            Http2WebSockets::Rehearsed => match &*lock(&self.found) {
                Some((gateway, Ok(()))) if *gateway == settings.upstream => WebSocketsOverHttp2::Offered,
                Some((gateway, Err(why))) if *gateway == settings.upstream => {
                    WebSocketsOverHttp2::Failed(why.clone())
                }
                _ => WebSocketsOverHttp2::Untested,
            },
        }
    }
}

/// Rehearses through one of these listeners and keeps what it finds.
pub(crate) async fn rehearse(shared: &Shared, listening: &[Listener]) -> Result<(), RehearsalError> {
    let settings = shared.settings.load_full();
    let Some(address) = listening.iter().find(|one| one.kind == ListenerKind::Https).map(|one| one.address)
    else {
        return Err(RehearsalError::NotNow("nothing listens".to_owned()));
    };
    let going = go(shared, &settings, reachable(address));
    let mut leaving = std::pin::pin!(shared.tally.phase().at_least(Phase::Draining));
    let outcome = tokio::select! {
        outcome = timeout(LIMIT, going) => outcome.unwrap_or_else(|_| {
            Err(RehearsalError::Failed(format!("there was no first frame within {} s", LIMIT.as_secs())))
        }),
        () = leaving.as_mut() => Err(RehearsalError::NotNow("the edge is leaving".to_owned())),
    };
    let found = match &outcome {
        Ok(()) => Ok(()),
        Err(RehearsalError::Failed(why)) => Err(why.clone()),
        Err(RehearsalError::NotNow(_)) => return outcome,
    };
    *lock(&shared.rehearsals.found) = Some((settings.upstream, found));
    outcome
}

async fn go(shared: &Shared, settings: &EdgeSettings, address: SocketAddr) -> Result<(), RehearsalError> {
    let stream = client::connect(address).await?;
    let from = stream.local_addr().map_err(|error| RehearsalError::NotNow(error.to_string()))?;
    let _place = Place::take(&shared.rehearsals, canonical(from));
    client::converse(stream, settings, address, from.ip()).await
}

/// One rehearsal under way.
struct Place<'a> {
    rehearsals: &'a Rehearsals,
    from: SocketAddr,
}

impl<'a> Place<'a> {
    fn take(rehearsals: &'a Rehearsals, from: SocketAddr) -> Self {
        lock(&rehearsals.under_way).push(from);
        Self { rehearsals, from }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.rehearsals.under_way).retain(|address| *address != self.from);
    }
}

/// Where a program on this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
