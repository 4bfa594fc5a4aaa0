//! A gateway restart takes six to fourteen seconds: the state of the address does not flap within it.
//!
//! The gateway's own summary always tells the newest verdict. What it means for the address changes only when the
//! gateway has been away for [`SETTLE`]; coming back counts at once.

use time::{Duration, OffsetDateTime};

/// How long the gateway may be away before the address counts as degraded: three measured restarts (6.4 s; 14 s on a busy
/// machine).
pub(crate) const SETTLE: Duration = Duration::seconds(20);

/// Since when the gateway has been away.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outage {
    since: Option<OffsetDateTime>,
}

impl Outage {
    /// Takes the newest observation. Returns whether the gateway has just come back.
    pub(crate) fn observe(&mut self, running: bool, now: OffsetDateTime) -> bool {
        if running {
            return self.since.take().is_some();
        }
        self.since.get_or_insert(now);
        false
    }

    /// Whether the gateway is away now, settled or not.
    pub(crate) fn under_way(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it has been away for so long that it is no restart. A clock that was set back counts as long.
    pub(crate) fn settled(&self, now: OffsetDateTime) -> bool {
        self.since.is_some_and(|since| now < since || now - since >= SETTLE)
    }
}

#[cfg(test)]
mod tests;
