//! Bodies on their way through.
//!
//! Guarantees: frames pass as they arrive, one at a time, and the next one is asked for only when the receiver has
//! room; nothing is collected; bytes are counted; a request body that grows over its limit, stops arriving or arrives
//! too slowly is cut and the reason is kept; an answer that the gateway breaks off ends in an error, so that no client can take it for
//! complete; trailers pass without the fields that frame, route or identify.

use crate::headers::rewrite_trailers;
use crate::serve::{Exchange, InFlight, turn};
use crate::settings::Limits;
use crate::upstream::Lease;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why a body was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request body is larger than allowed.
    TooLarge,
    /// The request body stopped arriving.
    Stalled,
    /// The client broke the request body off, or its framing is wrong.
    ClientBroke,
    /// The gateway broke its answer off.
    GatewayBroke,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the request body is too large",
            Self::Stalled => "the request body stopped arriving",
            Self::ClientBroke => "the client broke the request body off",
            Self::GatewayBroke => "the gateway broke its answer off",
        })
    }
}

impl std::error::Error for Fault {}

/// What happened to a request body while it passed; shared with whoever writes the access log.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    bytes: AtomicU64,
    /// When the last of them passed, in milliseconds since it began.
    moved: AtomicU64,
    /// 0, or the fault + 1 in the order of [`Fault`].
    fault: AtomicU8,
}

impl Meter {
    /// Bytes that came from the client.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// When the last bytes passed; at first, when it began.
    pub(crate) fn moved(&self) -> Instant {
        self.began + Duration::from_millis(self.moved.load(Ordering::Relaxed))
    }

    fn passed(&self, count: usize) -> u64 {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(millis, Ordering::Relaxed);
        self.bytes.fetch_add(count as u64, Ordering::Relaxed)
    }

    /// Why the body was cut, where it was.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::TooLarge),
            2 => Some(Fault::Stalled),
            _ => Some(Fault::ClientBroke),
        }
    }

    fn fail(&self, fault: Fault) -> Fault {
        let code = match fault {
            Fault::TooLarge => 1,
            Fault::Stalled => 2,
            Fault::ClientBroke | Fault::GatewayBroke => 3,
        };
        self.fault.store(code, Ordering::Relaxed);
        fault
    }
}

/// A request body on its way to the gateway.
#[derive(Debug)]
pub(crate) struct RequestBody(Option<Passing>);

#[derive(Debug)]
struct Passing {
    inner: Incoming,
    meter: Arc<Meter>,
    limit: u64,
    patience: Patience,
    /// Made when the client is first waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when the client is waited for; `None` while it is not.
    waiting: Option<Instant>,
    /// How long it was waited for before.
    waited: Duration,
    /// The connection is busy for as long as the body comes, also behind an answer that came before its end.
    _in_flight: InFlight,
}

/// How long the next part of a body is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the next part; and in all, before the rate counts.
    pub(crate) stall: Duration,
    /// Bytes for each second of waiting beyond that.
    pub(crate) rate: u32,
}

impl Patience {
    /// What these limits say.
    pub(crate) fn of(limits: &Limits) -> Self {
        Self { stall: limits.body_stall, rate: limits.body_rate }
    }

    /// How much longer a client is waited for that brought so many bytes in so much waiting.
    fn left(self, bytes: u64, waited: Duration) -> Duration {
        let earned = Duration::from_millis(bytes.saturating_mul(1000) / u64::from(self.rate.max(1)));
        self.stall.saturating_add(earned).saturating_sub(waited).min(self.stall)
    }
}

impl RequestBody {
    /// No body.
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// Passes a body on, up to `limit` bytes, waiting for it no longer than `patience` says. Says what to watch;
    /// nothing where there is no body.
    pub(crate) fn new(
        inner: Incoming,
        limit: u64,
        patience: Patience,
        in_flight: impl FnOnce() -> InFlight,
    ) -> (Self, Option<Arc<Meter>>) {
        if inner.is_end_stream() {
            return (Self(None), None);
        }
        let meter = Arc::new(Meter {
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            fault: AtomicU8::new(0),
        });
        let passing = Passing {
            inner,
            meter: Arc::clone(&meter),
            limit,
            patience,
            timer: None,
            waiting: None,
            waited: Duration::ZERO,
            _in_flight: in_flight(),
        };
        (Self(Some(passing)), Some(meter))
    }

