//! A change that ends in a defect of ours blocks nobody.

use std::sync::atomic::Ordering;

use super::Engine;

/// As long as it lives a change is being made. A defect ends that, too: what it left open is open for everybody.
pub(super) struct AtWork<'a>(&'a Engine);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.stoppable.store(false, Ordering::SeqCst);
        self.0.running.send_replace(None);
    }
}

impl Engine {
    /// Says which change is being made.
    pub(super) fn at_work(&self, id: &str) -> AtWork<'_> {
        self.running.send_replace(Some(id.to_owned()));
        AtWork(self)
    }
}
