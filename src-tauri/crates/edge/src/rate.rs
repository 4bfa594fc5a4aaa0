//! How often one client may do something: the generic cell rate algorithm (GCRA).
//!
//! One instant per client is all it keeps: the time at which everything admitted so far would be over at the average
//! rate. What is refused costs the client nothing.

use std::time::Duration;
use tokio::time::Instant;

/// So many per second on average, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Per second, on average. 0 means 1.
    pub(crate) per_second: u32,
    /// At once. 0 means 1.
    pub(crate) burst: u32,
}

impl Rate {
    /// Admits one more, or says after how long there will be room for it. `due` is what is kept of the client.
    pub(crate) fn take(self, due: &mut Option<Instant>, now: Instant) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / self.per_second.max(1);
        let tolerance = interval * (self.burst.max(1) - 1);
        let at = due.map_or(now, |due| due.max(now));
        let ahead = at - now;
        if ahead > tolerance {
            return Err(ahead - tolerance);
        }
        *due = Some(at + interval);
        Ok(())
    }
}

/// Whether nothing of a client needs to be remembered any more.
pub(crate) fn is_over(due: Option<Instant>, now: Instant) -> bool {
    due.is_none_or(|due| due <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_average_then_the_burst_again() {
        // (milliseconds since the start, admitted; else the milliseconds to wait)
        let table = [
            (0, Ok(())),
            (0, Ok(())),
            (0, Ok(())),
            (0, Err(100)),
            (40, Err(60)),
            (100, Ok(())),
            (100, Err(100)),
            (250, Ok(())),
            (250, Err(50)),
            (10_000, Ok(())),
            (10_000, Ok(())),
            (10_000, Ok(())),
            (10_000, Err(100)),
        ];
        let rate = Rate { per_second: 10, burst: 3 };
        let start = Instant::now();
        let mut due = None;
        for (row, (at, expected)) in table.into_iter().enumerate() {
            let taken = rate.take(&mut due, start + Duration::from_millis(at));
            assert_eq!(taken, expected.map_err(Duration::from_millis), "row {row}");
        }
    }

    #[test]
    fn a_refusal_costs_nothing() {
        let rate = Rate { per_second: 1, burst: 1 };
        let start = Instant::now();
        let mut due = None;
        rate.take(&mut due, start).unwrap();
        for _ in 0..1000 {
            rate.take(&mut due, start).unwrap_err();
        }
        rate.take(&mut due, start + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn no_limit_of_zero_shuts_everybody_out() {
        let rate = Rate { per_second: 0, burst: 0 };
        let start = Instant::now();
        let mut due = None;
        rate.take(&mut due, start).unwrap();
        assert_eq!(rate.take(&mut due, start), Err(Duration::from_secs(1)));
        assert!(!is_over(due, start));
        assert!(is_over(due, start + Duration::from_secs(1)));
    }
}
