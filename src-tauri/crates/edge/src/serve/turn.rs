//! Whose turn it is on an HTTP/2 stream: the gateway's, which has more to say, or the client's, which has to make room.
//!
//! A client that gives a stream no room (RFC 9113 §5.2) blocks nothing that [`super::Activity`] could see: the connection goes
//! on, and pings keep it alive. Yet its request keeps a connection to the gateway. Guarantee: a stream on which it was the client's turn for longer than the
//! limit is reset; the others of its connection are not touched. Nothing is armed for a stream that never waits.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// What a slow client takes at least, in bytes per second: what it was given at once is buffered, and only its end is seen.
const SLOWEST: u64 = 2048;

/// Since when it is the client's turn, and how many bytes it was given then.
#[derive(Debug, Clone, Copy, Default)]
struct Turn(Option<(Instant, u64)>);

thread_local! {
    /// The stream that is polled now; none outside of HTTP/2.
    static CURRENT: Cell<Option<Turn>> = const { Cell::new(None) };
}

/// The client was given so many bytes and has to make room for more.
pub(crate) fn of_client(bytes: usize) {
    set(|| Turn(Some((Instant::now(), bytes as u64))));
}

/// The gateway is waited for.
pub(crate) fn of_gateway() {
    set(Turn::default);
}

fn set(turn: impl FnOnce() -> Turn) {
    CURRENT.with(|current| {
        if current.get().is_some() {
            current.set(Some(turn()));
        }
    });
}

impl Turn {
    fn due(self, limit: Duration) -> Option<Instant> {
        self.0
            .map(|(since, bytes)| since + limit + Duration::from_millis(bytes.saturating_mul(1000) / SLOWEST))
    }
}

/// Runs the streams of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    /// How long a client may give a stream no room.
    pub(super) limit: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(within(self.limit, stream));
    }
}

/// The stream, until its end or until the client has made no room for too long.
async fn within<F: Future>(limit: Duration, stream: F) {
    let mut stream = pin!(stream);
    let mut turn = Turn::default();
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        let outer = CURRENT.replace(Some(turn));
        let ended = stream.as_mut().poll(cx).is_ready();
        turn = CURRENT.replace(outer).unwrap_or_default();
        if ended {
            return Poll::Ready(());
        }
        let Some(due) = turn.due(limit) else { return Poll::Pending };
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::{sleep, timeout};

    const LIMIT: Duration = Duration::from_secs(30);

    async fn lasts(stream: impl Future<Output = ()>) -> Duration {
        let began = Instant::now();
        let _ = timeout(Duration::from_secs(3600), within(LIMIT, stream)).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_the_client_makes_no_room_and_not_while_the_gateway_is_silent() {
        let given = lasts(async {
            of_client(0);
            pending().await
        });
        assert_eq!(given.await.as_secs(), 30);
        let silent = lasts(async {
            of_client(10);
            sleep(LIMIT / 2).await;
            of_gateway();
            pending().await
        });
        assert_eq!(silent.await.as_secs(), 3600);
        assert_eq!(lasts(sleep(LIMIT * 3)).await, LIMIT * 3, "nothing was said");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_little_at_a_time_goes_on_and_much_may_take_longer() {
        let steady = lasts(async {
            for _ in 0..10 {
                of_client(1);
                sleep(LIMIT - Duration::from_secs(1)).await;
            }
        });
        assert_eq!(steady.await.as_secs(), 290);
        let much = lasts(async {
            of_client(128 * 1024);
            pending().await
        });
        assert_eq!(much.await.as_secs(), 30 + 64);
    }

    #[test]
    fn outside_of_a_stream_nothing_is_remembered() {
        of_client(1);
        assert!(CURRENT.get().is_none());
    }
}
