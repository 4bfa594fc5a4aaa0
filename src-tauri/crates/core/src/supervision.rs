//! Who runs the gateway, and how that is mended.
//!
//! Guarantees: the verdict is a pure function of what was observed; what is observed of one signal is never concluded
//! from another; the gateway's service files are written by OpenClaw's own installer only; a repair does what it
//! showed, and nothing else.

mod repair;
mod signals;
mod verdict;
mod words;

pub(crate) use repair::{Step, perform, steps};
pub(crate) use signals::{Parts, Signals, gather, kind, manager};
pub(crate) use words::told;
