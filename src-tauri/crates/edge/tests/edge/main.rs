//! The edge from outside: real TLS clients, HTTP/1.1 and HTTP/2, WebSockets, and a gateway that records every byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod kit;

mod accept;
mod basics;
mod challenge;
mod client_certificates;
mod descriptors;
mod early;
mod fairness;
mod faults;
mod framing;
mod hostile;
mod identity;
mod lifecycle;
mod limits;
mod opaque;
mod plain;
mod restart;
mod routes;
mod streaming;
mod turns;
mod websocket;
mod websocket_h2;
