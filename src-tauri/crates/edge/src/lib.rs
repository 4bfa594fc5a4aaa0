//! The edge: TLS, HTTP/1.1, HTTP/2 and WebSocket reverse proxy in front of one loopback upstream.
//!
//! It knows no OpenClaw and no operating system. What it guarantees, whoever connects:
//!
//! - a request is forwarded only if [`gate`] could read it in exactly one way, for a name that is served;
//! - no request of another machine reaches the upstream looking local ([`attribution`], [`headers`]);
//! - every answer of the edge itself says so ([`page`]), and every request has one id ([`request_id`]) and one line in
//!   the [`access_log`].
//!
//! Policy is pure functions; the data half (listeners, TLS, pool, tunnel) only moves bytes.

#![forbid(unsafe_code)]

pub mod access_log;
pub mod attribution;
mod body;
mod buffers;
mod challenge;
mod client_certificates;
mod drain;
mod edge;
pub mod error;
mod frames;
pub mod front;
pub mod gate;
mod h2bridge;
pub mod headers;
mod hold;
mod listener;
mod metrics;
pub mod names;
pub mod page;
pub mod proxy_protocol;
mod rate;
mod redirect;
mod rehearsal;
pub mod request_id;
pub mod routes;
mod serve;
pub mod settings;
mod shares;
pub mod sightings;
mod tls;
mod tunnel;
mod upstream;

pub use access_log::{AccessLog, AccessRecord, Answerer, Closer, Protocol, TlsFacts, WebSocketEnd};
pub use attribution::{Client, Peer};
pub use challenge::{ByEnds, Challenges, HttpChallenges};
pub use client_certificates::{ClientCertificates, ClientPolicy};
pub use drain::Drained;
pub use edge::{Counters, Edge, EdgeOptions};
pub use error::EdgeError;
pub use front::{FrontProfile, SecretDigest, TUNNEL_SECRET, is_cloudflare};
pub use listener::{ListenError, Listener, ListenerKind};
pub use rehearsal::{RehearsalError, WebSocketsOverHttp2};
pub use request_id::RequestId;
pub use routes::{Route, Routes};
pub use settings::{
    AllowedClients, EdgeSettings, FrontProxy, Http2WebSockets, Limits, LogOptions, OwnAddresses, Pause,
    RouteClass, ServedNames,
};
pub use sightings::{ClientSighting, OriginSighting, Sightings};

/// Where the edge gets its certificates: asked at every handshake, so a renewal is a swap inside the resolver. Without
/// SNI (a client that uses an address) it should answer with the default certificate; for a name that no certificate
/// covers with `None`, which refuses the handshake.
pub type CertificateSource = std::sync::Arc<dyn rustls::server::ResolvesServerCert>;

/// What the fuzzer drives.
#[cfg(fuzzing)]
pub mod fuzzing {
    /// The close (code and reason) that an observer finds in these pieces of one direction.
    #[must_use]
    pub fn close_of(pieces: &[&[u8]], client: bool) -> Option<(Option<u16>, String)> {
        use crate::frames::{Observer, Sender};
        let mut observer = Observer::new(if client { Sender::Client } else { Sender::Server });
        let found: Vec<_> = pieces.iter().filter_map(|piece| observer.see(piece)).collect();
        assert!(found.len() < 2, "one close at most");
        found.into_iter().next().map(|close| (close.code, close.reason))
    }
}
