//! Calls that may wait for a person, with a limit for the caller and never more than one at a time.

use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// A lane for calls that block. A call that outlives its limit goes on in its own thread; the next one waits for it,
/// so that at most one thread hangs in a prompt, and gives up at its own limit.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    taken: Arc<(Mutex<bool>, Condvar)>,
}

impl Lane {
    /// The answer of `call`, or `None` where there is none within `limit`.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let until = Instant::now() + limit;
        let place = self.take(until)?;
        let (sender, receiver) = mpsc::channel();
        let started = std::thread::Builder::new().name("secrets".to_owned()).spawn(move || {
            let answer = call();
            drop(place);
            let _ = sender.send(answer);
        });
        started.ok()?;
        receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    fn take(&self, until: Instant) -> Option<Place> {
        let (taken, freed) = &*self.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            let left = until.checked_duration_since(Instant::now())?;
            (taken, _) = freed.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        Some(Place(self.clone()))
    }
}

/// Gives the lane free when the call ends, also by a panic.
struct Place(Lane);

impl Drop for Place {
    fn drop(&mut self) {
        let (taken, freed) = &*self.0.taken;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
