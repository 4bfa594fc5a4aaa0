//! The one task that owns all state.
//!
//! It receives [`message::Message`]s, takes facts into the state with the pure [`reduce`], publishes the pure [`view`]
//! and sets [`message::Effect`]s going, which run in tasks of their own and report back as facts.

pub(crate) mod message;
mod reduce;
mod state;
mod view;
