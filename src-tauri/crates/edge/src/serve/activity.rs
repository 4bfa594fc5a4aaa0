//! What a connection is doing, and whether it does it fast enough.
//!
//! hyper has no idle limit and its header limit runs while a connection merely waits for a request, so both are kept
//! here: every read and every blocked write of the connection leaves a mark, and a watchdog reads the marks when a
//! deadline is due. Nothing is armed per request.

use crate::settings::Limits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What the watchdog should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again at this time.
    Fine(Instant),
    /// No request for too long: say goodbye.
    Idle,
    /// Headers that do not end, or an answer that is not read: cut.
    Stalled,
}

/// The marks of one connection. Times are milliseconds since it began, plus one; 0 = never.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// Requests in flight.
    in_flight: AtomicUsize,
    /// Bodies of requests that arrive, also behind their answers.
    uploads: AtomicUsize,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// When the first byte of a request arrived whose headers are not complete.
    head_since: AtomicU64,
    /// Since when the client has not taken what we write.
    write_blocked_since: AtomicU64,
    /// Whether an answer may not have left completely.
    answering: AtomicBool,
    /// Heads that were seen to be complete and not become requests yet. Unused where nobody looks (HTTP/2).
    heads: AtomicU64,
}

impl Activity {
    /// A connection that begins now.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            in_flight: AtomicUsize::new(0),
            uploads: AtomicUsize::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            write_blocked_since: AtomicU64::new(0),
            answering: AtomicBool::new(false),
            heads: AtomicU64::new(0),
        })
    }

    /// A request has arrived; it lasts until the guard is dropped.
    pub(crate) fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.head_since.store(0, Ordering::Release);
        self.answering.store(true, Ordering::Release);
        InFlight { activity: Arc::clone(self), of: |activity| &activity.in_flight }
    }

    /// A body arrives, which may go on behind the answer; it lasts until the guard is dropped.
    pub(crate) fn upload(self: &Arc<Self>) -> InFlight {
        self.uploads.fetch_add(1, Ordering::AcqRel);
        InFlight { activity: Arc::clone(self), of: |activity| &activity.uploads }
    }

    fn is_answered(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }

    /// Everything that was written has left.
    pub(super) fn flushed(&self) {
        if self.is_answered() {
            self.answering.store(false, Ordering::Release);
        }
    }

    /// Whether what is written next may belong to an answer.
    pub(super) fn is_answering(&self) -> bool {
        !self.is_answered() || self.answering.load(Ordering::Acquire)
    }

    /// Whether a request is in flight, or its body still comes.
    pub(crate) fn is_busy(&self) -> bool {
        !self.is_answered() || self.uploads.load(Ordering::Acquire) > 0
    }

    /// Judges the marks. `head` limits incomplete headers (none on HTTP/2, where other streams read meanwhile).
    pub(crate) fn verdict(&self, limits: &Limits, head: Option<Duration>) -> Verdict {
        let now = Instant::now();
        let passed = |mark: &AtomicU64, limit: Duration| match mark.load(Ordering::Acquire) {
            0 => None,
            at => Some(self.began + Duration::from_millis(at - 1) + limit),
        };
        if let Some(deadline) = passed(&self.write_blocked_since, limits.body_stall)
            && deadline <= now
        {
            return Verdict::Stalled;
        }
        let mut next = now + limits.body_stall.min(limits.keep_alive);
        if !self.is_busy() {
            if let Some(deadline) = head.and_then(|limit| passed(&self.head_since, limit)) {
                if deadline <= now {
                    return Verdict::Stalled;
                }
                next = next.min(deadline);
            }
            if let Some(deadline) = passed(&self.idle_since, limits.keep_alive) {
                if deadline <= now {
                    return Verdict::Idle;
                }
                next = next.min(deadline);
            }
        }
        if let Some(limit) = head {
            next = next.min(now + limit);
        }
        Verdict::Fine(next)
    }

    fn mark(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// So many more heads were read in the only way there is.
    pub(super) fn heads(&self, count: u64) {
        self.heads.fetch_add(count, Ordering::AcqRel);
    }

    /// Whether the next request is one that was seen to begin. If not, somebody reads the bytes of this connection in
    /// another way than we do.
    pub(crate) fn expects(&self) -> bool {
        self.heads.fetch_update(Ordering::AcqRel, Ordering::Acquire, |heads| heads.checked_sub(1)).is_ok()
    }

    pub(super) fn read(&self) {
        if !self.is_busy() && self.head_since.load(Ordering::Acquire) == 0 {
            self.head_since.store(self.mark(), Ordering::Release);
        }
    }

    /// `moved` = some bytes left, even where the rest waits.
    pub(super) fn write(&self, blocked: bool, moved: bool) {
        let before = self.write_blocked_since.load(Ordering::Acquire);
        if blocked && (before == 0 || moved) {
            self.write_blocked_since.store(self.mark(), Ordering::Release);
        } else if !blocked && before != 0 {
            self.write_blocked_since.store(0, Ordering::Release);
        }
    }
}

