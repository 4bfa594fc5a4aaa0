//! A change that ends in a defect of ours: it blocks nobody, and nothing of it stays.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;

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

    /// Does some work on a change. Where a defect interrupts it, what it left open is taken back.
    ///
    /// # Errors
    /// What the defect said of itself.
    pub(crate) async fn guarded<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(outcome) => Ok(outcome),
            Err(defect) => {
                self.recover(true).await;
                Err(said(&*defect))
            }
        }
    }
}

fn said(defect: &(dyn Any + Send)) -> String {
    let text = defect.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| defect.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
