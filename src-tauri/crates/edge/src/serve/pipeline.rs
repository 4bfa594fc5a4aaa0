//! The way of one request: id, gate, host, pause, attribution, headers, gateway, answer.

use super::{Connection, Exchange};
use crate::attribution::{self, Client};
use crate::body::{EdgeBody, Fault, Patience, RequestBody};
use crate::error::EdgeError;
use crate::gate::{self, Admitted, Kind, Length, RequestHead};
use crate::h2bridge;
use crate::headers::{RequestRewrite, ResponseRewrite, rewrite_request, rewrite_response};
use crate::page::{Answer as Page, Reader};
use crate::routes::Found;
use crate::settings::{EdgeSettings, Pause, RouteClass};
use crate::shares::{self, Share};
use crate::tunnel::{self, Rules, Side};
use crate::upstream::{Answer, Failure};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// For the client to take the connection over after the 101 or 200.
const HANDOVER: Duration = Duration::from_secs(10);

/// An answer of the edge, in words of the pipeline.
struct Refusal {
    error: EdgeError,
    retry_after: Option<u32>,
}

impl From<EdgeError> for Refusal {
    fn from(error: EdgeError) -> Self {
        Self { error, retry_after: None }
    }
}

impl From<shares::Refused> for Refusal {
    fn from(refused: shares::Refused) -> Self {
        let seconds = |after: Duration| u32::try_from(after.as_secs().saturating_add(1)).ok();
        Self { error: refused.error, retry_after: refused.after.and_then(seconds) }
    }
}

