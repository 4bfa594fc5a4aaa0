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
pub mod error;
pub mod gate;
pub mod headers;
pub mod names;
pub mod page;
pub mod request_id;
pub mod settings;
pub mod sightings;

pub use access_log::{AccessLog, AccessRecord, Answerer, Closer, Protocol, TlsFacts, WebSocketEnd};
pub use attribution::{Client, Peer};
pub use error::EdgeError;
pub use request_id::RequestId;
pub use settings::{
    AllowedClients, EdgeSettings, FrontProxy, Limits, LogOptions, OwnAddresses, Pause, RouteClass,
    ServedNames,
};
pub use sightings::{ClientSighting, OriginSighting, Sightings};
