//! Waiting for a condition instead of for the clock.

use std::future::Future;
use std::time::{Duration, Instant};

/// An attempt is often a program that starts: more of them would be felt by what is waited for.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Tries `attempt` until it gives something. Fails the test after `limit`, naming `what` was waited for.
pub async fn eventually<T>(what: &str, limit: Duration, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Runs `work`, and fails the test when it takes longer than `limit`.
pub async fn within<T>(what: &str, limit: Duration, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => panic!("took longer than {limit:?}: {what}"),
    }
}
