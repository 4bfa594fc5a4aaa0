//! The way to the gateway: pooled HTTP/1.1 connections, and one fresh connection for each upgrade.
//!
//! Guarantees: an idle connection is used again only while it is younger than the gateway's own limit; a request is
//! sent a second time only if the gateway cannot have acted on it (nothing of it was written), or acting twice is acting
//! once (it has no body, and the connection died before a single byte of an answer: safe methods as long as there are
//! [`ATTEMPTS`], other idempotent ones only where the connection was a *reused* one); a refused connection makes the
//! request wait in [`Hold`] with its body unread; an upgrade never shares a connection with anything.

mod io;
mod pool;
mod websocket;

pub(crate) use io::UpstreamIo;
pub(crate) use pool::Lease;
pub(crate) use websocket::{Answer, random_key};

use crate::body::{Meter, RequestBody};
use crate::hold::{GaveUp, Hold, Stage};
use crate::settings::EdgeSettings;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pool::Pool;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

/// Bytes that one gateway connection may read ahead of a slow client.
const READ_BUFFER: usize = 128 * 1024;
/// How often a request is sent at most. A gateway that restarts may break two in a row: it closes its idle connections a
/// moment before its port, and those that it has not yet accepted with that.
const ATTEMPTS: usize = 3;

/// A connection on which requests can be sent.
type Sender = http1::SendRequest<RequestBody>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refuses connections, and nobody waited or may wait.
    Down,
    /// It refused connections for as long as the request could wait.
    StillDown,
    /// It did not take the connection or did not answer in time.
    TimedOut,
    /// It broke the connection or sent no valid HTTP.
    Broke,
    /// Its answer to an upgrade is not a valid one.
    BadUpgrade,
}

/// The gateway as the requests see it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upstream {
    pool: Arc<Pool>,
    pub(crate) hold: Hold,
}

impl Upstream {
    /// Sends a request and waits for the head of the answer.
    ///
    /// `first_byte` limits the time from a sent request to that head: from the last byte of a body on that passed, for a client
    /// may need longer to bring it. Only for the gateway itself a request waits while
    /// nobody listens there.
    pub(crate) async fn send(
        &self,
        mut request: Request<RequestBody>,
        settings: &EdgeSettings,
        to: SocketAddr,
        first_byte: Option<Duration>,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        let give_up = Instant::now() + settings.limits.hold;
        let mut fresh_only = false;
        for _ in 0..ATTEMPTS {
            let repeatable = may_repeat(&request, true);
            let mut lease = self.lease(settings, to, give_up, fresh_only, repeatable).await?;
            let spare = may_repeat(&request, lease.reused).then(|| request_head(&request));
            let seen = lease.bytes_read();
            let meter = request.body().meter();
            let answer = lease.sender.try_send_request(request);
            let outcome = match first_byte {
                None => answer.await,
                Some(limit) => tokio::select! {
                    outcome = answer => outcome,
                    () = silent_for(limit, meter) => return Err(Failure::TimedOut),
                },
            };
            let mut error = match outcome {
                Ok(response) => return Ok((response, lease)),
                Err(error) => error,
            };
            let never_sent = error.take_message();
            let silent = lease.bytes_read() == seen;
            tracing::debug!(error = %error.error(), reused = lease.reused, "the gateway connection failed");
            request = match (never_sent, spare) {
                (Some(request), _) => {
                    if !lease.reused {
                        self.refused(settings, to)?;
                    }
                    request
                }
                (None, Some(head)) if silent => head,
                _ => return Err(Failure::Broke),
            };
            // Its siblings were opened to the same process and are most likely just as dead.
            fresh_only = true;
            self.pool.clear();
        }
        Err(Failure::Broke)
    }

    /// A connection: an idle one, else a new one, waiting for a gateway that restarts.
    async fn lease(
        &self,
        settings: &EdgeSettings,
        gateway: SocketAddr,
        give_up: Instant,
        fresh_only: bool,
        repeatable: bool,
    ) -> Result<Lease, Failure> {
        loop {
            if self.hold.is_out(gateway, Stage::Live) {
                Box::pin(self.wait(settings, Stage::Live, give_up)).await?;
            }
            if !fresh_only && let Some(lease) = Pool::take(&self.pool, gateway) {
                if repeatable {
                    return Ok(lease);
                }
                // A gateway that has just closed this connection has said so already: let the runtime hear it before
                // something is sent that must not be sent twice.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                if lease.sender.is_ready() {
                    return Ok(lease);
                }
                continue;
            }
            // Boxed, as the wait above is: most requests do without, and carry no room for it.
            match Box::pin(self.open(settings, gateway)).await {
                Ok(lease) => return Ok(lease),
                Err(Failure::Down) => self.refused(settings, gateway)?,
                // Nothing was sent. When everybody who waited comes back at once, a gateway's queue of connections (511
                // in Node) is full for a moment.
                Err(Failure::TimedOut) if Instant::now() < give_up => {}
                Err(other) => return Err(other),
            }
        }
    }

    /// A new connection.
    async fn open(&self, settings: &EdgeSettings, gateway: SocketAddr) -> Result<Lease, Failure> {
        let stream = connect(gateway, settings.limits.connect).await?;
        let (io, read) = UpstreamIo::new(stream);
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(READ_BUFFER)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|_| Failure::Broke)?;
        tokio::spawn(connection);
        Ok(Lease::new(Arc::clone(&self.pool), gateway, sender, read))
    }

    /// Nobody listens at `to`: the gateway may come back.
    fn refused(&self, settings: &EdgeSettings, to: SocketAddr) -> Result<(), Failure> {
        if to != settings.upstream {
            return Err(Failure::Down);
        }
        self.hold.report(settings);
        Ok(())
    }

    async fn wait(&self, settings: &EdgeSettings, needed: Stage, give_up: Instant) -> Result<(), Failure> {
        let left = give_up.saturating_duration_since(Instant::now());
        let waited = self.hold.wait(settings, needed, left).await;
        waited.map_err(|gave_up| match gave_up {
            GaveUp::QueueFull => Failure::Down,
            GaveUp::TimeOver => Failure::StillDown,
        })
    }
}

/// Ends when nothing of the body passed for so long.
async fn silent_for(limit: Duration, meter: Option<Arc<Meter>>) {
    let began = Instant::now();
    loop {
        let due = meter.as_ref().map_or(began, |meter| meter.moved().max(began)) + limit;
        if due <= Instant::now() {
            return;
        }
        sleep_until(due).await;
    }
}

/// Connects within a limit. A refusal (nobody listens) and a reset (the listener is going away) are [`Failure::Down`].
async fn connect(gateway: SocketAddr, limit: Duration) -> Result<TcpStream, Failure> {
    let stream = match timeout(limit, TcpStream::connect(gateway)).await {
        Err(_) => return Err(Failure::TimedOut),
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, %gateway, "cannot connect to the gateway");
            return Err(match error.kind() {
                std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::ConnectionReset => Failure::Down,
                std::io::ErrorKind::TimedOut => Failure::TimedOut,
                _ => Failure::Broke,
            });
        }
    };
    // Without it only latency suffers.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Whether a request may be sent again after its connection died without an answer (RFC 9110 §9.2.2). One that was
/// `reused` was most likely closed before the gateway saw the request; a fresh one died with the request in hand.
fn may_repeat(request: &Request<RequestBody>, reused: bool) -> bool {
    let method = request.method();
    request.body().is_empty()
        && (matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
            || (reused && matches!(*method, Method::PUT | Method::DELETE)))
}

/// The same request without its (empty) body.
fn request_head(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::empty());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}