    /// Whether there is no body.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// What to watch; nothing where there is no body.
    pub(crate) fn meter(&self) -> Option<Arc<Meter>> {
        self.0.as_ref().map(|passing| Arc::clone(&passing.meter))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Some(passing) = self.0.as_mut() else { return Poll::Ready(None) };
        match Pin::new(&mut passing.inner).poll_frame(cx) {
            Poll::Pending => passing.poll_stall(cx).map(|fault| Some(Err(fault))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(passing.meter.fail(Fault::ClientBroke)))),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(since) = passing.waiting.take() {
                    passing.waited += since.elapsed();
                }
                Poll::Ready(Some(passing.check(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|passing| passing.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |passing| passing.inner.size_hint())
    }
}

impl Passing {
    fn check(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Fault> {
        match frame.into_data() {
            Ok(data) => {
                let before = self.meter.passed(data.len());
                if before + data.len() as u64 > self.limit {
                    return Err(self.meter.fail(Fault::TooLarge));
                }
                Ok(Frame::data(data))
            }
            Err(other) => Ok(clean_trailers(other)),
        }
    }

    /// Ready when the client was waited for too long.
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let left = self.patience.left(self.meter.bytes(), self.waited);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(left)));
        if self.waiting.is_none() {
            let now = Instant::now();
            self.waiting = Some(now);
            timer.as_mut().reset(now + left);
        }
        timer.as_mut().poll(cx).map(|()| self.meter.fail(Fault::Stalled))
    }
}

/// A body on its way to the client.
#[derive(Debug)]
pub(crate) enum EdgeBody {
    /// None.
    Empty,
    /// What the edge itself says.
    Own(Option<Bytes>, Box<Exchange>),
    /// What the gateway says.
    Gateway(GatewayBody),
}

/// An answer of the gateway on its way to the client. Its end, however it comes, ends the [`Exchange`].
#[derive(Debug)]
pub(crate) struct GatewayBody {
    inner: Incoming,
    /// The connection goes back to the pool only after the complete answer.
    lease: Option<Lease>,
    exchange: Box<Exchange>,
}

impl EdgeBody {
    /// Passes the gateway's answer on. `lease` is the connection to give back; none where it is not to be used again.
    pub(crate) fn gateway(inner: Incoming, lease: Option<Lease>, exchange: Box<Exchange>) -> Self {
        let mut body = GatewayBody { inner, lease, exchange };
        if body.inner.is_end_stream() {
            body.complete();
        } else {
            turn::of_client(0);
        }
        Self::Gateway(body)
    }
}

impl GatewayBody {
    fn complete(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl Drop for GatewayBody {
    fn drop(&mut self) {
        // The server stops asking after the last byte of a body of known length.
        if self.inner.is_end_stream() {
            self.complete();
        }
    }
}

impl Body for EdgeBody {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Own(bytes, exchange) => {
                let Some(bytes) = bytes.take() else { return Poll::Ready(None) };
                exchange.sent(bytes.len());
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Gateway(body) => match Pin::new(&mut body.inner).poll_frame(cx) {
                Poll::Pending => {
                    turn::of_gateway();
                    Poll::Pending
                }
                Poll::Ready(None) => {
                    body.complete();
                    Poll::Ready(None)
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(%error, "the gateway broke its answer off");
                    body.lease = None;
                    body.exchange.gateway_broke();
                    Poll::Ready(Some(Err(Fault::GatewayBroke)))
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(data) = frame.data_ref() {
                        body.exchange.sent(data.len());
                        turn::of_client(data.len());
                        Poll::Ready(Some(Ok(frame)))
                    } else {
                        Poll::Ready(Some(Ok(clean_trailers(frame))))
                    }
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Own(bytes, _) => bytes.is_none(),
            Self::Gateway(body) => body.inner.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Own(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Gateway(body) => body.inner.size_hint(),
        }
    }
}

fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            rewrite_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_earned_by_bytes_and_no_single_wait_is_longer_than_the_stall() {
        let second = Duration::from_secs(1);
        let patience = Patience { stall: second * 30, rate: 500 };
        // (bytes so far, seconds waited so far, seconds left)
        for (bytes, waited, left) in [
            (0, 0, 30),
            (1, 29, 1),
            (1, 31, 0),
            (5_000, 30, 10),
            (5_000, 40, 0),
            (1_000_000, 30, 30),
            (1_000_000, 2_020, 10),
            (u64::MAX, 1_000_000, 30),
        ] {
            assert_eq!(patience.left(bytes, second * waited).as_secs(), left, "{bytes} bytes in {waited} s");
        }
        let none = Patience { stall: second, rate: 0 };
        assert_eq!(none.left(10, second), second, "0 means 1");
    }
}
