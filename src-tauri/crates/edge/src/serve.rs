//! One accepted connection, from its first byte to its last.
//!
//! Guarantees: who may not connect is dropped before TLS, counted, and logged now and then; a declared proxy says for
//! whom it connects before anything else, and nobody else can; the handshake has a deadline; plain HTTP is told where HTTPS
//! is; HTTP/1.1 and HTTP/2 are chosen by ALPN alone; a connection that is idle, stalls its headers or does not read is
//! closed; a panic ends its own connection and nothing else; a change of settings ends no connection.

mod activity;
mod client_io;
mod exchange;
mod framing;
mod own_words;
mod pipeline;
mod rewound;
pub(crate) mod turn;

pub(crate) use activity::{Activity, InFlight};
pub(crate) use client_io::ClientTls;
pub(crate) use exchange::Exchange;

use crate::access_log::TlsFacts;
use crate::attribution::Peer;
use crate::client_certificates::ClientIdentity;
use crate::drain::Phase;
use crate::edge::Shared;
use crate::listener::{self, Accept, ListenerKind, Over, Permit};
use crate::metrics::{Handshake, TurnedAway};
use crate::names::{Authority, Host};
use crate::proxy_protocol::{self, Source};
use crate::redirect;
use crate::settings::{EdgeSettings, Limits};
use crate::tls::{self, Alpn, NoSession, Session};
use activity::Verdict;
use client_io::ClientIo;
use futures_util::FutureExt as _;
use http::HeaderValue;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rewound::Rewound;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use turn::Streams;

/// HTTP/2: pings find a dead peer between requests.
const H2_PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// HTTP/2 flow control: what a client may send ahead, per stream and per connection, in bytes.
const H2_WINDOWS: (u32, u32) = (256 * 1024, 1024 * 1024);
/// HTTP/1: bytes read ahead per connection; holds the largest head that is accepted.
const H1_BUFFER: usize = 64 * 1024;
/// Time for a declared proxy to say for whom it connects.
const PROXY_HEADER: Duration = Duration::from_secs(1);
/// Who is let in only to be told that it has too much gets this long to hear it.
const TOLD: Duration = Duration::from_secs(5);
/// After a goodbye the client has this long to go.
const GOODBYE: Duration = Duration::from_secs(5);

/// What all requests of a connection share.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) address: SocketAddr,
    pub(crate) peer: Peer,
    pub(crate) tls: Option<TlsFacts>,
    /// The name that was asked for in TLS.
    pub(crate) name: Option<Box<str>>,
    /// The certificate that the client proved, where one was asked for.
    pub(crate) identity: Option<ClientIdentity>,
    /// What every request on this connection is told.
    pub(crate) over: Option<Over>,
    pub(crate) activity: Arc<Activity>,
    /// Given back with the last request, tunnel or the connection itself, whichever is last.
    permit: Option<Permit>,
}

impl Connection {
    /// Whether a request for `host` may come on this connection: the name in TLS, where there was one, is the same
    /// (RFC 9110 §7.4). A front proxy may use one connection for all names.
    pub(crate) fn is_for(&self, host: &HeaderValue, settings: &EdgeSettings) -> bool {
        let Some(name) = &self.name else { return true };
        let same = |asked: &str| asked.eq_ignore_ascii_case(name);
        host.to_str().is_ok_and(same)
            || Authority::parse(host.as_bytes())
                .is_some_and(|asked| matches!(&asked.host, Host::Dns(asked) if same(asked)))
            || settings.fronts(self.peer.address())
    }
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
        shared.metrics.accepted();
        let settings = shared.settings.load();
        let peer = address.ip().to_canonical();
        let relays = settings.sends_proxy_header(peer);
        if !relays && !settings.clients.admit(peer, &settings.own) {
            return turned_away(&shared, peer, TurnedAway::Network);
        }
        let one_client = !relays && !settings.own.contains(peer) && !settings.fronts(peer);
        let permit = match shared.admission.admit(one_client.then_some(peer), &settings.limits) {
            Ok(permit) => permit,
            Err(why) => return turned_away(&shared, peer, why),
        };
        drop(settings);
        let arrival = Arrival { address, kind, relays, at: Instant::now() };
        tokio::spawn(async move {
            let served = AssertUnwindSafe(serve(shared, stream, arrival, permit));
            if served.catch_unwind().await.is_err() {
                tracing::error!(%peer, "a connection ended in a defect");
            }
        });
    }

    fn failed(&self, error: &std::io::Error) {
        self.0.metrics.accept_failed();
        if let Some(times) = self.0.metrics.turned_away(TurnedAway::Descriptors) {
            tracing::warn!(%error, times, "connections cannot be accepted now");
        }
    }
}

