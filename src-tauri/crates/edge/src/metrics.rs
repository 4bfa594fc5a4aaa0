//! What the edge has done and is doing, in numbers.
//!
//! Guarantees: counting takes no lock and allocates nothing; the sets of labels are closed, so that no client can make
//! them grow; the text is the Prometheus exposition format, version 0.0.4, and holds no address, name, path or secret.

mod histogram;
mod text;

pub(crate) use histogram::Histogram;
pub(crate) use text::Exposition;

use crate::access_log::{AccessRecord, Answerer, Closer, LogCounters, Protocol};
use crate::error::EdgeError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often one kind of refusal is logged, at most.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Why a connection was turned away before a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// From outside the allowed networks.
    Network,
    /// Everybody together holds too many connections or handshakes.
    Total,
    /// This client holds too many connections or handshakes.
    Client,
    /// This client comes too often.
    Rate,
    /// This process has no descriptor left.
    Descriptors,
    /// Its PROXY header is malformed, late or missing.
    ProxyHeader,
    /// It does not speak HTTP.
    NotHttp,
}

impl TurnedAway {
    const ALL: [Self; 7] = [
        Self::Network,
        Self::Total,
        Self::Client,
        Self::Rate,
        Self::Descriptors,
        Self::ProxyHeader,
        Self::NotHttp,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Total => "total",
            Self::Client => "client",
            Self::Rate => "rate",
            Self::Descriptors => "descriptors",
            Self::ProxyHeader => "proxy-header",
            Self::NotHttp => "not-http",
        }
    }
}

/// How a TLS handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// A new session.
    Full,
    /// An earlier session goes on.
    Resumed,
    /// There is no certificate for the name.
    UnknownName,
    /// A certificate authority's question was answered (ACME).
    Challenge,
    /// It took too long.
    TimedOut,
    /// It gave way to another, because all places were taken and it had taken longest.
    GaveWay,
    /// Anything else.
    Failed,
}

impl Handshake {
    const ALL: [Self; 7] = [
        Self::Full,
        Self::Resumed,
        Self::UnknownName,
        Self::Challenge,
        Self::TimedOut,
        Self::GaveWay,
        Self::Failed,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::UnknownName => "unknown-name",
            Self::Challenge => "challenge",
            Self::TimedOut => "timed-out",
            Self::GaveWay => "gave-way",
            Self::Failed => "failed",
        }
    }
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Http10, Protocol::Http11, Protocol::Http2];
const ANSWERERS: [Answerer; 2] = [Answerer::Edge, Answerer::Gateway];
const CLOSERS: [Closer; 3] = [Closer::Client, Closer::Gateway, Closer::Edge];
/// Of status codes, by their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The numbers that only grow.
#[derive(Debug)]
pub(crate) struct Metrics {
    began: Instant,
    accepted: AtomicU64,
    accept_errors: AtomicU64,
    turned_away: [Told; TurnedAway::ALL.len()],
    handshakes: [AtomicU64; Handshake::ALL.len()],
    handshake_time: Histogram,
    requests: [[[AtomicU64; CLASSES.len()]; ANSWERERS.len()]; PROTOCOLS.len()],
    refusals: [AtomicU64; EdgeError::ALL.len()],
    first_byte: Histogram,
    websocket_life: Histogram,
    websockets_ended: [AtomicU64; CLOSERS.len()],
    bytes: [AtomicU64; 2],
}

/// A refusal that is counted each time and logged now and then.
#[derive(Debug, Default)]
struct Told {
    count: AtomicU64,
    /// Those that were counted when it was last logged.
    logged: AtomicU64,
    /// From when on it may be logged again, in milliseconds since the start.
    again: AtomicU64,
}

/// What is true now, told by those who know.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Present {
    pub(crate) connections: usize,
    pub(crate) connections_limit: usize,
    pub(crate) handshakes: usize,
    pub(crate) requests: usize,
    pub(crate) websockets: usize,
    pub(crate) waiting: usize,
    pub(crate) log: LogCounters,
}

