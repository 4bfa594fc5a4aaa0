//! The devices as a person sees them: what the gateway knows, joined with what the edge saw.

pub(crate) mod choose;
pub(crate) mod expiry;
pub(crate) mod join;