/// Drops a connection without a word: it may be one of a flood. The log says so now and then, with their number.
fn turned_away(shared: &Shared, peer: IpAddr, why: TurnedAway) {
    if let Some(times) = shared.metrics.turned_away(why) {
        tracing::warn!(%peer, ?why, times, "connections were turned away; the peer is that of the last one");
    }
}

/// How a connection came.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    address: SocketAddr,
    kind: ListenerKind,
    /// It comes from a proxy that says first for whom.
    relays: bool,
    at: Instant,
}

async fn serve(shared: Arc<Shared>, mut stream: TcpStream, arrival: Arrival, mut permit: Permit) {
    if !listener::INHERITED {
        listener::prepare(&stream);
    }
    let phase = shared.tally.phase();
    let mut draining = pin!(phase.clone().at_least(Phase::Draining));
    let Arrival { mut address, .. } = arrival;
    let mut peer = Peer::new(address.ip());
    if arrival.relays {
        let relayed = tokio::select! {
            relayed = relayed(&shared, &mut stream, address, &mut permit) => relayed,
            () = draining.as_mut() => return,
        };
        match relayed {
            Ok(client) => {
                address = client;
                peer = Peer::relayed(client.ip());
            }
            Err(why) => return turned_away(&shared, address.ip(), why),
        }
    }
    let mut limits = shared.settings.load().limits.clone();
    let opening = timeout(limits.handshake, open(&shared, stream, arrival.kind));
    let opened = tokio::select! {
        opened = opening => opened.unwrap_or(Err(NotOpened::TimedOut)),
        () = permit.gives_way() => Err(NotOpened::GaveWay),
        () = draining.as_mut() => return,
    };
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(why) => return not_opened(&shared, address, why, arrival.at.elapsed()),
    };
    permit.handshake_done();
    let activity = Activity::new();
    let (facts, name, identity) = match &mut opened {
        Opened::Plain(..) => (None, None, None),
        Opened::Tls(made) => {
            let session = made.stream.facts();
            let how = if tls::resumed(session) { Handshake::Resumed } else { Handshake::Full };
            shared.metrics.handshake(how, arrival.at.elapsed());
            let facts = TlsFacts { version: tls::version(session), cipher: tls::cipher(session) };
            let identity = ClientIdentity::of(session, made.policy.as_deref());
            (Some(facts), made.name.take(), identity)
        }
    };
    let over = permit.over();
    if over.is_some() {
        limits.keep_alive = limits.keep_alive.min(TOLD);
    }
    let connection = Arc::new(Connection {
        shared,
        address,
        peer,
        tls: facts,
        name,
        identity,
        over,
        activity: Arc::clone(&activity),
        permit: Some(permit),
    });
    // Pinned first, so that there is room for it only once.
    let serving = pin!(converse(connection, opened, activity, limits));
    if over.is_some() {
        // Whoever is told that it has too much and stays is cut.
        let _ = timeout(TOLD, serving).await;
    } else {
        serving.await;
    }
}

/// Reads for whom a declared proxy connects, and takes a place for that client.
async fn relayed(
    shared: &Shared,
    stream: &mut TcpStream,
    proxy: SocketAddr,
    permit: &mut Permit,
) -> Result<SocketAddr, TurnedAway> {
    let header = timeout(PROXY_HEADER, proxy_protocol::read(stream)).await;
    let source = match header {
        Ok(Ok(source)) => source,
        Ok(Err(error)) => {
            tracing::debug!(%error, %proxy, "a proxy did not say for whom it connects");
            return Err(TurnedAway::ProxyHeader);
        }
        Err(_) => return Err(TurnedAway::ProxyHeader),
    };
    let Source::Client(client) = source else {
        // A health check of the proxy itself: it gets its handshake, and stands for nobody.
        return Ok(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0));
    };
    let settings = shared.settings.load();
    let ip = client.ip();
    if !settings.clients.admit(ip, &settings.own) {
        return Err(TurnedAway::Network);
    }
    if !settings.own.contains(ip) && !settings.fronts(ip) {
        permit.attribute(ip, &settings.limits)?;
    }
    Ok(client)
}

/// Says what became of a connection that got no further.
fn not_opened(shared: &Shared, address: SocketAddr, why: NotOpened, took: Duration) {
    let how = match why {
        NotOpened::NotHttp => return turned_away(shared, address.ip(), TurnedAway::NotHttp),
        NotOpened::TimedOut => Handshake::TimedOut,
        NotOpened::GaveWay => Handshake::GaveWay,
        NotOpened::Tls(NoSession::UnknownName) => Handshake::UnknownName,
        NotOpened::Tls(NoSession::Challenge) => Handshake::Challenge,
        NotOpened::Tls(NoSession::Failed(error)) => {
            tracing::debug!(%error, %address, "no TLS session");
            Handshake::Failed
        }
    };
    shared.metrics.handshake(how, took);
}

