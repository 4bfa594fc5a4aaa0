//! End to end: the real gateway, the real program, the real browser, on machines of their own.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails in a test's own helper fails the test"
)]

mod account;
mod attribution;
mod browser;
mod commands;
mod config;
mod continuity;
mod crash;
mod devices;
mod expiry;
mod front;
mod imported;
mod in_time;
mod issuance;
mod kit;
mod lifecycle;
mod names;
mod network;
mod pinned;
mod providers;
mod public;
mod run_script;
mod selftest;
mod shared;
mod token;
mod trouble;
