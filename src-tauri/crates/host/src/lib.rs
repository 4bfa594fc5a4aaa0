//! Everything that knows the operating system: the state folder and its lock, addresses, names, ports, secrets and the
//! process itself.
//!
//! Guarantees: no call waits without a limit, no `Debug` shows a secret, nothing here needs root, and what only macOS
//! knows is parsed by functions that are tested everywhere.

#![deny(unsafe_code)]

pub mod account;
pub mod addresses;
pub mod awake;
pub mod firewall;
pub mod home;
pub mod jobs;
pub mod machine;
pub mod mapping;
pub mod names;
pub mod notifications;
pub mod ports;
pub mod presence;
pub mod process;
pub mod readiness;
pub mod secrets;
pub mod trust;
pub mod wake;

mod command;
