//! The controller: what the user wants, what is proven, and every change between the two.
//!
//! One task owns all state and receives one enum. Slow work runs in tasks that report back to it. Views get a
//! [`gatehouse_api::Snapshot`] through a watch and [`gatehouse_api::Event`]s through a broadcast, and ask with
//! [`gatehouse_api::Request`]s; nothing else leaves this crate.

#![forbid(unsafe_code)]

pub mod address_plan;
mod awake;
mod boot;
mod brought;
pub mod context;
mod controller;
pub mod core;
mod devices;
mod door;
pub mod edge_config;
pub mod errors;
mod exposure;
mod invite;
pub mod kept;
pub mod link;
pub mod mapping;
mod metrics_port;
mod network;
mod own;
pub mod pins;
pub mod ports_plan;
pub mod presence;
pub mod probe;
pub mod public;
pub mod readiness;
mod requests;
pub mod selftest;
pub mod settings;
mod supervision;
#[cfg(test)]
mod testing;
pub mod token;
mod traffic;
pub mod transaction;
mod vault;

pub use crate::core::{Core, CoreOptions, Handle};

/// What the fuzzer drives.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::transaction::rewritten_journal;
}
