//! How long a proof counts, and when the next one is due.
//!
//! Guarantees: a proof older than [`EXPIRES`] never counts; a probe is due every [`PERIOD`], at once after something
//! relevant changed, and soon after a failure; one failed probe alone is not a verdict, two in a row are. Times are
//! wall-clock times, so a machine that slept finds its proof expired; a clock that was set back makes a probe due.

use gatehouse_api::{Problem, Proof};
use time::{Duration, OffsetDateTime};

/// A proof older than this does not count.
pub(crate) const EXPIRES: Duration = Duration::minutes(5);
/// How often the address is probed while nothing changes.
pub(crate) const PERIOD: Duration = Duration::minutes(4);
/// How soon a failed probe is repeated.
pub(crate) const RETRY: Duration = Duration::seconds(3);
/// So many failed probes in a row are a verdict.
const VERDICT: u32 = 2;
/// How soon an address that keeps failing is probed again.
pub(crate) const RETRY_LATER: Duration = Duration::seconds(30);

/// The newest proof and the newest failures.
#[derive(Debug, Clone, Default)]
pub(crate) struct Freshness {
    proof: Option<Proof>,
    failures: u32,
    problem: Option<Problem>,
    attempted: Option<OffsetDateTime>,
    invalidated: bool,
}

/// What the proof is worth now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Young enough, and nothing has contradicted it.
    Fresh(Proof),
    /// There was one; it is too old.
    Expired(Proof),
    /// The newest probes failed.
    Failed {
        /// The newest proof before that.
        last: Option<Proof>,
        /// Why they failed.
        problem: Problem,
    },
    /// There was none yet.
    Never,
}

impl Freshness {
    /// A client reached the address.
    pub(crate) fn succeeded(&mut self, proof: Proof) {
        self.attempted = Some(proof.at);
        self.proof = Some(proof);
        self.failures = 0;
        self.problem = None;
        self.invalidated = false;
    }

    /// A client did not reach the address.
    pub(crate) fn failed(&mut self, problem: Problem, now: OffsetDateTime) {
        self.attempted = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.problem = Some(problem);
        self.invalidated = false;
    }

    /// Something relevant changed: the next probe is due at once. The proof keeps its age.
    pub(crate) fn invalidate(&mut self) {
        self.invalidated = true;
    }

    /// The address was closed or is another one: nothing is proven about it.
    pub(crate) fn forget(&mut self) {
        *self = Self { invalidated: true, ..Self::default() };
    }

    /// Whether a probe should start now.
    pub(crate) fn due(&self, now: OffsetDateTime) -> bool {
        let Some(attempted) = self.attempted else { return true };
        let wait = match self.failures {
            0 => PERIOD,
            1 | 2 => RETRY,
            _ => RETRY_LATER,
        };
        self.invalidated || now < attempted || now - attempted >= wait
    }

    /// What the proof is worth.
    pub(crate) fn standing(&self, now: OffsetDateTime) -> Standing {
        match (&self.proof, &self.problem) {
            (last, Some(problem)) if self.refuted() => {
                Standing::Failed { last: last.clone(), problem: problem.clone() }
            }
            (Some(proof), _) if now - proof.at <= EXPIRES => Standing::Fresh(proof.clone()),
            (Some(proof), _) => Standing::Expired(proof.clone()),
            (None, _) => Standing::Never,
        }
    }

    /// Whether the newest probes are a verdict against the address.
    pub(crate) fn refuted(&self) -> bool {
        self.failures >= VERDICT
    }
}

#[cfg(test)]
mod tests;
