//! Durations in buckets.

use super::text::Exposition;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of buckets, in microseconds, with their labels in seconds.
pub(super) type Bounds = &'static [(u64, &'static str)];

/// For handshakes.
pub(super) const HANDSHAKE: Bounds = &[
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];
/// For the gateway's first byte.
pub(super) const FIRST_BYTE: Bounds = &[
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (15_000_000, "15"),
    (60_000_000, "60"),
    (300_000_000, "300"),
];
/// For the lives of WebSockets.
pub(super) const LIFETIME: Bounds = &[
    (1_000_000, "1"),
    (15_000_000, "15"),
    (60_000_000, "60"),
    (300_000_000, "300"),
    (1_800_000_000, "1800"),
    (3_600_000_000, "3600"),
    (14_400_000_000, "14400"),
    (43_200_000_000, "43200"),
    (86_400_000_000, "86400"),
    (604_800_000_000, "604800"),
];

/// Counts of durations. What is read while others write may be one behind, never inconsistent: `_count` is the sum of
/// the buckets that were read.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: Bounds,
    /// One for each bound, and the last for everything above.
    buckets: Box<[AtomicU64]>,
    /// In microseconds.
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: Bounds) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = self.bounds.partition_point(|(bound, _)| *bound < micros);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn write(&self, out: &mut Exposition) {
        let labels = self.bounds.iter().map(|(_, label)| *label).chain(["+Inf"]);
        let mut total = 0;
        for (label, bucket) in labels.zip(&self.buckets) {
            total += bucket.load(Ordering::Relaxed);
            out.sample("_bucket", &[("le", label)], total);
        }
        out.seconds("_sum", self.sum.load(Ordering::Relaxed));
        out.sample("_count", &[], total);
    }
}
