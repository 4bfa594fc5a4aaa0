//! One request and what becomes of it: the access record, written when the last part of it is gone.
//!
//! Guarantees: there is exactly one record per request, whoever ends it and however (answered, broken off by either
//! side, cut by the edge, a defect), because the record is made when this value is dropped and whatever still works on
//! the request owns it.

use super::Connection;
use super::activity::InFlight;
use crate::access_log::{
    AccessRecord, Answerer, Closer, HOST_MAX, PATH_MAX, Protocol, WebSocketEnd, printable,
};
use crate::body::Meter;
use crate::drain::Counted;
use crate::error::EdgeError;
use crate::gate::METHOD_MAX;
use crate::page::Reader;
use crate::request_id::RequestId;
use crate::shares::Share;
use crate::sightings::Visit;
use crate::tunnel::{End, Outcome};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri, Version, header};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::time::Instant;

/// Longest Origin and User-Agent that are kept in memory, in bytes.
const TEXT_MAX: usize = 512;
/// The client went away before there was an answer: nobody ever sees this status but the log.
const CLIENT_GONE: u16 = 499;

/// A request in flight.
pub(crate) struct Exchange {
    pub(crate) connection: Arc<Connection>,
    /// Its id, and the same as a header value.
    pub(crate) id: RequestId,
    pub(crate) id_header: HeaderValue,
    began: Instant,
    client: IpAddr,
    method: Method,
    version: Version,
    host: Option<HeaderValue>,
    uri: Uri,
    origin: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    navigation: bool,
    brings_body: bool,
    answer: Option<(StatusCode, Answerer)>,
    error: Option<EdgeError>,
    meter: Option<Arc<Meter>>,
    sent: u64,
    websocket: Option<WebSocket>,
    counted: Counted,
    /// Its place among the requests of its client, from its attribution on.
    share: Option<Share>,
    _in_flight: InFlight,
}

/// A WebSocket since it was opened.
struct WebSocket {
    opened: Instant,
    outcome: Outcome,
}

impl Exchange {
    /// A request has arrived.
    pub(crate) fn begin(connection: &Arc<Connection>, parts: &Parts) -> Box<Self> {
        let id = RequestId::new();
        let header = |name| parts.headers.get(name).filter(|value| value.len() <= TEXT_MAX).cloned();
        connection.shared.count_request();
        Box::new(Self {
            id,
            id_header: id.header(),
            began: Instant::now(),
            client: connection.peer.address(),
            method: printable_method(&parts.method),
            version: parts.version,
            host: parts.headers.get(header::HOST).cloned(),
            uri: parts.uri.clone(),
            origin: header(header::ORIGIN),
            user_agent: header(header::USER_AGENT),
            navigation: matches!(
                Reader::of(&parts.method, &parts.headers),
                Reader::Person { repeatable: true, .. }
            ),
            brings_body: parts.headers.contains_key(header::TRANSFER_ENCODING)
                || parts.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0"),
            answer: None,
            error: None,
            meter: None,
            sent: 0,
            websocket: None,
            counted: connection.shared.tally.request(),
            share: None,
            _in_flight: connection.activity.request(),
            connection: Arc::clone(connection),
        })
    }

    /// Whether only the head of an answer may be sent.
    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// Whether a body follows its head on HTTP/1.
    pub(crate) fn brings_body(&self) -> bool {
        self.brings_body
    }

    /// It is attributed to this client.
    pub(crate) fn attributed(&mut self, client: IpAddr) {
        self.client = client;
    }

    /// It has this place among the requests of its client.
    pub(crate) fn admitted(&mut self, share: Share) {
        self.share = Some(share);
    }

    /// It has a body, which is watched here.
    pub(crate) fn metered(&mut self, meter: Option<Arc<Meter>>) {
        self.meter = meter;
    }

    /// The edge answers.
    pub(crate) fn refused(&mut self, error: EdgeError) {
        self.answer = Some((error.status(), Answerer::Edge));
        self.error = Some(error);
    }

    /// The edge answers with something other than an error.
    pub(crate) fn answered_here(&mut self, status: StatusCode) {
        self.answer = Some((status, Answerer::Edge));
    }

