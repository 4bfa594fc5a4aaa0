//! The tray app: its real window, its icon in a real tray, on a screen of its own.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails in a test's own helper fails the test"
)]

mod hosting;
mod journey;
mod token;
mod tray;
mod users;
