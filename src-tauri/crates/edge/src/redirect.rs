//! Plain HTTP: on the redirect port, and by mistake on the TLS port. It only leads to HTTPS.
//!
//! Guarantees: nothing that came in the clear reaches the gateway; only `GET` and `HEAD` of served names are led on
//! (308); anything that may carry a secret in its body is refused (403 on the redirect port, 400 on the TLS port) with
//! the link to use instead; unknown names get 421; a certificate authority's question for a token that is waited for is
//! answered on the redirect port ([`crate::challenge`]); the connection ends after one answer.

use crate::body::EdgeBody;
use crate::error::EdgeError;
use crate::gate::{self, Admitted, Kind, Length, RequestHead};
use crate::headers::X_REQUEST_ID;
use crate::page::{Answer as Page, Reader, https_link};
use crate::serve::{Connection, Exchange};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::sync::Arc;

/// Where the plain request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// On the redirect port.
    RedirectPort {
        /// The port of the HTTPS address.
        https_port: u16,
    },
    /// On the TLS port.
    TlsPort {
        /// That port.
        port: u16,
    },
}

impl Lead {
    fn port(self) -> u16 {
        match self {
            Self::RedirectPort { https_port: port } | Self::TlsPort { port } => port,
        }
    }
}

/// Answers a plain request.
pub(crate) fn handle(
    connection: &Arc<Connection>,
    request: Request<Incoming>,
    lead: Lead,
) -> Result<Response<EdgeBody>, Infallible> {
    let settings = connection.shared.settings.load();
    let (parts, _body) = request.into_parts();
    let mut exchange = Exchange::begin(connection, &parts);
    if let Some(text) = challenge_text(connection, &parts, lead) {
        exchange.answered_here(StatusCode::OK);
        return Ok(challenge_answer(text, exchange));
    }
    let verdict = gate::admit(&RequestHead::of(&parts), &settings.names, &settings.limits);
    // Written out: in absolute form the path may be left away, even before a query.
    let target = parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let link = parts.headers.get(HOST).and_then(|host| https_link(host, lead.port(), &target));
    let mut response = match (verdict, link) {
        (Ok(admitted), Some(link)) if may_follow(&parts, &admitted) => {
            exchange.answered_here(StatusCode::PERMANENT_REDIRECT);
            redirect(&link, exchange)
        }
        (Ok(_), link) => refuse(EdgeError::HttpsRequired, &parts, link.as_deref(), lead, exchange),
        (Err(error), _) => refuse(error, &parts, None, lead, exchange),
    };
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(response)
}

fn challenge_text(connection: &Connection, parts: &Parts, lead: Lead) -> Option<String> {
    match lead {
        Lead::RedirectPort { .. } => connection.shared.challenges.answer(parts),
        Lead::TlsPort { .. } => None,
    }
}

/// The token's text, for whoever asks: it proves nothing to anybody but the authority that gave the token.
fn challenge_answer(text: String, exchange: Box<Exchange>) -> Response<EdgeBody> {
    let id = exchange.id_header.clone();
    let mut response = Response::new(EdgeBody::Own(Some(Bytes::from(text)), exchange));
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A redirect is followed without asking anybody, so only requests that carry nothing may be led on.
fn may_follow(parts: &Parts, admitted: &Admitted) -> bool {
    (parts.method == Method::GET || parts.method == Method::HEAD)
        && admitted.kind == Kind::Plain
        && admitted.length == Length::Empty
}

fn redirect(link: &str, exchange: Box<Exchange>) -> Response<EdgeBody> {
    let id = exchange.id_header.clone();
    let mut response = Response::new(EdgeBody::Own(Some(Bytes::new()), exchange));
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id);
    if let Ok(location) = HeaderValue::from_str(link) {
        headers.insert(LOCATION, location);
    }
    // The address may serve something else tomorrow, and a browser never forgets a permanent redirect by itself.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refuse(
    error: EdgeError,
    parts: &Parts,
    link: Option<&str>,
    lead: Lead,
    mut exchange: Box<Exchange>,
) -> Response<EdgeBody> {
    exchange.refused(error);
    let reader = Reader::of(&parts.method, &parts.headers);
    let page = Page { error, reader, id: exchange.id, retry_after: None, link };
    let (mut head, body) = page.response().into_parts();
    if error == EdgeError::HttpsRequired && matches!(lead, Lead::RedirectPort { .. }) {
        head.status = StatusCode::FORBIDDEN;
        exchange.answered_here(head.status);
    }
    Response::from_parts(head, EdgeBody::Own(Some(body), exchange))
}
