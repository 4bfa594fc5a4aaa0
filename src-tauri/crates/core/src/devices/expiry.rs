//! When devices are revoked because their time is over.
//!
//! Guarantees: a device is due when the wall clock says so, also after a restart; a clock that is set back lengthens no
//! stay, because the time that was decided is measured here as well, from the start of this core at the latest.

use std::collections::BTreeMap;
use std::time::Duration;

use gatehouse_api::{Code, ErrorEnvelope, ExpiredDevice, Text, say};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::settings::ExpirySettings;

/// Shorter than this is no stay.
const SHORTEST: u64 = 60;
/// Longer than this is for ever.
const LONGEST: u64 = 366 * 24 * 3600;
/// How long it is told that a device was revoked.
const TOLD: time::Duration = time::Duration::days(7);
/// Of so many at most.
const TOLD_MOST: usize = 20;

/// Measures stays beside the wall clock.
#[derive(Debug, Default)]
pub(crate) struct Fuses(BTreeMap<String, Fuse>);

#[derive(Debug)]
struct Fuse {
    of: ExpirySettings,
    ends: Instant,
}

impl Fuses {
    /// The devices whose time is over.
    pub(crate) fn due(
        &mut self,
        expiries: &BTreeMap<String, ExpirySettings>,
        now: OffsetDateTime,
    ) -> Vec<String> {
        self.0.retain(|device, fuse| expiries.get(device) == Some(&fuse.of));
        for (device, expiry) in expiries {
            self.0.entry(device.clone()).or_insert_with(|| Fuse::light(expiry, now));
        }
        let over = |(_, fuse): &(&String, &Fuse)| now >= fuse.of.at || Instant::now() >= fuse.ends;
        self.0.iter().filter(over).map(|(device, _)| device.clone()).collect()
    }
}

impl Fuse {
    fn light(of: &ExpirySettings, now: OffsetDateTime) -> Self {
        let left = (of.at - now).min(of.at - of.set_at);
        Self { of: of.clone(), ends: Instant::now() + Duration::try_from(left).unwrap_or_default() }
    }
}

/// The stay that begins now and lasts so many seconds.
///
/// # Errors
/// `usage` for one that is too short or too long.
pub(crate) fn stay(seconds: u64, now: OffsetDateTime) -> Result<ExpirySettings, ErrorEnvelope> {
    let usage = |because: Text| {
        ErrorEnvelope::new(Code::Usage, say!("core.stay.title"), because).fix(say!("core.stay.fix"))
    };
    if seconds < SHORTEST {
        return Err(usage(say!("core.stay.short")));
    }
    if seconds > LONGEST {
        return Err(usage(say!("core.pause.year")));
    }
    let length = time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
    let at = now.checked_add(length).ok_or_else(|| usage(say!("core.pause.end-of-time")))?;
    Ok(ExpirySettings { set_at: now, at })
}

/// Adds one to those that are told; what is old is forgotten.
pub(crate) fn note(expired: &mut Vec<ExpiredDevice>, device: ExpiredDevice) {
    let now = device.at;
    expired.insert(0, device);
    *expired = recent(expired, now);
}

/// Those that are told now, newest first.
pub(crate) fn recent(expired: &[ExpiredDevice], now: OffsetDateTime) -> Vec<ExpiredDevice> {
    expired.iter().filter(|device| now - device.at < TOLD).take(TOLD_MOST).cloned().collect()
}

#[cfg(test)]
mod tests;
