//! Public certificates with real authorities: Debian's pebble, and Caddy's `acme_server` as a second one, asking the real
//! edge on loopback; and a scripted authority for what neither of them can do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

mod kit;

mod crash;
mod issue;
mod scripted;
mod trouble;
