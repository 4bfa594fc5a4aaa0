//! One accepted connection, from its first byte to its last.
//!
//! Guarantees: who may not connect is dropped before TLS; the handshake has a deadline; plain HTTP is told where HTTPS
//! is; HTTP/1.1 and HTTP/2 are chosen by ALPN alone; a connection that is idle, stalls its headers or does not read is
//! closed; a panic ends its own connection and nothing else; a change of settings ends no connection.

mod activity;
mod exchange;
mod own_words;
mod pipeline;

pub(crate) use activity::{Activity, ClientTls};
pub(crate) use exchange::Exchange;

use crate::access_log::TlsFacts;
use crate::attribution::Peer;
use crate::drain::Phase;
use crate::edge::Shared;
use crate::listener::{Accept, ListenerKind, Permit};
use crate::redirect;
use crate::settings::Limits;
use crate::tls::{self, Alpn};
use activity::{ClientIo, Verdict};
use futures_util::FutureExt as _;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use std::future::Future;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;

/// A dead peer is noticed after about a minute and a half.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// HTTP/2: pings find a dead peer between requests.
const H2_PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// HTTP/2 flow control: what a client may send ahead, per stream and per connection, in bytes.
const H2_WINDOWS: (u32, u32) = (256 * 1024, 1024 * 1024);
/// HTTP/1: bytes read ahead per connection; holds the largest head that is accepted.
const H1_BUFFER: usize = 64 * 1024;
/// After a goodbye the client has this long to go.
const GOODBYE: Duration = Duration::from_secs(5);

/// What all requests of a connection share.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) address: SocketAddr,
    pub(crate) peer: Peer,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) activity: Arc<Activity>,
    /// Given back with the last request, tunnel or the connection itself, whichever is last.
    permit: Option<Permit>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.shared.tally.ended();
    }
}

/// Takes accepted connections into service.
pub(crate) struct Front(pub(crate) Arc<Shared>);

impl Accept for Front {
    fn accepted(&self, stream: TcpStream, address: SocketAddr, kind: ListenerKind) {
        let shared = Arc::clone(&self.0);
        let settings = shared.settings.load();
        let peer = address.ip().to_canonical();
        if !settings.clients.admit(peer, &settings.own) {
            tracing::debug!(%peer, "a client from outside the allowed networks was turned away");
            return;
        }
        let one_client = !settings.own.contains(peer) && !settings.front.trusts(peer);
        let permit = match shared.admission.admit(one_client.then_some(peer), &settings.limits) {
            Ok(permit) => permit,
            Err(refused) => {
                tracing::debug!(%peer, ?refused, "a connection over the limit was turned away");
                return;
            }
        };
        drop(settings);
        tokio::spawn(async move {
            let served = AssertUnwindSafe(serve(shared, stream, address, kind, permit));
            if served.catch_unwind().await.is_err() {
                tracing::error!(%peer, "a connection ended in a defect");
            }
        });
    }
}

async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    kind: ListenerKind,
    mut permit: Permit,
) {
    prepare(&stream);
    let limits = shared.settings.load().limits.clone();
    let phase = shared.tally.phase();
    let opening = timeout(limits.handshake, open(&shared, stream, kind));
    let opened = tokio::select! {
        opened = opening => opened,
        () = phase.clone().at_least(Phase::Draining) => return,
    };
    let opened = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            tracing::debug!(%error, %address, "no TLS session");
            return;
        }
        Err(_) => {
            tracing::debug!(%address, "the handshake took too long");
            return;
        }
    };
    permit.handshake_done();
    let activity = Activity::new();
    let facts = match &opened {
        Opened::Plain(..) => None,
        Opened::Tls(stream) => {
            let session = stream.get_ref().1;
            Some(TlsFacts { version: tls::version(session), cipher: tls::cipher(session) })
        }
    };
    let connection = Arc::new(Connection {
        shared,
        address,
        peer: Peer::new(address.ip()),
        tls: facts,
        activity: Arc::clone(&activity),
        permit: Some(permit),
    });
    match opened {
        Opened::Plain(stream, lead) => {
            let io = ClientIo::new(stream, activity, Some(address));
            serve_http1(connection, io, limits, Some(lead)).await;
        }
        Opened::Tls(stream) => {
            let alpn = tls::alpn(stream.get_ref().1);
            match alpn {
                Alpn::Http1 => {
                    let io = ClientIo::new(*stream, activity, Some(address));
                    serve_http1(connection, io, limits, None).await;
                }
                Alpn::Http2 => {
                    let io = ClientIo::new(*stream, activity, None);
                    serve_http2(connection, io, limits).await;
                }
            }
        }
    }
}

