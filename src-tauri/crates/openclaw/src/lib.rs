//! Everything that knows OpenClaw, and nothing else.
//!
//! This crate finds a gateway ([`discovery`]), edits its configuration so that only our own entries are touched
//! ([`config`]), talks to it ([`client`], [`events`], [`devices`]), knows its rules for browser origins ([`origin`]),
//! asks whether it is healthy ([`probe`]), and installs and runs one where there is none ([`install`],
//! [`supervise`], [`program`]). It never shows a secret in `Debug`, in an error or in a log line.
#![forbid(unsafe_code)]

pub mod client;
pub mod config;
pub mod devices;
mod digest;
pub mod discovery;
pub mod events;
pub mod identity;
pub mod install;
pub mod logs;
pub mod origin;
pub mod probe;
mod process;
pub mod program;
pub mod service_file;
pub mod setup;
pub mod supervise;

#[cfg(test)]
mod testing;
