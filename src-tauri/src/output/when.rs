//! Moments and durations as people say them.

use std::time::Duration;

use gatehouse_api::{Text, say};
use time::{OffsetDateTime, UtcOffset};

/// The present, and how this machine's clock on the wall differs from UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    offset: Option<UtcOffset>,
}

impl Clock {
    /// Reads the local offset; call it while the program has one thread. Without it, times are in UTC and say so.
    pub(crate) fn local() -> Self {
        Self { offset: UtcOffset::current_local_offset().ok() }
    }

    /// A clock on the wall that shows UTC.
    #[cfg(all(test, feature = "tray"))]
    pub(crate) fn utc() -> Self {
        Self { offset: Some(UtcOffset::UTC) }
    }

    /// Now.
    pub(crate) fn now(self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    /// `14:02:11`, or `14:02:11Z` where only UTC is known.
    pub(crate) fn time(self, at: OffsetDateTime) -> String {
        let local = at.to_offset(self.offset.unwrap_or(UtcOffset::UTC));
        let zone = if self.offset.is_some() { "" } else { "Z" };
        format!("{:02}:{:02}:{:02}{zone}", local.hour(), local.minute(), local.second())
    }

    /// `2026-11-20`.
    pub(crate) fn date(self, at: OffsetDateTime) -> String {
        let local = at.to_offset(self.offset.unwrap_or(UtcOffset::UTC));
        format!("{:04}-{:02}-{:02}", local.year(), u8::from(local.month()), local.day())
    }

    /// `2 min ago`, or `in 2 min` for what is to come.
    pub(crate) fn relative(self, at: OffsetDateTime) -> Text {
        let difference = self.now() - at;
        let (length, gone) = (difference.unsigned_abs(), !difference.is_negative());
        match (length.as_secs(), gone) {
            (0, _) => say!("cli.when.now"),
            (_, false) => say!("cli.when.in", length = span(length)),
            (_, true) => say!("cli.when.ago", length = span(length)),
        }
    }
}

/// `45 s`, `12 min`, `3 h`, `8 days`, to the nearest.
pub(crate) fn span(duration: Duration) -> Text {
    let seconds = duration.as_secs();
    let nearest = |unit: u64| (seconds + unit / 2) / unit;
    match seconds {
        0..120 => say!("cli.when.seconds", seconds = seconds),
        120..7_170 => say!("cli.when.minutes", minutes = nearest(60)),
        7_170..171_000 => say!("cli.when.hours", hours = nearest(3_600)),
        _ => say!("cli.when.days", days = nearest(86_400)),
    }
}

/// Reads `90`, `90s`, `10m`, `2h`, `1d`.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.find(|character: char| !character.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("write a number and s, m, h or d: 90s, 10m, 2h, 1d".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "write a number and s, m, h or d: 90s, 10m".to_owned())?;
    let seconds = number.checked_mul(factor).filter(|seconds| *seconds <= 366 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| "that is more than a year".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in
            [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7_200), ("1d", 86_400), ("0", 0)]
        {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "-1", "1.5h", "10 m", "1w", "99999999999999999999s", "400d"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_said_in_one_unit() {
        let said = [0, 119, 120, 299, 7_169, 7_170, 170_999, 171_000].map(|s| span(Duration::from_secs(s)));
        assert_eq!(said, ["0 s", "119 s", "2 min", "5 min", "119 min", "2 h", "47 h", "2 days"]);
    }

    #[test]
    fn the_past_and_the_future_are_told_apart() {
        let clock = Clock { offset: None };
        let now = clock.now();
        assert_eq!(clock.relative(now - time::Duration::minutes(5)), "5 min ago");
        assert_eq!(clock.relative(now + time::Duration::seconds(310)), "in 5 min");
    }

    #[test]
    fn utc_says_that_it_is_utc() {
        let at = time::macros::datetime!(2026-11-20 23:02:11 UTC);
        assert_eq!(Clock { offset: None }.time(at), "23:02:11Z");
        let east = Clock { offset: Some(time::macros::offset!(+2)) };
        assert_eq!((east.time(at), east.date(at)), ("01:02:11".to_owned(), "2026-11-21".to_owned()));
    }
}