/// A connection of which the protocol is known.
enum Opened {
    Plain(TcpStream, redirect::Lead),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn open(shared: &Shared, stream: TcpStream, kind: ListenerKind) -> std::io::Result<Opened> {
    match kind {
        ListenerKind::Redirect { https_port } => {
            Ok(Opened::Plain(stream, redirect::Lead::RedirectPort { https_port }))
        }
        ListenerKind::Https => {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if first == [0x16] {
                return Ok(Opened::Tls(Box::new(shared.tls.accept(stream).await?)));
            }
            let port = stream.local_addr()?.port();
            Ok(Opened::Plain(stream, redirect::Lead::TlsPort { port }))
        }
    }
}

/// Both only improve on what works without.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

async fn serve_http1<T>(
    connection: Arc<Connection>,
    io: ClientIo<T>,
    limits: Limits,
    lead: Option<redirect::Lead>,
) where
    ClientIo<T>: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .half_close(false)
        .max_buf_size(H1_BUFFER.max(limits.header_bytes + limits.target_bytes));
    if limits.header_count != Limits::default().header_count {
        builder.max_headers(limits.header_count);
    }
    let shared = Arc::clone(&connection);
    let service = service_fn(move |request| {
        let connection = Arc::clone(&connection);
        async move {
            match lead {
                None => pipeline::handle(connection, request).await,
                Some(lead) => redirect::handle(&connection, request, lead),
            }
        }
    });
    let served = builder.serve_connection(TokioIo::new(io), service).with_upgrades();
    watch(shared, limits.clone(), Some(limits.headers), served, |served| served.graceful_shutdown()).await;
}

async fn serve_http2<T>(connection: Arc<Connection>, io: ClientIo<T>, limits: Limits)
where
    TokioIo<ClientIo<T>>: Read + Write + Unpin + Send + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(H2_PING.0)
        .keep_alive_timeout(H2_PING.1)
        .initial_stream_window_size(H2_WINDOWS.0)
        .initial_connection_window_size(H2_WINDOWS.1)
        .max_concurrent_streams(limits.h2_streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.h2_pending_resets)
        .max_local_error_reset_streams(limits.h2_errors)
        .max_send_buf_size(limits.h2_send_buffer);
    if connection.shared.settings.load().websocket_over_h2 {
        builder.enable_connect_protocol();
    }
    let shared = Arc::clone(&connection);
    let service = service_fn(move |request| pipeline::handle(Arc::clone(&connection), request));
    let served = builder.serve_connection(TokioIo::new(io), service);
    watch(shared, limits, None, served, |served| served.graceful_shutdown()).await;
}

/// Runs a connection until it ends, is idle or stalled, or has to go.
async fn watch<C, E>(
    connection: Arc<Connection>,
    limits: Limits,
    head: Option<Duration>,
    served: C,
    goodbye: impl Fn(Pin<&mut C>),
) where
    C: Future<Output = Result<(), E>>,
    E: std::error::Error,
{
    let address = connection.address;
    let activity = Arc::clone(&connection.activity);
    let phase = connection.shared.tally.phase();
    // From here on only requests and tunnels keep the connection's place.
    let place = connection;
    let mut served = pin!(served);
    let mut draining = pin!(phase.clone().at_least(Phase::Draining));
    let mut cut = pin!(phase.at_least(Phase::Cut));
    let mut leaving = None;
    let mut due = Instant::now();
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, %address, "a connection ended early");
                }
                break;
            }
            () = cut.as_mut() => break,
            () = draining.as_mut(), if leaving.is_none() => {
                goodbye(served.as_mut());
                leaving = Some(None);
            }
            () = sleep_until(due) => {
                if let Some(Some(until)) = leaving && Instant::now() >= until && !activity.is_busy() {
                    break;
                }
                due = match activity.verdict(&limits, head) {
                    Verdict::Fine(next) => next,
                    Verdict::Stalled => {
                        tracing::debug!(%address, "a stalled connection was cut");
                        break;
                    }
                    Verdict::Idle => {
                        let until = Instant::now() + GOODBYE;
                        if !matches!(leaving, Some(Some(_))) {
                            goodbye(served.as_mut());
                            leaving = Some(Some(until));
                        }
                        until
                    }
                };
            }
        }
    }
    drop(place);
}
