//! What may still be asked of an authority: attempts are counted before they are made, and kept across restarts.
//!
//! Guarantees: with each authority at most four failed or unfinished attempts for one name in an hour, four certificates
//! for the same names in a week that the authority counts, thirty orders in three hours and forty certificates in a week;
//! all below the strictest public authority's limits (Let's Encrypt, 2026-08: 5, 5, 300 and 50). An attempt that a crash
//! cut short stays counted. A clock that was set back lengthens nothing: what lies in the future counts as just made.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::acme::Identifier;

const HOUR: Duration = Duration::hours(1);
const ORDERS_SPAN: Duration = Duration::hours(3);
const WEEK: Duration = Duration::days(7);
const FAILED_IN_AN_HOUR: usize = 4;
const ORDERS: usize = 30;
const SAME_SET_IN_A_WEEK: usize = 4;
const CERTIFICATES_IN_A_WEEK: usize = 40;
/// A renewal that names what it replaces is free of limits; this only ends a loop.
const REPLACEMENTS_IN_A_WEEK: usize = 14;
/// Attempts that are remembered; far more than a week can hold.
const MOST: usize = 2000;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is on its way, or a crash cut it short.
    Open,
    /// The authority counted a failure, or may have.
    Failed,
    /// The authority counted at most an order.
    Free,
    /// There is a certificate.
    Issued,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Attempt {
    directory: String,
    identifiers: Vec<Identifier>,
    #[serde(with = "time::serde::timestamp")]
    at: OffsetDateTime,
    outcome: Outcome,
    replaces: bool,
}

/// The attempts of the last week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    attempts: Vec<Attempt>,
}

impl Budget {
    /// Whether an attempt may be made at `now`.
    ///
    /// # Errors
    /// The moment from which it may.
    pub fn allows(
        &self,
        directory: &str,
        identifiers: &[Identifier],
        replaces: bool,
        now: OffsetDateTime,
    ) -> Result<(), OffsetDateTime> {
        let mine = || self.attempts.iter().filter(|one| one.directory == directory);
        let mut wait = None;
        for identifier in identifiers {
            let failed = mine().filter(|one| {
                matches!(one.outcome, Outcome::Failed | Outcome::Open) && one.identifiers.contains(identifier)
            });
            wait = wait.max(full(failed, HOUR, FAILED_IN_AN_HOUR, now));
        }
        wait = wait.max(full(mine(), ORDERS_SPAN, ORDERS, now));
        let issued = || mine().filter(|one| one.outcome == Outcome::Issued);
        let same = || issued().filter(|one| one.identifiers == identifiers);
        if replaces {
            wait = wait.max(full(same(), WEEK, REPLACEMENTS_IN_A_WEEK, now));
        } else {
            wait = wait.max(full(same().filter(|one| !one.replaces), WEEK, SAME_SET_IN_A_WEEK, now));
            wait = wait.max(full(issued(), WEEK, CERTIFICATES_IN_A_WEEK, now));
        }
        wait.map_or(Ok(()), Err)
    }

    /// Counts an attempt that is about to be made.
    pub fn begin(
        &mut self,
        directory: &str,
        identifiers: &[Identifier],
        replaces: bool,
        now: OffsetDateTime,
    ) {
        self.attempts.retain(|one| now - one.at < WEEK + HOUR);
        if self.attempts.len() >= MOST {
            self.attempts.remove(0);
        }
        let (directory, identifiers) = (directory.to_owned(), identifiers.to_vec());
        self.attempts.push(Attempt { directory, identifiers, at: now, outcome: Outcome::Open, replaces });
    }

    /// Says how the last attempt of these names with this authority ended.
    pub fn end(&mut self, directory: &str, identifiers: &[Identifier], outcome: Outcome) {
        let last = self.attempts.iter_mut().rev().find(|one| {
            one.directory == directory && one.identifiers == identifiers && one.outcome == Outcome::Open
        });
        if let Some(last) = last {
            last.outcome = outcome;
        }
    }

    /// Forgets the last attempt: the authority never heard of it.
    pub fn undo(&mut self, directory: &str, identifiers: &[Identifier]) {
        let last = self.attempts.iter().rposition(|one| {
            one.directory == directory && one.identifiers == identifiers && one.outcome == Outcome::Open
        });
        if let Some(last) = last {
            self.attempts.remove(last);
        }
    }

    /// Makes what lies in the future (the clock was set back) count as just made.
    pub fn believe(&mut self, now: OffsetDateTime) {
        for one in &mut self.attempts {
            one.at = one.at.min(now);
        }
    }
}

/// The moment at which fewer than `most` of these lie within `span`; `None` where that is so already.
fn full<'a>(
    attempts: impl Iterator<Item = &'a Attempt>,
    span: Duration,
    most: usize,
    now: OffsetDateTime,
) -> Option<OffsetDateTime> {
    let mut recent: Vec<OffsetDateTime> = attempts.map(|one| one.at).filter(|at| *at > now - span).collect();
    recent.sort();
    let spare = recent.len().checked_sub(most)?;
    recent.get(spare).map(|at| *at + span)
}

#[cfg(test)]
mod tests;