/// Serves one request.
pub(super) async fn handle(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<EdgeBody>, Infallible> {
    let offers = request.version() != Version::HTTP_2 && gate::offers_websocket(request.headers());
    let mut response = respond(connection, request).await;
    if offers && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // Nobody looked at what follows such an offer: it may be frames already.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn respond(connection: Arc<Connection>, request: Request<Incoming>) -> Response<EdgeBody> {
    let settings = connection.shared.settings.load_full();
    let (parts, body) = request.into_parts();
    let mut exchange = Exchange::begin(&connection, &parts);
    let reader = Reader::of(&parts.method, &parts.headers);
    let version = parts.version;
    if let Some(over) = connection.over {
        return refuse(exchange, shares::Refused::from(over).into(), reader, version);
    }
    match admit(&connection, &settings, &parts) {
        Err(refusal) => refuse(exchange, refusal, reader, version),
        Ok((admitted, client)) => {
            exchange.attributed(client.address());
            match share(&connection, &settings, &admitted, &client) {
                Ok(share) => exchange.admitted(share),
                Err(refused) => return refuse(exchange, refused.into(), reader, version),
            }
            let order = Order { settings, admitted, client, reader, version };
            if order.admitted.kind.is_websocket() {
                // Rare, and larger than all others.
                Box::pin(websocket(exchange, order, parts, body)).await
            } else {
                plain(exchange, order, parts, body).await
            }
        }
    }
}

/// What is known of an admitted request.
struct Order {
    settings: Arc<EdgeSettings>,
    admitted: Admitted,
    client: Client,
    reader: Reader,
    version: Version,
}

/// What the routes make of a request.
struct Way {
    to: SocketAddr,
    first_byte: Option<Duration>,
    body_bytes: u64,
}

impl Way {
    fn of(order: &Order, parts: &Parts) -> Self {
        let settings = &order.settings;
        let limits = &settings.limits;
        let (gateway, patient) = (settings.upstream, limits.first_byte_interactive);
        match settings.routes.find(order.admitted.host.as_bytes(), parts.uri.path()) {
            Found::Gateway | Found::Nothing => {
                Self { to: gateway, first_byte: patient, body_bytes: limits.body_bytes }
            }
            Found::Route(route) => Self {
                to: route.port.map_or(gateway, |port| SocketAddr::new(gateway.ip(), port)),
                first_byte: match route.class {
                    RouteClass::Interactive => patient,
                    RouteClass::Api => Some(limits.first_byte_api),
                },
                body_bytes: limits.body_bytes.min(route.body_bytes.unwrap_or(u64::MAX)),
            },
        }
    }
}

fn admit(
    connection: &Connection,
    settings: &EdgeSettings,
    parts: &Parts,
) -> Result<(Admitted, Client), Refusal> {
    if parts.version != Version::HTTP_2 && !connection.activity.expects() {
        tracing::error!(address = %connection.address, "a request began where none was seen to begin");
        return Err(EdgeError::Internal.into());
    }
    let admitted = gate::admit(&RequestHead::of(parts), &settings.names, &settings.limits)?;
    if !connection.is_for(&admitted.host, settings) {
        return Err(EdgeError::NameMismatch.into());
    }
    connection.shared.clients.admit(&admitted.host, connection.identity.as_ref())?;
    if let Some(pause) = settings.paused.filter(|pause| !is_over(*pause)) {
        return Err(Refusal { error: EdgeError::Paused, retry_after: seconds_until(pause) });
    }
    if settings.routes.find(admitted.host.as_bytes(), parts.uri.path()) == Found::Nothing {
        return Err(EdgeError::NotRouted.into());
    }
    let client = attribution::attribute(
        &connection.peer,
        admitted.loopback_name,
        &parts.headers,
        &settings.own,
        &settings.front,
    )?;
    Ok((admitted, client))
}

/// A place among the requests of this client. This machine itself needs none.
fn share(
    connection: &Connection,
    settings: &EdgeSettings,
    admitted: &Admitted,
    client: &Client,
) -> Result<Share, shares::Refused> {
    let shared = &connection.shared;
    let stranger = Some(client.address()).filter(|address| !settings.own.contains(*address));
    shared.shares.take(stranger, admitted.kind.is_websocket(), &settings.limits, shared.admission.room())
}

fn is_over(pause: Pause) -> bool {
    pause.until.is_some_and(|until| until <= SystemTime::now())
}

fn seconds_until(pause: Pause) -> Option<u32> {
    let left = pause.until?.duration_since(SystemTime::now()).ok()?;
    u32::try_from(left.as_secs().saturating_add(1)).ok()
}

/// A request with a response.
async fn plain(
    mut exchange: Box<Exchange>,
    order: Order,
    parts: Parts,
    body: Incoming,
) -> Response<EdgeBody> {
    let limits = &order.settings.limits;
    let way = Way::of(&order, &parts);
    if matches!(order.admitted.length, Length::Known(bytes) if bytes > way.body_bytes) {
        return refuse(exchange, EdgeError::BodyTooLarge.into(), order.reader, order.version);
    }
    let in_flight = || exchange.connection.activity.upload();
    let (body, meter) = RequestBody::new(body, way.body_bytes, Patience::of(limits), in_flight);
    exchange.metered(meter.clone());
    let request = for_gateway(&exchange, &order, parts, None, body);
    let upstream = &exchange.connection.shared.upstream;
    match upstream.send(request, &order.settings, way.to, way.first_byte).await {
        // Nobody asked for another protocol: whatever follows is not HTTP.
        Ok((response, _)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            refuse(exchange, EdgeError::GatewayBroke.into(), order.reader, order.version)
        }
        Ok((response, lease)) => {
            let (mut parts, body) = response.into_parts();
            for_client(&exchange, &order, &mut parts.headers, false);
            exchange.answered(parts.status);
            answer(parts.status, parts.headers, EdgeBody::gateway(body, Some(lease), exchange))
        }
        Err(failure) => {
            let fault = meter.and_then(|meter| meter.fault());
            refuse(exchange, explain(failure, fault).into(), order.reader, order.version)
        }
    }
}

/// A WebSocket handshake over either protocol.
async fn websocket(
    mut exchange: Box<Exchange>,
    order: Order,
    parts: Parts,
    body: Incoming,
) -> Response<EdgeBody> {
    let mut request = Request::from_parts(parts, body);
    let client = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    let key = if order.admitted.kind == Kind::WebSocketH2 {
        match h2bridge::as_http1(&mut parts) {
            Some(key) => Some(key),
            None => return refuse(exchange, EdgeError::Internal.into(), order.reader, order.version),
        }
    } else {
        None
    };
    let to = Way::of(&order, &parts).to;
    let request = for_gateway(&exchange, &order, parts, key.as_ref(), RequestBody::empty());
    let upstream = exchange.connection.shared.upstream.clone();
    match upstream.upgrade(request, &order.settings, to).await {
        Ok(Answer::Switched(response, gateway)) => {
            let (mut parts, ()) = response.into_parts();
            for_client(&exchange, &order, &mut parts.headers, true);
            let status = if order.admitted.kind == Kind::WebSocketH2 { StatusCode::OK } else { parts.status };
            exchange.answered(status);
            exchange.opened();
            let limits = &order.settings.limits;
            let rules = Rules { half_open: limits.half_open, idle: limits.websocket_idle };
            // A copy: a slice would keep the whole head.
            let host = HeaderValue::from_bytes(order.admitted.host.as_bytes());
            let host = host.unwrap_or_else(|_| order.admitted.host.clone());
            tokio::spawn(carry(exchange, client, gateway, rules, host));
            answer(status, parts.headers, EdgeBody::Empty)
        }
        // Over HTTP/2 any success opens the WebSocket (RFC 8441 §5), and the gateway has opened none.
        Ok(Answer::Refused(response))
            if order.admitted.kind == Kind::WebSocketH2 && response.status().is_success() =>
        {
            refuse(exchange, EdgeError::GatewayBadUpgrade.into(), order.reader, order.version)
        }
        Ok(Answer::Refused(response)) => {
            let (mut parts, body) = response.into_parts();
            for_client(&exchange, &order, &mut parts.headers, false);
            exchange.answered(parts.status);
            answer(parts.status, parts.headers, EdgeBody::gateway(body, None, exchange))
        }
        Err(failure) => refuse(exchange, explain(failure, None).into(), order.reader, order.version),
    }
}

/// Runs the tunnel once the client has the answer.
async fn carry(
    mut exchange: Box<Exchange>,
    client: OnUpgrade,
    gateway: Side<tokio::net::TcpStream>,
    rules: Rules,
    host: HeaderValue,
) {
    let Ok(Ok(upgraded)) = timeout(HANDOVER, client).await else {
        tracing::debug!(id = %exchange.id, "the client left during the upgrade");
        return;
    };
    let shared = &exchange.connection.shared;
    let connection = Arc::clone(&exchange.connection);
    let ends = shared.tally.websocket_ends();
    let cut = async {
        tokio::select! {
            () = ends => {}
            () = connection.shared.clients.refuse(&host, connection.identity.as_ref()) => {}
        }
    };
    // A pause that began since the request came did not see this WebSocket: it must not outlive the pause's word.
    if shared.settings.load().paused.is_some_and(|pause| !is_over(pause)) {
        shared.tally.end_websockets();
    }
    let outcome = match upgraded.downcast::<TokioIo<super::ClientTls>>() {
        Ok(parts) => {
            let client = Side { io: parts.io.into_inner().into_inner(), early: parts.read_buf };
            Box::pin(tunnel::run(client, gateway, rules, cut)).await
        }
        Err(stream) => {
            let client = Side { io: TokioIo::new(stream), early: Bytes::new() };
            Box::pin(tunnel::run(client, gateway, rules, cut)).await
        }
    };
    if may_be_a_restart(&outcome) {
        shared.upstream.hold.suspect(&shared.settings.load());
    }
    exchange.closed(outcome);
}

/// A gateway that goes away leaves its WebSockets without a word, or with one about itself (RFC 6455 §7.4.1, and the
/// registered 1012).
fn may_be_a_restart(outcome: &tunnel::Outcome) -> bool {
    let code = outcome.close.as_ref().map(|close| close.code);
    outcome.closed_by == Some(tunnel::End::Gateway) && matches!(code, None | Some(Some(1001 | 1012 | 1013)))
}

/// The request as the gateway gets it.
fn for_gateway(
    exchange: &Exchange,
    order: &Order,
    mut parts: Parts,
    websocket_key: Option<&HeaderValue>,
    body: RequestBody,
) -> Request<RequestBody> {
    rewrite_request(
        &mut parts.headers,
        &RequestRewrite {
            kind: order.admitted.kind,
            version: order.version,
            host: &order.admitted.host,
            client: &order.client,
            request_id: &exchange.id_header,
            identity_headers: &order.settings.identity_headers,
            websocket_key,
        },
    );
    // HTTP/2 needs no word about a length that is not known; towards the gateway a GET without one would lose its body.
    if order.version == Version::HTTP_2 && !body.is_empty() && !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // Of a target that was nothing but a fragment nothing is left: the root, as for a target without a path.
    let target = parts.uri.into_parts().path_and_query.map_or_else(Uri::default, Uri::from);
    parts.uri = if target.path().is_empty() { Uri::default() } else { target };
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    Request::from_parts(parts, body)
}

/// The gateway's headers as the client gets them.
fn for_client(exchange: &Exchange, order: &Order, headers: &mut HeaderMap, switched: bool) {
    rewrite_response(
        headers,
        &ResponseRewrite {
            kind: order.admitted.kind,
            switched,
            request_id: &exchange.id_header,
            hsts: order.settings.hsts(&order.admitted.host),
        },
    );
}

fn answer(status: StatusCode, headers: HeaderMap, body: EdgeBody) -> Response<EdgeBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Our code for what went wrong on the way.
fn explain(failure: Failure, fault: Option<Fault>) -> EdgeError {
    match (fault, failure) {
        (Some(Fault::TooLarge), _) => EdgeError::BodyTooLarge,
        (Some(Fault::Stalled), _) => EdgeError::BodyStalled,
        (Some(Fault::ClientBroke), _) => EdgeError::BadBody,
        (_, Failure::Down) => EdgeError::GatewayRestarting,
        (_, Failure::StillDown) => EdgeError::GatewayDown,
        (_, Failure::TimedOut) => EdgeError::GatewayTimeout,
        (_, Failure::Broke) => EdgeError::GatewayBroke,
        (_, Failure::BadUpgrade) => EdgeError::GatewayBadUpgrade,
    }
}

/// The edge's own answer.
fn refuse(
    mut exchange: Box<Exchange>,
    refusal: Refusal,
    reader: Reader,
    version: Version,
) -> Response<EdgeBody> {
    let Refusal { error, retry_after } = refusal;
    exchange.refused(error);
    let page = Page { error, reader, id: exchange.id, retry_after, link: None };
    let (mut parts, body) = page.response().into_parts();
    // A body that nobody reads ends an HTTP/1 connection: said first, it costs the client no later request (RFC 9112 §9.6).
    if version != Version::HTTP_2 && (error.closes() || exchange.brings_body()) {
        parts.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // hyper leaves the body of an answer to HEAD away over HTTP/1 only (RFC 9110 §9.3.2).
    if version == Version::HTTP_2 && exchange.is_head() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        return Response::from_parts(parts, EdgeBody::Own(None, exchange));
    }
    Response::from_parts(parts, EdgeBody::Own(Some(body), exchange))
}
