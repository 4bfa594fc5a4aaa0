//! What to do next about one certificate: a pure function of all that is known.
//!
//! Guarantees: nothing is attempted while the clock is wrong, before its moment, past a budget, or where no way to prove
//! the names is open; another authority is
//! asked only when those before it are in the way for longer than a passing disturbance lasts.

use time::{Duration, OffsetDateTime};

use super::budget::Budget;
use super::record::{Record, Setback};
use super::schedule::{TICK, Validity, Why, begins, clock_is_wrong, due};
use crate::acme::{Cause, ChallengeKind, Identifier};

/// A wait with one authority that is shorter does not send us to the next.
const PATIENCE: Duration = Duration::minutes(5);

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing before this moment.
    Wait {
        /// The moment.
        until: OffsetDateTime,
    },
    /// Ask this authority for a new certificate.
    Attempt {
        /// Its directory.
        directory: String,
        /// Why.
        why: Why,
        /// The certificate that it replaces, as its authority calls it.
        replaces: Option<String>,
    },
    /// The clock shows a time that cannot be; somebody must set it.
    ClockWrong,
    /// No authority is chosen.
    NoAuthority,
    /// One is due, and no way to prove all its names is open here now.
    NoWay,
}

/// What [`next`] must know.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the certificate is for, sorted.
    pub identifiers: &'a [Identifier],
    /// Authorities, the first to ask first.
    pub directories: &'a [String],
    /// The ways to prove a name that are open; that of DNS only where somebody sets the records.
    pub ways: &'a [ChallengeKind],
    /// The certificate that is served.
    pub held: Option<Validity>,
    /// Whether its owner asks for a new one whatever its age.
    pub asked: bool,
    /// What is remembered.
    pub record: &'a Record,
    /// What may still be asked.
    pub budget: &'a Budget,
}

/// What to do at `now`.
pub fn next(known: &Known<'_>, now: OffsetDateTime) -> Next {
    if known.directories.is_empty() {
        return Next::NoAuthority;
    }
    if clock_is_wrong(known.held, now) {
        return Next::ClockWrong;
    }
    let suggested = known.record.suggested.as_ref().map(|suggested| suggested.pick);
    let why = if known.asked { Some(Why::Asked) } else { due(known.held, suggested, now) };
    let Some(why) = why else {
        let begins = known.held.map_or(now, |held| begins(held, suggested));
        return Next::Wait { until: begins.max(now) };
    };
    let provable = |one: &Identifier| known.ways.iter().any(|way| way.can_prove(one));
    if !known.identifiers.iter().all(provable) {
        return Next::NoWay;
    }
    let mut soonest = None;
    for directory in known.directories {
        let replaces = replaces(known.record, directory);
        let setback = known.record.setbacks.get(directory);
        let budget = known.budget.allows(directory, known.identifiers, replaces.is_some(), now).err();
        let free = setback.map(|one| one.not_before).max(budget).filter(|free| *free > now);
        let Some(free) = free else {
            return Next::Attempt { directory: directory.clone(), why, replaces };
        };
        soonest = Some(soonest.map_or(free, |soonest: OffsetDateTime| soonest.min(free)));
        if !is_in_the_way(setback, budget, now) {
            break;
        }
    }
    Next::Wait { until: soonest.unwrap_or(now + TICK) }
}

/// Whether an authority is in the way for so long that the next one is asked.
fn is_in_the_way(setback: Option<&Setback>, budget: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    if budget.is_some_and(|free| free > now + PATIENCE) {
        return true;
    }
    setback.is_some_and(|setback| match setback.cause {
        Cause::Unreachable | Cause::Slow | Cause::BadNonce | Cause::Server => setback.in_row >= 3,
        // Another authority finds the same obstacle here.
        Cause::DnsProvider | Cause::Local | Cause::NoChallenge => false,
        Cause::Connection | Cause::WrongAnswer | Cause::Tls | Cause::Dns => setback.in_row >= 2,
        _ => setback.not_before > now + PATIENCE,
    })
}

/// What the new certificate replaces: the served one, where the same authority issued it.
fn replaces(record: &Record, directory: &str) -> Option<String> {
    let live = record.live.as_ref().filter(|live| live.directory == directory)?;
    // Authorities without renewal information refuse the field.
    record.suggested.as_ref()?;
    live.id.clone()
}

#[cfg(test)]
mod tests;
