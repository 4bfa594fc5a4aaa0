//! The control socket: HTTP/1.1 with JSON over a Unix socket.
//!
//! `POST /v1/call` takes one [`Request`] and answers `{"ok": Reply}` or `{"error": ErrorEnvelope}`.
//! `GET /v1/events` is a stream of server-sent events: the snapshot first, then every [`Event`] (of the `?topics=`
//! asked for), a comment every 15 s. `GET /v1/version` says who answers, `GET /v1/metrics` gives the numbers of the edge
//! as Prometheus reads them. Try it with `curl --unix-socket`.
//!
//! Guaranteed: the socket has mode 0600 in a folder of mode 0700, a connection is served only to the user who runs
//! the core, and a client talks only to a core of the same user. A call that was taken runs to its end even where
//! its caller goes away. Memory per connection is bounded in both directions.

mod client;
mod server;
mod sse;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use client::{Client, Ended, Events};
pub use server::{ControlSocket, private_folder, serve};

use crate::{ErrorEnvelope, Event, Reply, Request, Snapshot};

/// Version of the protocol on the socket. Client and core must have the same.
pub const PROTOCOL: u32 = 1;

/// What the core does for the socket.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. It may take as long as it needs.
    async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope>;

    /// Every event from now on.
    fn events(&self) -> broadcast::Receiver<Event>;

    /// The state now.
    fn snapshot(&self) -> Arc<Snapshot>;
}

/// Who answers at the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreVersion {
    /// [`PROTOCOL`] of the core.
    pub protocol: u32,
    /// Gatehouse's version.
    pub version: String,
    /// Process id of the core.
    pub pid: u32,
}

/// A group of events that a viewer can ask for. [`Event::Lagged`] and [`Event::Stopping`] belong to every group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// [`Event::Snapshot`].
    Snapshot,
    /// [`Event::Progress`].
    Progress,
    /// [`Event::Devices`].
    Devices,
    /// [`Event::Traffic`].
    Traffic,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Snapshot, Self::Progress, Self::Devices, Self::Traffic];

    /// Its word in `?topics=`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Progress => "progress",
            Self::Devices => "devices",
            Self::Traffic => "traffic",
        }
    }

    /// Whether `event` goes to a viewer who asked for `topics`.
    #[must_use]
    pub fn wants(topics: &[Self], event: &Event) -> bool {
        let topic = match event {
            Event::Snapshot(_) => Self::Snapshot,
            Event::Progress(_) => Self::Progress,
            Event::Devices(_) => Self::Devices,
            Event::Traffic(_) => Self::Traffic,
            Event::Lagged { .. } | Event::Stopping => return true,
        };
        topics.contains(&topic)
    }
}

/// The answer to a call on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Ok(Reply),
    Error(ErrorEnvelope),
}

/// Longest request body, in bytes.
const REQUEST_BYTES: usize = 256 * 1024;
/// Longest answer and longest single event that a client takes, in bytes.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
