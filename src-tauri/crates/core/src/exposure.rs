//! What is proven about the address: pure functions from facts to states, one file per concern.
//!
//! Nothing here reads a clock, a file or the network: times and observations come in, states go out.

pub(crate) mod actual;
pub(crate) mod expiring;
pub(crate) mod gateway;
pub(crate) mod proof;
pub(crate) mod settle;
