//! Public certificates, kept valid for ever: what is wanted, what is held, what is due, and who is asked.
//!
//! Guarantees: the certificate in use is served until a newer one is on disk and its key fits; every decision is a pure
//! function of what is remembered and the clock on the wall ([`plan`], [`schedule`], [`backoff`], [`budget`]), so that
//! sleep, clock jumps and restarts change nothing but the moment; every attempt is counted before it is made; an order
//! that a crash cut short is taken up with its own key.

pub mod backoff;
pub mod budget;
mod engine;
mod entry;
pub mod plan;
pub mod record;
pub mod schedule;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use engine::{Renewal, StageWatcher, Traces};
pub use status::Status;

use async_trait::async_trait;

use crate::acme::{ChallengeKind, DnsProvider, Failure, Identifier, Registration};

/// What is wanted. Replaced as a whole.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Directories of the authorities, the first to ask first.
    pub directories: Vec<String>,
    /// What is needed to make an account, by directory.
    pub registrations: BTreeMap<String, Registration>,
    /// The ways to prove a name that are open, the first to try first.
    pub ways: Vec<ChallengeKind>,
    /// Who sets TXT records.
    pub dns: Option<Arc<dyn DnsProvider>>,
    /// What each certificate is for.
    pub certificates: Vec<Vec<Identifier>>,
    /// Whether a renewal keeps the key, for clients that know the public key. Apps that know the certificate itself see a
    /// new one all the same.
    pub reuse_key: bool,
}

impl Wanted {
    /// The ways that are open, that of DNS only where somebody sets the records.
    #[must_use]
    pub fn open_ways(&self) -> Vec<ChallengeKind> {
        let open = |way: &ChallengeKind| *way != ChallengeKind::Dns || self.dns.is_some();
        self.ways.iter().copied().filter(open).collect()
    }
}

/// Looks before an attempt is spent at what would make it fail.
#[async_trait]
pub trait Preflight: Send + Sync {
    /// What would hinder this authority.
    ///
    /// # Errors
    /// What is certain to hinder. It is remembered like a failed attempt, and counts against no limit.
    async fn check(&self, directory: &str, identifiers: &[Identifier]) -> Result<(), Failure>;
}

#[cfg(test)]
mod simulation;
