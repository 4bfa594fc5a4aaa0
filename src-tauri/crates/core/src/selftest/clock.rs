//! The clock: certificates are valid by it.

use std::time::{Duration, Instant, SystemTime};

use gatehouse_api::say;
use time::OffsetDateTime;
use time::macros::datetime;

use super::Finding;

/// Before this version was written, and so wrong.
const EARLIEST: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
/// A processor's clock that was never set tends to be far off.
const LATEST: OffsetDateTime = datetime!(2060-01-01 00:00 UTC);
const LOOK: Duration = Duration::from_millis(500);
/// Between the two clocks, within [`LOOK`]; a busy machine needs some room between two calls.
const DRIFT: Duration = Duration::from_millis(100);

pub(super) fn check() -> Finding {
    let now = OffsetDateTime::now_utc();
    if !(EARLIEST..LATEST).contains(&now) {
        return Finding::failed(
            say!("core.selftest.clock.wrong", now = now.date().to_string()),
            say!("core.selftest.clock.fix"),
        );
    }
    let (wall, steady) = (SystemTime::now(), Instant::now());
    std::thread::park_timeout(LOOK);
    let (wall, steady) = (wall.elapsed(), steady.elapsed());
    match wall.ok().map(|wall| wall.abs_diff(steady)) {
        Some(drift) if drift <= DRIFT => {
            Finding::passed([say!("core.selftest.clock.saw", ms = drift.as_millis().to_string())])
        }
        Some(_) | None => Finding::failed(say!("core.selftest.clock.jumps"), say!("core.selftest.clock.fix")),
    }
}
