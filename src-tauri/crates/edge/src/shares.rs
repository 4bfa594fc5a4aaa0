//! What one client may have of the gateway: requests per second, requests at once, WebSockets.
//!
//! Guarantees: one client (an IPv4 address, an IPv6 /64) never takes more than its share, over however many connections
//! and HTTP/2 streams; all together never have more requests under way than there are descriptors for; this machine
//! itself has no share. What is kept of a client is gone when nothing of it is under way and its rate is used up.

use crate::error::EdgeError;
use crate::listener::{Over, client_key};
use crate::rate::{self, Rate};
use crate::settings::Limits;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Clients of which something is kept before the first look for those that may be forgotten.
const FORGET_FROM: usize = 1024;

/// A request that may not go on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) error: EdgeError,
    /// After how long it may, where that is known.
    pub(crate) after: Option<Duration>,
}

impl From<Over> for Refused {
    fn from(over: Over) -> Self {
        Self { error: over.error, after: over.after }
    }
}

/// The shares of all clients.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    under_way: usize,
    clients: HashMap<IpAddr, Client>,
    forget_at: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Client {
    due: Option<Instant>,
    requests: usize,
    websockets: usize,
}

impl Shares {
    /// Takes a place for one request or WebSocket. `client` is whom it is attributed to, `None` for this machine;
    /// `room` is how many may be under way altogether.
    pub(crate) fn take(
        self: &Arc<Self>,
        client: Option<IpAddr>,
        websocket: bool,
        limits: &Limits,
        room: usize,
    ) -> Result<Share, Refused> {
        let mut held = self.held();
        if held.under_way >= room {
            return Err(Refused { error: EdgeError::TooManyConnections, after: None });
        }
        let client = client.and_then(client_key);
        if let Some(key) = client {
            let now = Instant::now();
            held.forget(now);
            let mut its = held.clients.get(&key).copied().unwrap_or_default();
            if websocket && its.websockets >= limits.websockets_per_client {
                return Err(Refused { error: EdgeError::TooManyWebSockets, after: None });
            }
            if !websocket && its.requests >= limits.requests_per_client {
                return Err(Refused { error: EdgeError::RateLimited, after: None });
            }
            Rate { per_second: limits.request_rate, burst: limits.request_burst }
                .take(&mut its.due, now)
                .map_err(|after| Refused { error: EdgeError::RateLimited, after: Some(after) })?;
            *its.count(websocket) += 1;
            held.clients.insert(key, its);
        }
        held.under_way += 1;
        Ok(Share { shares: Arc::clone(self), client, websocket })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Looks for clients to forget, each time their number has doubled.
    fn forget(&mut self, now: Instant) {
        if self.clients.len() >= self.forget_at.max(FORGET_FROM) {
            self.clients.retain(|_, its| !its.is_over(now));
            self.forget_at = self.clients.len() * 2;
        }
    }
}

impl Client {
    fn count(&mut self, websocket: bool) -> &mut usize {
        if websocket { &mut self.websockets } else { &mut self.requests }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.requests == 0 && self.websockets == 0 && rate::is_over(self.due, now)
    }
}

/// A place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Arc<Shares>,
    client: Option<IpAddr>,
    websocket: bool,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        held.under_way -= 1;
        let Some(key) = self.client else { return };
        if let Some(its) = held.clients.get_mut(&key) {
            *its.count(self.websocket) -= 1;
            if its.is_over(Instant::now()) {
                held.clients.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
