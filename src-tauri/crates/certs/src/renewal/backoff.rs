//! When to try again after a failure.

use time::{Duration, OffsetDateTime};

use crate::acme::{Cause, Failure};

/// The longest that anything but an authority's own wish keeps us away.
const LONGEST: Duration = Duration::hours(6);

/// The earliest moment of the next attempt with the same authority: after `in_row` failures in a row (this one counted), not
/// before the authority's `Retry-After`. `draw` in `0.0..1.0` moves it by a tenth to either side, so that many machines do
/// not come at once.
pub fn again(failure: &Failure, in_row: u32, now: OffsetDateTime, draw: f64) -> OffsetDateTime {
    let minutes: &[i64] = match failure.cause {
        // Nobody counts these, and the network may be back at any moment.
        Cause::Unreachable => &[1, 2, 5, 10],
        Cause::Slow | Cause::BadNonce => &[2, 5, 10, 20],
        Cause::Profile | Cause::AlreadyReplaced | Cause::AccountLost | Cause::OrderLost => &[1, 10, 60],
        Cause::Server | Cause::Local | Cause::DnsProvider => &[1, 5, 20, 60, 180],
        Cause::RateLimited => &[60, 180, 360],
        Cause::Connection | Cause::WrongAnswer | Cause::Tls | Cause::Dns => &[1, 10, 100, 360],
        // Somebody must change something; a change asks anew at once.
        Cause::Caa
        | Cause::Rejected
        | Cause::BadRequest
        | Cause::UserAction
        | Cause::ExternalAccount
        | Cause::Terms
        | Cause::Contact
        | Cause::NoChallenge => &[10, 100, 360],
    };
    let step = usize::try_from(in_row.saturating_sub(1)).unwrap_or(usize::MAX).min(minutes.len() - 1);
    let wait = minutes.get(step).map_or(LONGEST, |minutes| Duration::minutes(*minutes));
    let factor = 0.9 + 0.2 * draw.clamp(0.0, 1.0);
    let wished = failure.retry_after.unwrap_or(now);
    (now + wait * factor).max(wished)
}

#[cfg(test)]
mod tests;
