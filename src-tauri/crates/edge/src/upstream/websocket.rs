//! The upgrade handshake with the gateway.

use super::{Failure, Upstream, UpstreamIo, connect, request_head};
use crate::body::RequestBody;
use crate::hold::Stage;
use crate::settings::EdgeSettings;
use crate::tunnel::Side;
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// For the gateway to answer an upgrade, and for its connection to be handed over afterwards.
const ANSWER: Duration = Duration::from_secs(30);
/// RFC 6455 §1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What the gateway said to an upgrade.
pub(crate) enum Answer {
    /// 101, and valid: the connection carries frames now.
    Switched(Response<()>, Side<TcpStream>),
    /// Anything else, to be passed on as it is.
    Refused(Response<Incoming>),
}

impl Upstream {
    /// Asks the gateway for a WebSocket on a connection of its own. `request` carries the complete handshake headers.
    ///
    /// A handshake changes nothing, so one whose connection died before a single byte of an answer is sent once more:
    /// the gateway went away in that moment, and the next one waits until it is back.
    pub(crate) async fn upgrade(
        &self,
        request: Request<RequestBody>,
        settings: &EdgeSettings,
        to: SocketAddr,
    ) -> Result<Answer, Failure> {
        let give_up = Instant::now() + settings.limits.hold;
        let spare = settings.hold_upgrades.then(|| request_head(&request));
        let stream = self.connect_for_upgrade(settings, to, give_up).await?;
        match (handshake(stream, request).await, spare) {
            (Err(Unanswered { failure: Failure::Broke, silent: true }), Some(request)) => {
                if to == settings.upstream {
                    self.hold.suspect(settings);
                }
                let stream = self.connect_for_upgrade(settings, to, give_up).await?;
                handshake(stream, request).await.map_err(|unanswered| unanswered.failure)
            }
            (answer, _) => answer.map_err(|unanswered| unanswered.failure),
        }
    }

    async fn connect_for_upgrade(
        &self,
        settings: &EdgeSettings,
        gateway: SocketAddr,
        give_up: Instant,
    ) -> Result<TcpStream, Failure> {
        loop {
            if !self.hold.is_out(gateway, Stage::Ready) {
                match connect(gateway, settings.limits.connect).await {
                    Err(Failure::Down) => self.refused(settings, gateway)?,
                    other => return other,
                }
            }
            if !settings.hold_upgrades {
                return Err(Failure::Down);
            }
            self.wait(settings, Stage::Ready, give_up).await?;
        }
    }
}

/// A handshake without an answer.
struct Unanswered {
    failure: Failure,
    /// Whether not a single byte came back.
    silent: bool,
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { failure, silent: false }
    }
}

/// One handshake on one connection.
async fn handshake(stream: TcpStream, request: Request<RequestBody>) -> Result<Answer, Unanswered> {
    let expected = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| accept_for(key.as_bytes()));
    let (io, read) = UpstreamIo::new(stream);
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(|_| Failure::Broke)?;
    tokio::spawn(connection.with_upgrades());
    let mut response = match timeout(ANSWER, sender.send_request(request)).await {
        Err(_) => return Err(Failure::TimedOut.into()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the gateway broke an upgrade");
            return Err(Unanswered { failure: Failure::Broke, silent: read.load(Ordering::Acquire) == 0 });
        }
        Ok(Ok(response)) => response,
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Answer::Refused(response));
    }
    if !is_valid(response.headers(), expected.as_ref()) {
        return Err(Failure::BadUpgrade.into());
    }
    let upgraded = match timeout(ANSWER, hyper::upgrade::on(&mut response)).await {
        Err(_) => return Err(Failure::TimedOut.into()),
        Ok(upgraded) => upgraded.map_err(|_| Failure::Broke)?,
    };
    let parts = upgraded.downcast::<TokioIo<UpstreamIo>>().map_err(|_| Failure::Broke)?;
    let side = Side { io: parts.io.into_inner().into_inner(), early: parts.read_buf };
    Ok(Answer::Switched(response.map(|_| ()), side))
}

/// The `Sec-WebSocket-Accept` that belongs to a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub(crate) fn accept_for(key: &[u8]) -> HeaderValue {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key);
    context.update(ACCEPT_SUFFIX);
    let accept = STANDARD.encode(context.finish());
    HeaderValue::from_str(&accept).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// A fresh `Sec-WebSocket-Key`; `None` where the system has no random numbers.
pub(crate) fn random_key() -> Option<HeaderValue> {
    let mut key = [0; 16];
    rand::fill(&mut key).ok()?;
    HeaderValue::from_str(&STANDARD.encode(key)).ok()
}

/// Whether the headers of a 101 complete the handshake (RFC 6455 §4.1).
fn is_valid(headers: &HeaderMap, expected: Option<&HeaderValue>) -> bool {
    let mut accepts = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter();
    let accepted = expected.is_some() && accepts.next() == expected && accepts.next().is_none();
    let upgrade =
        headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let connection = headers.get_all(CONNECTION).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    });
    accepted && upgrade && connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_accept_of_the_rfc() {
        assert_eq!(accept_for(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn takes_only_a_complete_handshake_with_the_right_accept() {
        let right = accept_for(b"dGhlIHNhbXBsZSBub25jZQ==");
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, right.clone());
        assert!(is_valid(&headers, Some(&right)));
        assert!(!is_valid(&headers, None));
        assert!(!is_valid(&headers, Some(&accept_for(b"another"))));
        for missing in [UPGRADE, CONNECTION, SEC_WEBSOCKET_ACCEPT] {
            let mut incomplete = headers.clone();
            incomplete.remove(missing);
            assert!(!is_valid(&incomplete, Some(&right)));
        }
        headers.append(SEC_WEBSOCKET_ACCEPT, right.clone());
        assert!(!is_valid(&headers, Some(&right)), "two of them");
    }
}