async fn converse(connection: Arc<Connection>, opened: Opened, activity: Arc<Activity>, limits: Limits) {
    let address = connection.address;
    match opened {
        Opened::Plain(stream, lead) => {
            let io = ClientIo::http1(stream, activity, address, &limits);
            serve_http1(connection, io, limits, Some(lead)).await;
        }
        Opened::Tls(Session { stream, .. }) => {
            let alpn = tls::alpn(stream.facts());
            match alpn {
                Alpn::Http1 => {
                    let io = ClientIo::http1(stream, activity, address, &limits);
                    serve_http1(connection, io, limits, None).await;
                }
                Alpn::Http2 => {
                    let io = ClientIo::http2(stream, activity);
                    serve_http2(connection, io, limits).await;
                }
            }
        }
    }
}

/// A connection of which the protocol is known.
enum Opened {
    Plain(Rewound, redirect::Lead),
    Tls(Session<TcpStream>),
}

/// Why a connection got no further than its first bytes.
#[derive(Debug)]
enum NotOpened {
    /// What came is neither TLS nor HTTP: a PROXY header of somebody who was not declared, for example.
    NotHttp,
    TimedOut,
    /// Others came while all places for handshakes were taken.
    GaveWay,
    Tls(NoSession),
}

impl From<NoSession> for NotOpened {
    fn from(error: NoSession) -> Self {
        Self::Tls(error)
    }
}

impl From<std::io::Error> for NotOpened {
    fn from(error: std::io::Error) -> Self {
        Self::Tls(error.into())
    }
}

async fn open(shared: &Shared, mut stream: TcpStream, kind: ListenerKind) -> Result<Opened, NotOpened> {
    let mut first = Vec::new();
    let lead = match kind {
        ListenerKind::Redirect { https_port } => redirect::Lead::RedirectPort { https_port },
        ListenerKind::Https => {
            tls::read_some(&mut stream, &mut first).await?;
            match first.first() {
                None => return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
                Some(0x16) => {
                    let (peer, local) = (stream.peer_addr()?.ip(), stream.local_addr()?.ip());
                    let by_ends = shared.challenges.by_ends.as_ref();
                    let other = by_ends
                        .and_then(|by_ends| by_ends.certificates(peer.to_canonical(), local.to_canonical()));
                    return Ok(Opened::Tls(shared.tls.accept(stream, local, first, other).await?));
                }
                Some(byte) if byte.is_ascii_uppercase() => {
                    redirect::Lead::TlsPort { port: stream.local_addr()?.port() }
                }
                Some(_) => return Err(NotOpened::NotHttp),
            }
        }
    };
    Ok(Opened::Plain(Rewound::new(stream, first), lead))
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
                // Boxed: what hyper and tokio move for each request is then a pointer, not some 4 KiB.
                None => Box::pin(pipeline::handle(connection, request)).await,
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
    let mut builder = http2::Builder::new(Streams { limit: limits.body_stall });
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(H2_PING.0)
        .keep_alive_timeout(H2_PING.1)
        .initial_stream_window_size(H2_WINDOWS.0)
        .initial_connection_window_size(H2_WINDOWS.1)
        .max_concurrent_streams(limits.h2_streams)
        .max_header_list_size(u32::try_from(h2_headers(&limits)).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits.h2_pending_resets)
        .max_local_error_reset_streams(limits.h2_errors)
        .max_send_buf_size(limits.h2_send_buffer);
    let shared = &connection.shared;
    if shared.rehearsals.offers(&shared.settings.load(), connection.address) {
        builder.enable_connect_protocol();
    }
    let shared = Arc::clone(&connection);
    // Boxed as over HTTP/1: hyper, our executor and tokio each move what they run.
    let service = service_fn(move |request| Box::pin(pipeline::handle(Arc::clone(&connection), request)));
    let served = builder.serve_connection(TokioIo::new(io), service);
    watch(shared, limits, None, served, |served| served.graceful_shutdown()).await;
}

/// The header list as HTTP/2 counts it (RFC 9113 §6.5.2), 32 bytes for each field and the target among them: more than the
/// gate admits, so that the refusal is the gate's and in our words.
fn h2_headers(limits: &Limits) -> usize {
    2 * limits.header_bytes + 32 * limits.header_count + limits.target_bytes
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
