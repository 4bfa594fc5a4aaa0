//! Waiting for a condition instead of for the clock.

use std::future::Future;
use std::time::{Duration, Instant};

/// Tries `attempt` until it gives something. Fails the test after `limit`, naming `what` was waited for.
pub async fn eventually<T>(what: &str, limit: Duration, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs `work`, and fails the test when it takes longer than `limit`.
pub async fn within<T>(what: &str, limit: Duration, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => panic!("took longer than {limit:?}: {what}"),
    }
}
