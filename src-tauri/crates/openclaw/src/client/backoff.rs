//! How long to wait before the next attempt.

use std::time::Duration;

pub(super) const SHORTEST: Duration = Duration::from_millis(250);
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Waits that grow from 0.25 s to 10 s, each drawn at random, so that clients of one gateway do not come in step.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait; `fraction` is a random number from 0 to 1.
    pub(super) fn next(&mut self, fraction: f64) -> Duration {
        let highest = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failures + 1)).min(LONGEST);
        self.failures = (self.failures + 1).min(16);
        SHORTEST + (highest - SHORTEST).mul_f64(fraction.clamp(0.0, 1.0))
    }
}

/// A random number from 0 to 1; the middle where the system gives none.
pub(super) fn random_fraction() -> f64 {
    let mut bytes = [0_u8; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, LONGEST, SHORTEST};

    #[test]
    fn waits_grow_from_a_quarter_second_to_ten_seconds_and_start_again_after_a_reset() {
        let mut backoff = Backoff::default();

        let longest: Vec<u128> = (0..8).map(|_| backoff.next(1.0).as_millis()).collect();
        backoff.reset();

        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
        assert_eq!(backoff.next(1.0).as_millis(), 500);
    }

    #[test]
    fn no_wait_is_shorter_or_longer_than_the_limits() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert_eq!(backoff.next(0.0), SHORTEST);
            assert!(backoff.next(1.0) <= LONGEST);
        }
    }
}
