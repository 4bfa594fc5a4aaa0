//! The real program against a made-up core over a real socket: what it prints, how it ends, what it asks.
//!
//! The golden files beside this folder are the public contract of `--json` and the look of pages at 80 columns. They
//! are written anew only by `GATEHOUSE_GOLDEN=update`, and a person reads the difference.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends here")]

mod core;
mod ends;
mod fixtures;
mod golden;
mod hostile;
mod language;
mod pages;
mod requests;
mod run;
mod serve;
mod streams;
mod terminal;
