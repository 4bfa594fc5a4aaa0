//! Going away in order: what is in flight may finish, the rest is cut.
//!
//! Guarantees: after the phase changes to [`Phase::Draining`] every connection is told to take no further request
//! (`Connection: close`, GOAWAY); at [`Phase::Cut`] whatever is left ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

/// After a cut, time for goodbyes on the wire.
const GOODBYE: Duration = Duration::from_secs(2);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Requests that were in flight and finished by themselves.
    pub finished: usize,
    /// Requests and WebSockets that were cut.
    pub cut: usize,
}

/// What connections should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Phase {
    /// Serve.
    #[default]
    Running,
    /// Finish what is in flight.
    Draining,
    /// End.
    Cut,
}

/// Counts what is in flight, and tells it what to do.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    requests: AtomicUsize,
    websockets: AtomicUsize,
    phase: watch::Sender<Phase>,
    /// Counts the times that all WebSockets were told to end.
    endings: watch::Sender<u64>,
    draining: AtomicBool,
    changed: Notify,
}

impl Tally {
    /// A request begins.
    pub(crate) fn request(self: &Arc<Self>) -> Counted {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Counted { tally: Arc::clone(self), websocket: false }
    }

    /// Requests in flight.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    /// Open WebSockets.
    pub(crate) fn websockets(&self) -> usize {
        self.websockets.load(Ordering::Acquire)
    }

    /// Follows the phase.
    pub(crate) fn phase(&self) -> Follow {
        Follow(self.phase.subscribe())
    }

    /// Ends every WebSocket that is open now; requests and connections go on.
    pub(crate) fn end_websockets(&self) {
        self.endings.send_modify(|endings| *endings += 1);
    }

    /// Ready when a WebSocket that begins now has to end: at [`Self::end_websockets`], or at the cut of a drain.
    pub(crate) fn websocket_ends(&self) -> impl Future<Output = ()> + use<> {
        let mut endings = self.endings.subscribe();
        let cut = self.phase().at_least(Phase::Cut);
        async move {
            tokio::select! {
                _ = endings.changed() => {}
                () = cut => {}
            }
        }
    }

    /// Lets requests finish for at most `grace`, then cuts everything. Connections that come later are served again.
    pub(crate) async fn drain(&self, grace: Duration, connections: impl Fn() -> usize) -> Drained {
        let deadline = Instant::now() + grace;
        self.draining.store(true, Ordering::Release);
        let requests = self.requests.load(Ordering::Acquire);
        self.phase.send_replace(Phase::Draining);
        let _ = self.until(deadline, || self.requests.load(Ordering::Acquire) == 0).await;
        let left = self.requests.load(Ordering::Acquire);
        let cut = left + self.websockets();
        self.phase.send_replace(Phase::Cut);
        // Nobody may miss the cut: the phase goes back only when all have seen it.
        let gone =
            || self.requests.load(Ordering::Acquire) == 0 && self.websockets() == 0 && connections() == 0;
        let _ = self.until(Instant::now() + GOODBYE, gone).await;
        self.draining.store(false, Ordering::Release);
        self.phase.send_replace(Phase::Running);
        Drained { finished: requests.saturating_sub(left), cut }
    }

    /// Something ended that a drain may wait for.
    pub(crate) fn ended(&self) {
        if self.draining.load(Ordering::Acquire) {
            self.changed.notify_waiters();
        }
    }

    async fn until(&self, deadline: Instant, holds: impl Fn() -> bool) -> bool {
        loop {
            let changed = self.changed.notified();
            if holds() {
                return true;
            }
            if timeout_at(deadline, changed).await.is_err() {
                return false;
            }
        }
    }
}

/// One request or WebSocket in flight.
#[derive(Debug)]
pub(crate) struct Counted {
    tally: Arc<Tally>,
    websocket: bool,
}

impl Counted {
    /// The request has become a WebSocket.
    pub(crate) fn becomes_websocket(&mut self) {
        if !std::mem::replace(&mut self.websocket, true) {
            self.tally.websockets.fetch_add(1, Ordering::AcqRel);
            self.tally.requests.fetch_sub(1, Ordering::AcqRel);
            self.tally.ended();
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let count = if self.websocket { &self.tally.websockets } else { &self.tally.requests };
        count.fetch_sub(1, Ordering::AcqRel);
        self.tally.ended();
    }
}

/// Waits for a phase.
#[derive(Debug, Clone)]
pub(crate) struct Follow(watch::Receiver<Phase>);

impl Follow {
    /// Ready when the phase is this one or a later one. Also when the edge itself is gone.
    pub(crate) async fn at_least(mut self, phase: Phase) {
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}

#[cfg(test)]
mod tests;
