//! WebSockets that speak the gateway's frames: one JSON value per text message.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Io;
use crate::within;

/// Enough for a gateway on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Io>>,
}

/// An upgrade that was answered with something else.
#[derive(Debug, Clone)]
pub struct UpgradeRefused {
    /// The status code.
    pub status: u16,
    /// The code of an error made by the edge, or empty.
    pub edge_error: String,
    /// The field `Retry-After`, or empty.
    pub retry_after: String,
    /// The body.
    pub body: String,
}

/// Why a WebSocket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

pub(crate) async fn upgrade(stream: Box<dyn Io>, request: Request<()>) -> Result<Socket, UpgradeRefused> {
    match within("a WebSocket upgrade", PATIENCE, client_async(request, stream)).await {
        Ok((stream, _)) => Ok(Socket { stream }),
        Err(tungstenite::Error::Http(response)) => {
            let field = |name| {
                response
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or_default()
                    .to_owned()
            };
            Err(UpgradeRefused {
                status: response.status().as_u16(),
                edge_error: field("x-gatehouse-error"),
                retry_after: field("retry-after"),
                body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
            })
        }
        Err(other) => panic!("the upgrade was not answered: {other}"),
    }
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<Box<dyn Io>>) -> Self {
        Self { stream }
    }

    /// Sends one JSON value.
    pub async fn send(&mut self, value: &Value) {
        self.stream.send(Message::text(value.to_string())).await.expect("the message can be sent");
    }

    /// Sends a ping and waits for its pong, half a minute at most: the tunnel is alive in both directions.
    pub async fn is_alive(&mut self) -> bool {
        within("a pong", PATIENCE, self.pong()).await
    }

    /// Sends a ping and waits for its pong, however long it takes; false where the connection ends instead.
    pub async fn pong(&mut self) -> bool {
        if self.stream.send(Message::Ping("alive?".into())).await.is_err() {
            return false;
        }
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Pong(_))) => return true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads whatever comes for so long, as an app does that shows it; false where the connection ends meanwhile.
    pub async fn rest(&mut self, time: Duration) -> bool {
        let reading = async {
            while let Some(Ok(message)) = self.stream.next().await {
                if message.is_close() {
                    break;
                }
            }
        };
        tokio::time::timeout(time, reading).await.is_err()
    }

    /// The next JSON value, or why there is none.
    pub(crate) async fn next(&mut self) -> Result<Value, Closed> {
        within("a message from the gateway", PATIENCE, self.read()).await
    }

    /// Waits for the end of the connection: close code (1006 without one) and reason.
    pub async fn end(&mut self, limit: Duration) -> (u16, String) {
        let closed = within("the end of a WebSocket", limit, async {
            loop {
                if let Err(closed) = self.read().await {
                    return closed;
                }
            }
        })
        .await;
        (closed.code, closed.reason)
    }

    async fn read(&mut self) -> Result<Value, Closed> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("the gateway speaks JSON"));
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(Closed { code: frame.code.into(), reason: frame.reason.to_string() });
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed { code: 1006, reason: String::new() }),
            }
        }
    }
}
