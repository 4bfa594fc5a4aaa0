//! When a new leaf is due: a pure function of what is held, what is wanted, and the clock.

use time::{Duration, OffsetDateTime};

use crate::Names;

/// How far the clock may be behind the making of the authority before nothing more is issued.
const CLOCK_SLACK: Duration = Duration::hours(1);

/// What [`decide`] must know of what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// First moment of the leaf.
    pub not_before: OffsetDateTime,
    /// Last moment of the leaf.
    pub not_after: OffsetDateTime,
    /// What the leaf is for.
    pub names: Names,
    /// Whether the authority that we have now signed it.
    pub from_authority: bool,
}

/// What to do about the leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is good.
    Keep,
    /// Make a new one.
    Issue {
        /// Why.
        reason: Reason,
    },
    /// A new one is due, but the clock shows a time before the authority was made: whatever were issued now would be
    /// dated wrongly.
    ClockBehind {
        /// When the authority was made.
        created: OffsetDateTime,
    },
}

/// Why a new leaf is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is none, or none that could be read.
    Absent,
    /// Another authority signed it.
    OtherAuthority,
    /// It lacks these names.
    Names(Names),
    /// It is not valid yet: the clock was ahead when it was made.
    NotYetValid,
    /// It is over.
    Expired,
    /// Less than a third of its life is left.
    Age,
    /// Its owner asked for it.
    Asked,
}

/// Validity of the authority, as far as [`decide`] needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthoritySpan {
    pub(crate) created: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

/// Whether the leaf `held` will do for the names `wanted` (canonical) at `now`. A leaf with more names than wanted is
/// kept. `authority` is when the authority was made and when it ends; `None` where there is none yet.
pub fn decide(
    held: Option<&Held>,
    authority: Option<(OffsetDateTime, OffsetDateTime)>,
    wanted: &Names,
    now: OffsetDateTime,
) -> Decision {
    let span = authority.map(|(created, not_after)| AuthoritySpan { created, not_after });
    let Some(reason) = due(held, span, wanted, now) else { return Decision::Keep };
    match span {
        Some(span) if now < span.created - CLOCK_SLACK => Decision::ClockBehind { created: span.created },
        _ => Decision::Issue { reason },
    }
}

fn due(
    held: Option<&Held>,
    authority: Option<AuthoritySpan>,
    wanted: &Names,
    now: OffsetDateTime,
) -> Option<Reason> {
    let Some(held) = held else { return Some(Reason::Absent) };
    if !held.from_authority {
        return Some(Reason::OtherAuthority);
    }
    if now < held.not_before {
        return Some(Reason::NotYetValid);
    }
    if now >= held.not_after {
        return Some(Reason::Expired);
    }
    let missing = held.names.missing(wanted);
    if !missing.is_empty() {
        return Some(Reason::Names(missing));
    }
    // A leaf that lasts as long as its authority cannot be bettered.
    let could_last_longer = authority.is_some_and(|span| held.not_after < span.not_after);
    let life = held.not_after - held.not_before;
    (could_last_longer && held.not_after - now <= life / 3).then_some(Reason::Age)
}

#[cfg(test)]
mod tests;