impl Metrics {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            accepted: AtomicU64::new(0),
            accept_errors: AtomicU64::new(0),
            turned_away: Default::default(),
            handshakes: Default::default(),
            handshake_time: Histogram::new(histogram::HANDSHAKE),
            requests: Default::default(),
            refusals: std::array::from_fn(|_| AtomicU64::new(0)),
            first_byte: Histogram::new(histogram::FIRST_BYTE),
            websocket_life: Histogram::new(histogram::LIFETIME),
            websockets_ended: Default::default(),
            bytes: Default::default(),
        }
    }

    /// A connection was accepted by the system.
    pub(crate) fn accepted(&self) {
        add(&self.accepted, 1);
    }

    /// The system could not give us a connection.
    pub(crate) fn accept_failed(&self) {
        add(&self.accept_errors, 1);
    }

    /// A connection was turned away. Where it is time to say so in the log: how many there were since the last time.
    pub(crate) fn turned_away(&self, why: TurnedAway) -> Option<u64> {
        let told = self.turned_away.get(why as usize)?;
        let count = told.count.fetch_add(1, Ordering::Relaxed) + 1;
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let again = told.again.load(Ordering::Relaxed);
        if now < again {
            return None;
        }
        let next = now.saturating_add(u64::try_from(LOG_EVERY.as_millis()).unwrap_or(u64::MAX));
        told.again.compare_exchange(again, next, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        let logged = told.logged.swap(count, Ordering::Relaxed);
        Some(count.saturating_sub(logged))
    }

    /// A handshake has ended.
    pub(crate) fn handshake(&self, how: Handshake, took: Duration) {
        if let Some(count) = self.handshakes.get(how as usize) {
            add(count, 1);
        }
        if matches!(how, Handshake::Full | Handshake::Resumed) {
            self.handshake_time.observe(took);
        }
    }

    /// The first byte of an answer of the gateway came.
    pub(crate) fn first_byte(&self, took: Duration) {
        self.first_byte.observe(took);
    }

    /// A request has ended.
    pub(crate) fn ended(&self, record: &AccessRecord) {
        let class = usize::from(record.status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let protocol = self.requests.get(record.protocol as usize);
        let by = protocol.and_then(|by| by.get(record.answered_by as usize));
        if let Some(count) = by.and_then(|by| by.get(class)) {
            add(count, 1);
        }
        if let Some(count) = record.error.and_then(|error| self.refusals.get(error as usize)) {
            add(count, 1);
        }
        add(&self.bytes[0], record.bytes_in);
        add(&self.bytes[1], record.bytes_out);
        if let Some(websocket) = &record.websocket {
            self.websocket_life.observe(websocket.duration);
            if let Some(count) = self.websockets_ended.get(websocket.closed_by as usize) {
                add(count, 1);
            }
        }
    }

    /// Everything as text.
    pub(crate) fn text(&self, now: &Present) -> String {
        let mut out = Exposition::new();
        out.gauge("gatehouse_build_info", "Always 1; the version is a label.");
        out.sample("", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.connections(&mut out, now);
        self.requests(&mut out, now);
        self.websockets(&mut out, now);
        out.counter("gatehouse_log_lines_total", "Lines of the access log, by what became of them.");
        for (result, count) in
            [("written", now.log.written), ("dropped", now.log.dropped), ("failed", now.log.failed)]
        {
            out.sample("", &[("result", result)], count);
        }
        out.finish()
    }

    fn connections(&self, out: &mut Exposition, now: &Present) {
        out.gauge("gatehouse_connections", "Connections open now.").sample("", &[], now.connections as u64);
        out.gauge(
            "gatehouse_connections_limit",
            "Connections that may be open at once, by limits and descriptors.",
        );
        out.sample("", &[], now.connections_limit as u64);
        out.counter("gatehouse_connections_accepted_total", "Connections that the system handed over.");
        out.sample("", &[], load(&self.accepted));
        out.counter(
            "gatehouse_connections_refused_total",
            "Connections turned away before a request, by reason.",
        );
        for (why, told) in TurnedAway::ALL.iter().zip(&self.turned_away) {
            out.sample("", &[("reason", why.word())], load(&told.count));
        }
        out.counter("gatehouse_accept_errors_total", "Times the system had no connection to give.");
        out.sample("", &[], load(&self.accept_errors));
        out.gauge("gatehouse_handshakes", "TLS handshakes in flight.").sample("", &[], now.handshakes as u64);
        out.counter("gatehouse_handshakes_total", "TLS handshakes, by how they ended.");
        for (how, count) in Handshake::ALL.iter().zip(&self.handshakes) {
            out.sample("", &[("result", how.word())], load(count));
        }
        out.histogram("gatehouse_handshake_seconds", "From accept to the end of a good TLS handshake.");
        self.handshake_time.write(out);
    }

    fn requests(&self, out: &mut Exposition, now: &Present) {
        out.gauge("gatehouse_requests", "Requests in flight, WebSockets not among them.");
        out.sample("", &[], now.requests as u64);
        out.gauge("gatehouse_requests_held", "Requests that wait for a gateway that restarts.");
        out.sample("", &[], now.waiting as u64);
        out.counter(
            "gatehouse_requests_total",
            "Requests that ended, by protocol, answerer and class of status.",
        );
        for (protocol, by) in PROTOCOLS.iter().zip(&self.requests) {
            for (answerer, classes) in ANSWERERS.iter().zip(by) {
                for (class, count) in CLASSES.iter().zip(classes) {
                    let by = match answerer {
                        Answerer::Edge => "edge",
                        Answerer::Gateway => "gateway",
                    };
                    out.sample(
                        "",
                        &[("protocol", protocol.as_str()), ("by", by), ("class", class)],
                        load(count),
                    );
                }
            }
        }
        out.counter(
            "gatehouse_refusals_total",
            "Requests that the edge itself refused or broke off, by error code.",
        );
        for (error, count) in EdgeError::ALL.iter().zip(&self.refusals) {
            out.sample("", &[("code", error.code())], load(count));
        }
        out.histogram(
            "gatehouse_first_byte_seconds",
            "From a request's head to the head of the gateway's answer.",
        );
        self.first_byte.write(out);
        out.counter("gatehouse_bytes_total", "Bytes of bodies and tunnels, counted when a request ends.");
        for (direction, count) in ["in", "out"].iter().zip(&self.bytes) {
            out.sample("", &[("direction", direction)], load(count));
        }
    }

    fn websockets(&self, out: &mut Exposition, now: &Present) {
        out.gauge("gatehouse_websockets", "WebSockets open now.").sample("", &[], now.websockets as u64);
        out.counter("gatehouse_websockets_ended_total", "WebSockets that ended, by who ended them.");
        for (closer, count) in CLOSERS.iter().zip(&self.websockets_ended) {
            out.sample("", &[("by", closer.as_str())], load(count));
        }
        out.histogram("gatehouse_websocket_seconds", "How long WebSockets that ended had lived.");
        self.websocket_life.write(out);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests;
