//! WebSocket over the probe's TLS.

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

use super::error::{Check, ProbeError};
use super::http::authority;
use super::trust::{Trust, connect, within};
use crate::address_plan::PlannedAddress;

const STARTING: u16 = 1013;

/// A socket on which the gateway has sent its challenge.
pub(super) struct Challenged {
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// How the gateway answered a `connect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// `details.code`, else `code`; `hello-ok` where it let us in.
    pub(super) code: String,
    pub(super) message: String,
}

/// Opens a WebSocket and waits for the challenge, the first thing that the gateway says.
pub(super) async fn challenge(address: &PlannedAddress, trust: &Trust) -> Result<(), ProbeError> {
    let mut challenged = open(address, trust, Check::Reach, None).await?;
    let _ = challenged.socket.close(None).await;
    Ok(())
}

/// Says `connect` as the Control UI on a page of `origin` does, without a secret and without a device, so that
/// nothing is left to approve.
pub(super) async fn connect_as_page(
    address: &PlannedAddress,
    trust: &Trust,
    check: Check,
    origin: &str,
) -> Result<Refusal, ProbeError> {
    let mut challenged = open(address, trust, check, Some(origin)).await?;
    let hello = json!({
        "type": "req", "id": "probe", "method": "connect",
        "params": {
            "minProtocol": 4, "maxProtocol": 4,
            "client": {
                "id": "openclaw-control-ui", "version": env!("CARGO_PKG_VERSION"), "platform": "probe",
                "mode": "webchat",
            },
            "role": "operator", "scopes": [], "caps": [],
        },
    });
    let answer = within(address, check, async {
        let frame = Message::text(hello.to_string());
        challenged.socket.send(frame).await.map_err(|error| broken(address, check, &error))?;
        loop {
            let frame = next(address, check, &mut challenged.socket).await?;
            if frame["type"] == "res" {
                return Ok(refusal(&frame));
            }
        }
    })
    .await;
    let _ = challenged.socket.close(None).await;
    answer
}

async fn open(
    address: &PlannedAddress,
    trust: &Trust,
    check: Check,
    origin: Option<&str>,
) -> Result<Challenged, ProbeError> {
    let failed = |error: tungstenite::Error| broken(address, check, &error);
    let mut request = format!("wss://{}/", authority(address)).into_client_request().map_err(failed)?;
    if let Some(origin) = origin {
        let value = HeaderValue::from_str(origin).map_err(|error| ProbeError::Broken {
            url: address.url.clone(),
            check,
            why: error.to_string(),
        })?;
        request.headers_mut().insert(header::ORIGIN, value);
    }
    let (stream, _) = connect(address, trust).await?;
    within(address, check, async {
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .map_err(|error| refused(address, check, error))?;
        let first = next(address, check, &mut socket).await?;
        match first["event"] == "connect.challenge" {
            true => Ok(Challenged { socket }),
            false => Err(ProbeError::Unexpected {
                url: address.url.clone(),
                check,
                expected: "the gateway's challenge",
                got: first.to_string().chars().take(120).collect(),
            }),
        }
    })
    .await
}

async fn next(
    address: &PlannedAddress,
    check: Check,
    socket: &mut WebSocketStream<TlsStream<TcpStream>>,
) -> Result<Value, ProbeError> {
    let url = || address.url.clone();
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap_or(Value::Null)),
            Some(Ok(Message::Close(Some(close)))) if u16::from(close.code) == STARTING => {
                return Err(ProbeError::NotReady { url: url(), what: close.reason.to_string() });
            }
            Some(Ok(Message::Close(close))) => {
                let why = close
                    .map_or_else(|| "closed".to_owned(), |close| format!("{} {}", close.code, close.reason));
                return Err(ProbeError::Broken { url: url(), check, why });
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(broken(address, check, &error)),
            None => {
                return Err(ProbeError::Broken { url: url(), check, why: "the connection ended".to_owned() });
            }
        }
    }
}

fn refusal(frame: &Value) -> Refusal {
    if frame["ok"] == true {
        return Refusal { code: "hello-ok".to_owned(), message: String::new() };
    }
    let error = &frame["error"];
    let code = error["details"]["code"].as_str().or(error["code"].as_str()).unwrap_or("unknown");
    let message = error["message"].as_str().unwrap_or_default();
    Refusal { code: code.to_owned(), message: message.to_owned() }
}

fn refused(address: &PlannedAddress, check: Check, error: tungstenite::Error) -> ProbeError {
    let tungstenite::Error::Http(response) = &error else { return broken(address, check, &error) };
    let url = address.url.clone();
    let status = response.status();
    let edge = response.headers().get("x-gatehouse-error").and_then(|code| code.to_str().ok());
    let got = format!("{} {}", status.as_u16(), edge.unwrap_or("by the gateway"));
    match status.as_u16() {
        502 | 503 => ProbeError::NotReady { url, what: got },
        _ => ProbeError::Unexpected { url, check, expected: "a WebSocket", got },
    }
}

fn broken(address: &PlannedAddress, check: Check, error: &tungstenite::Error) -> ProbeError {
    ProbeError::Broken { url: address.url.clone(), check, why: error.to_string() }
}
