//! When a certificate is to be renewed: pure functions of its validity, the authority's suggestion, and the clock.
//!
//! Guarantees: a suggestion can only bring a renewal forward or leave it to the backstop, never push it past the backstop,
//! so that an authority with broken suggestions cannot let a certificate expire.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// How often the clock on the wall is compared; a long timer would stand still while the machine sleeps.
pub const TICK: Duration = Duration::minutes(5);
/// A clock before this is wrong: Gatehouse did not exist.
pub const EARLIEST: OffsetDateTime = datetime!(2026-11-01 00:00 UTC);
/// How far a clock may be behind the first moment of a certificate that we hold.
const CLOCK_SLACK: Duration = Duration::hours(1);
/// Certificates that live shorter are renewed at half their life, others when a third is left.
const SHORT: Duration = Duration::days(10);

/// First and last moment of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: OffsetDateTime,
    /// Last moment.
    pub not_after: OffsetDateTime,
}

/// Why a new certificate is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none.
    Absent,
    /// It is over.
    Expired,
    /// The authority suggests it.
    Suggested,
    /// So much of its life is over that it may not wait longer.
    Age,
    /// Its owner asked for it.
    Asked,
}

/// How near the end is, as a share of the certificate's life: the same for six days and for ninety.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// More than a quarter is left.
    Far,
    /// Less than a quarter: renewal should have worked by now.
    Near,
    /// Less than a tenth: somebody must look.
    Close,
    /// It is over.
    Over,
}

impl Validity {
    /// The moment from which a renewal may wait for nothing.
    pub fn backstop(self) -> OffsetDateTime {
        let life = (self.not_after - self.not_before).max(Duration::ZERO);
        let left = if life < SHORT { life / 2 } else { life / 3 };
        self.not_after - left
    }

    /// How near the end is.
    pub fn nearness(self, now: OffsetDateTime) -> Nearness {
        let life = (self.not_after - self.not_before).max(Duration::ZERO);
        let left = self.not_after - now;
        if left <= Duration::ZERO {
            Nearness::Over
        } else if left < life / 10 {
            Nearness::Close
        } else if left < life / 4 {
            Nearness::Near
        } else {
            Nearness::Far
        }
    }
}

/// When the renewal begins: the moment drawn from the authority's suggestion, or the backstop where that is earlier.
pub fn begins(held: Validity, suggested: Option<OffsetDateTime>) -> OffsetDateTime {
    let backstop = held.backstop();
    suggested.map_or(backstop, |suggested| suggested.min(backstop))
}

/// Whether a new certificate is due at `now`, or before the next tick.
pub fn due(held: Option<Validity>, suggested: Option<OffsetDateTime>, now: OffsetDateTime) -> Option<Why> {
    let Some(held) = held else { return Some(Why::Absent) };
    if now >= held.not_after {
        return Some(Why::Expired);
    }
    if suggested.is_some_and(|suggested| now + TICK >= suggested) {
        return Some(Why::Suggested);
    }
    (now >= held.backstop()).then_some(Why::Age)
}

/// Whether the clock can be believed: it shows no time before Gatehouse, nor before a certificate that we hold began.
pub fn clock_is_wrong(held: Option<Validity>, now: OffsetDateTime) -> bool {
    now < EARLIEST || held.is_some_and(|held| now < held.not_before - CLOCK_SLACK)
}

#[cfg(test)]
mod tests;
