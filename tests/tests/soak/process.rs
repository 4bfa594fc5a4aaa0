//! What the program takes of the machine, and whether that grows.

use std::fmt;
use std::sync::atomic::Ordering;

use crate::traffic::Tally;

/// Minutes until caches, pools and the allocator have what they need.
const WARM: usize = 5;

/// One minute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) resident_kb: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: u64,
    pub(crate) alive: usize,
    pub(crate) answered: usize,
    pub(crate) failed: usize,
}

impl Sample {
    pub(crate) fn of(pid: u32, tally: &Tally) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the program runs");
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a field of status");
            line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
        };
        Self {
            resident_kb: field("VmRSS:"),
            threads: field("Threads:"),
            descriptors: std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the program runs").count(),
            alive: tally.alive(),
            answered: tally.answered.load(Ordering::SeqCst),
            failed: tally.failed.load(Ordering::SeqCst),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:11}  {:11}  {:7}  {:5}  {:8}  {:6}",
            self.resident_kb, self.descriptors, self.threads, self.alive, self.answered, self.failed
        )
    }
}

/// Whether it grew.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) flat: bool,
    text: String,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Compares the median of the first third behind the warm-up with that of the last third: at most 5 % or 4 MiB more memory,
/// 16 descriptors (connections of the traffic come and go) and 2 threads.
pub(crate) fn verdict(samples: &[Sample]) -> Verdict {
    let warm = samples.get(WARM.min(samples.len() / 4)..).unwrap_or(samples);
    let third = (warm.len() / 3).max(1);
    let (first, last) = (&warm[..third], &warm[warm.len() - third..]);
    let median = |of: &[Sample], what: fn(&Sample) -> u64| {
        let mut all: Vec<_> = of.iter().map(what).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    let pair = |what| (median(first, what), median(last, what));
    let memory = pair(|sample| sample.resident_kb);
    let descriptors = pair(|sample| sample.descriptors as u64);
    let threads = pair(|sample| sample.threads);
    let flat = memory.1 <= memory.0 + (memory.0 / 20).max(4096)
        && descriptors.1 <= descriptors.0 + 16
        && threads.1 <= threads.0 + 2;
    let text = format!(
        "{}: resident {} -> {} kB, descriptors {} -> {}, threads {} -> {} (medians of the first and the last third)",
        if flat { "flat" } else { "NOT flat" },
        memory.0,
        memory.1,
        descriptors.0,
        descriptors.1,
        threads.0,
        threads.1
    );
    Verdict { flat, text }
}