    /// The gateway has answered.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.answer = Some((status, Answerer::Gateway));
        self.connection.shared.metrics.first_byte(self.began.elapsed());
    }

    /// The gateway broke its answer off.
    pub(crate) fn gateway_broke(&mut self) {
        self.error = Some(EdgeError::GatewayBroke);
    }

    /// So many bytes went to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    /// It has become a WebSocket.
    pub(crate) fn opened(&mut self) {
        self.counted.becomes_websocket();
        self.detach();
        self.websocket = Some(WebSocket { opened: Instant::now(), outcome: Outcome::default() });
        let host = printable(self.host_bytes(), HOST_MAX);
        let text = |value: &Option<HeaderValue>| value.as_ref().map(lossy);
        let (origin, user_agent) = (text(&self.origin), text(&self.user_agent));
        self.connection.shared.sightings.opened(&Visit {
            time: OffsetDateTime::now_utc(),
            client: self.client,
            host: &host,
            tls: self.connection.tls.map(|tls| tls.version),
            user_agent: user_agent.as_deref(),
            origin: origin.as_deref(),
        });
    }

    /// Copies what is kept of the request: as slices they would keep the whole buffer that its head was read into for as
    /// long as the WebSocket lives.
    fn detach(&mut self) {
        let copy = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
        self.host = HeaderValue::from_bytes(self.host_bytes()).ok();
        self.uri = Uri::try_from(self.uri.path()).unwrap_or_default();
        self.origin = self.origin.as_ref().and_then(copy);
        self.user_agent = self.user_agent.as_ref().and_then(copy);
        self.id_header = copy(&self.id_header).unwrap_or(HeaderValue::from_static("-"));
    }

    /// The WebSocket has ended.
    pub(crate) fn closed(&mut self, outcome: Outcome) {
        if let Some(websocket) = &mut self.websocket {
            websocket.outcome = outcome;
        }
    }

    fn host_bytes(&self) -> &[u8] {
        match (&self.host, self.uri.authority()) {
            (Some(host), _) => host.as_bytes(),
            (None, Some(authority)) => authority.as_str().as_bytes(),
            (None, None) => b"",
        }
    }

    fn record(&mut self) -> AccessRecord {
        if self.answer.is_none() && std::thread::panicking() {
            self.refused(EdgeError::Internal);
        }
        let gone = StatusCode::from_u16(CLIENT_GONE).unwrap_or(StatusCode::REQUEST_TIMEOUT);
        let (status, answered_by) = self.answer.unwrap_or((gone, Answerer::Edge));
        let websocket = self.websocket.take();
        let tunnel = websocket.as_ref().map_or((0, 0), |it| (it.outcome.bytes_in, it.outcome.bytes_out));
        AccessRecord {
            time: OffsetDateTime::now_utc(),
            id: self.id,
            client: self.client,
            peer: self.connection.address,
            method: self.method.clone(),
            host: printable(self.host_bytes(), HOST_MAX),
            path: printable(self.uri.path().as_bytes(), PATH_MAX),
            status,
            answered_by,
            error: self.error,
            bytes_in: self.meter.as_ref().map_or(0, |meter| meter.bytes()) + tunnel.0,
            bytes_out: self.sent + tunnel.1,
            duration: self.began.elapsed(),
            protocol: Protocol::of(self.version),
            tls: self.connection.tls,
            client_certificate: self
                .connection
                .identity
                .as_ref()
                .map(|identity| Arc::clone(&identity.called)),
            websocket: websocket.map(end_of),
            origin: self.origin.as_ref().map(lossy),
            user_agent: self.user_agent.as_ref().map(lossy),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let record = self.record();
        let sightings = &self.connection.shared.sightings;
        if record.websocket.is_some() {
            sightings.closed(&record);
        } else if self.navigation && record.answered_by == Answerer::Gateway && record.status.is_success() {
            sightings.visited(&Visit::of(&record));
        }
        self.connection.shared.record(Arc::new(record));
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exchange").field("id", &self.id).finish_non_exhaustive()
    }
}

fn end_of(websocket: WebSocket) -> WebSocketEnd {
    let duration = websocket.opened.elapsed();
    let Outcome { close, closed_by, .. } = websocket.outcome;
    let (close_code, reason) = close.map_or((None, None), |close| (close.code, Some(close.reason)));
    WebSocketEnd {
        close_code,
        close_reason: reason.filter(|reason| !reason.is_empty()).map(String::into_boxed_str),
        closed_by: match closed_by {
            Some(End::Gateway) => Closer::Gateway,
            Some(End::Edge) => Closer::Edge,
            // Without an outcome the client never took the connection over.
            Some(End::Client) | None => Closer::Client,
        },
        duration,
    }
}

/// A method as the log takes it: a stranger's may be as long as all headers together.
fn printable_method(method: &Method) -> Method {
    let start = method.as_str().as_bytes().get(..METHOD_MAX);
    start.and_then(|start| Method::from_bytes(start).ok()).unwrap_or_else(|| method.clone())
}

fn lossy(value: &HeaderValue) -> Box<str> {
    String::from_utf8_lossy(value.as_bytes()).into()
}