/// A request in flight, or a body that arrives.
#[derive(Debug)]
pub(crate) struct InFlight {
    activity: Arc<Activity>,
    of: fn(&Activity) -> &AtomicUsize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.activity.idle_since.store(self.activity.mark(), Ordering::Release);
        (self.of)(&self.activity).fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn second(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_idle_only_while_no_request_is_in_flight() {
        let limits = Limits::default();
        let activity = Activity::new();
        let request = activity.request();
        advance(limits.keep_alive * 10).await;
        assert!(matches!(activity.verdict(&limits, None), Verdict::Fine(_)));
        drop(request);
        advance(limits.keep_alive - second(1)).await;
        let next = Instant::now() + second(1);
        assert_eq!(activity.verdict(&limits, None), Verdict::Fine(next));
        advance(second(1)).await;
        assert_eq!(activity.verdict(&limits, None), Verdict::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn headers_are_limited_from_their_first_byte_on() {
        let limits = Limits::default();
        let activity = Activity::new();
        advance(second(60)).await;
        activity.read();
        advance(second(5)).await;
        activity.read();
        assert_eq!(
            activity.verdict(&limits, Some(limits.headers)),
            Verdict::Fine(Instant::now() + second(5))
        );
        advance(second(5)).await;
        assert_eq!(activity.verdict(&limits, Some(limits.headers)), Verdict::Stalled);
        drop(activity.request());
        assert!(matches!(activity.verdict(&limits, Some(limits.headers)), Verdict::Fine(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_goes_on_behind_its_answer_keeps_the_connection_busy() {
        let limits = Limits::default();
        let activity = Activity::new();
        let (request, upload) = (activity.request(), activity.upload());
        drop(request);
        activity.read();
        advance(limits.headers * 2).await;
        assert!(matches!(activity.verdict(&limits, Some(limits.headers)), Verdict::Fine(_)));
        assert!(activity.is_answering(), "the end of the answer is not written yet");
        activity.flushed();
        assert!(!activity.is_answering());
        drop(upload);
        advance(limits.keep_alive).await;
        assert_eq!(activity.verdict(&limits, None), Verdict::Idle);
    }

    #[tokio::test]
    async fn each_head_makes_one_request() {
        let activity = Activity::new();
        assert!(!activity.expects());
        activity.heads(2);
        assert!(activity.expects() && activity.expects() && !activity.expects());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_stalled() {
        let limits = Limits::default();
        let activity = Activity::new();
        let _request = activity.request();
        activity.write(true, false);
        advance(limits.body_stall - second(1)).await;
        activity.write(true, true);
        advance(limits.body_stall - second(1)).await;
        activity.write(true, false);
        assert!(matches!(activity.verdict(&limits, None), Verdict::Fine(_)), "it reads, slowly");
        advance(second(1)).await;
        assert_eq!(activity.verdict(&limits, None), Verdict::Stalled);
        activity.write(false, true);
        assert!(matches!(activity.verdict(&limits, None), Verdict::Fine(_)));
    }
}
