//! One attempt to log in.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::frame::{self, Frame, RpcError};
use super::{Credentials, Endpoint, Hello};
use crate::identity::{DeviceIdentity, Login};

/// The largest frame in either direction (25 MiB), as the gateway's policy says.
pub(super) const LARGEST_FRAME: usize = 25 << 20;
const SCOPES: [&str; 5] =
    ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"];
const TCP_LIMIT: Duration = Duration::from_secs(3);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(12);
const STARTING: Duration = Duration::from_millis(500);

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    Unreachable { why: String },
    Starting { retry_after: Duration },
    Refused { code: String, detail: String, retry_after: Option<Duration> },
}

pub(super) async fn connect(
    endpoint: &Endpoint,
    identity: Option<&DeviceIdentity>,
) -> Result<(Socket, Hello), Failure> {
    if !endpoint.address.ip().is_loopback() {
        return Err(Failure::Refused {
            code: "NOT_LOOPBACK".to_owned(),
            detail: "the secret is only ever sent to this machine".to_owned(),
            retry_after: None,
        });
    }
    let stream = match timeout(TCP_LIMIT, TcpStream::connect(endpoint.address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(unreachable(format!("{}: {error}", endpoint.address))),
        Err(_) => return Err(unreachable(format!("{} does not answer", endpoint.address))),
    };
    let _ = stream.set_nodelay(true);
    match timeout(HANDSHAKE_LIMIT, handshake(stream, endpoint, identity)).await {
        Ok(result) => result,
        Err(_) => Err(unreachable(format!("{} accepts connections but does not answer", endpoint.address))),
    }
}

/// Whether the gateway accepts WebSocket connections: its challenge arrives. Needs no secret, and sends none.
pub(super) async fn is_challenged(address: SocketAddr) -> bool {
    let attempt = async {
        let stream = timeout(TCP_LIMIT, TcpStream::connect(address)).await.ok()?.ok()?;
        let request = format!("ws://{address}/").into_client_request().ok()?;
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.ok()?;
        challenge(&mut socket).await.ok()
    };
    matches!(timeout(HANDSHAKE_LIMIT, attempt).await, Ok(Some(_)))
}

async fn handshake(
    stream: TcpStream,
    endpoint: &Endpoint,
    identity: Option<&DeviceIdentity>,
) -> Result<(Socket, Hello), Failure> {
    let request = format!("ws://{}/", endpoint.address)
        .into_client_request()
        .map_err(|error| unreachable(error.to_string()))?;
    let config =
        WebSocketConfig::default().max_message_size(Some(LARGEST_FRAME)).max_frame_size(Some(LARGEST_FRAME));
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
        .await
        .map_err(not_upgraded)?;
    let (nonce, at) = challenge(&mut socket).await?;
    let params = connect_params(endpoint, identity, &nonce, at);
    socket.send(Message::text(frame::request("connect", "connect", &params))).await.map_err(broken)?;
    loop {
        if let Frame::Res { id, ok, payload, error } = next(&mut socket).await?
            && id == "connect"
        {
            return if ok {
                Ok((socket, frame::hello(&payload)))
            } else {
                Err(refused(error.unwrap_or_default()))
            };
        }
    }
}

async fn challenge(socket: &mut Socket) -> Result<(String, u64), Failure> {
    loop {
        if let Frame::Event { event, payload } = next(socket).await?
            && event == "connect.challenge"
        {
            let nonce = payload.get("nonce").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Ok((nonce, payload.get("ts").and_then(Value::as_u64).unwrap_or_default()));
        }
    }
}

async fn next(socket: &mut Socket) -> Result<Frame, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|_| {
                    unreachable("what answers does not speak the gateway's protocol".to_owned())
                });
            }
            Some(Ok(Message::Close(close))) => {
                let code = close.as_ref().map_or(1005, |close| u16::from(close.code));
                return Err(if matches!(code, 1012 | 1013) {
                    Failure::Starting { retry_after: STARTING }
                } else {
                    unreachable(format!("the gateway closed the connection ({code})"))
                });
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(broken(error)),
            None => return Err(unreachable("the gateway closed the connection".to_owned())),
        }
    }
}

fn connect_params(endpoint: &Endpoint, identity: Option<&DeviceIdentity>, nonce: &str, at: u64) -> Value {
    let (id, mode) =
        if identity.is_some() { ("openclaw-macos", "ui") } else { ("gateway-client", "backend") };
    let auth = match &endpoint.auth {
        Credentials::Token(token) => json!({"token": token.expose_secret()}),
        Credentials::Password(password) => json!({"password": password.expose_secret()}),
        Credentials::None => json!({}),
    };
    let mut params = json!({
        "minProtocol": 4,
        "maxProtocol": 4,
        "client": {
            "id": id,
            "version": env!("CARGO_PKG_VERSION"),
            "platform": std::env::consts::OS,
            "mode": mode,
            "displayName": "Gatehouse",
        },
        "role": "operator",
        "scopes": SCOPES,
        "caps": [],
        "auth": auth,
    });
    if let Some(identity) = identity {
        let token = match &endpoint.auth {
            Credentials::Token(token) => token.expose_secret(),
            Credentials::Password(_) | Credentials::None => "",
        };
        let login = Login {
            client_id: id,
            client_mode: mode,
            role: "operator",
            scopes: &SCOPES,
            signed_at: at,
            token,
            nonce,
            platform: std::env::consts::OS,
            device_family: "",
        };
        params["device"] = identity.device(&login);
    }
    params
}

fn refused(error: RpcError) -> Failure {
    let retry_after = error.retry_after();
    if error.code == "UNAVAILABLE" && error.detail_code() == "UNAVAILABLE" {
        return Failure::Starting { retry_after: retry_after.unwrap_or(STARTING) };
    }
    Failure::Refused { code: error.detail_code().to_owned(), detail: error.message, retry_after }
}

fn not_upgraded(error: Error) -> Failure {
    if let Error::Http(response) = &error {
        return unreachable(format!(
            "what answers refuses a WebSocket (HTTP {})",
            response.status().as_u16()
        ));
    }
    broken(error)
}

fn broken(error: Error) -> Failure {
    unreachable(format!("the connection broke: {error}"))
}

fn unreachable(why: String) -> Failure {
    Failure::Unreachable { why }
}
