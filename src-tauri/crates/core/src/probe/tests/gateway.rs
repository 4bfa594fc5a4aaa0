//! As much of a gateway as probes look at: health, readiness, the challenge, and the check of origins.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// How it behaves. The default is as the real one does towards a client that comes through a trusted proxy.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manners {
    /// It tells everybody what it tells local clients only.
    pub(super) takes_all_for_local: bool,
    /// The origin that it allows; `*` = all, `None` = that of the Host.
    pub(super) allows: Option<&'static str>,
}

pub(super) async fn start(address: SocketAddr, manners: Manners) {
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, manners));
        }
    });
}

async fn serve(stream: TcpStream, manners: Manners) {
    let mut head = [0_u8; 4096];
    let length = stream.peek(&mut head).await.unwrap_or(0);
    let head = String::from_utf8_lossy(&head[..length]).to_ascii_lowercase();
    if head.contains("upgrade: websocket") {
        socket(stream, manners).await;
    } else {
        answer(stream, &head, manners).await;
    }
}

async fn answer(mut stream: TcpStream, head: &str, manners: Manners) {
    let mut request = [0_u8; 4096];
    let _ = stream.read(&mut request).await;
    let local = manners.takes_all_for_local || !head.contains("x-forwarded-for:");
    let body = match (head.starts_with("get /readyz"), local) {
        (false, _) => json!({ "ok": true, "status": "live" }),
        (true, false) => json!({ "ready": true }),
        (true, true) => json!({ "ready": true, "failing": [], "uptimeMs": 1 }),
    }
    .to_string();
    let text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

async fn socket(stream: TcpStream, manners: Manners) {
    let mut origin = None;
    let mut host = String::new();
    #[allow(clippy::result_large_err)]
    let look = |request: &Request, response: Response| {
        let text =
            |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        origin = text("origin");
        host = text("host").unwrap_or_default();
        Ok(response)
    };
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, look).await else { return };
    let challenge = json!({ "type": "event", "event": "connect.challenge", "payload": { "nonce": "n" } });
    let _ = socket.send(Message::text(challenge.to_string())).await;
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        let Ok(request) = serde_json::from_str::<Value>(text) else { continue };
        let own = format!("https://{host}");
        let allowed = match manners.allows {
            Some("*") => true,
            Some(only) => origin.as_deref() == Some(only),
            None => origin.as_deref() == Some(own.as_str()),
        };
        let code =
            if allowed { "CONTROL_UI_DEVICE_IDENTITY_REQUIRED" } else { "CONTROL_UI_ORIGIN_NOT_ALLOWED" };
        let refusal = json!({
            "type": "res", "id": request["id"], "ok": false,
            "error": { "code": "INVALID_REQUEST", "message": "no", "details": { "code": code } },
        });
        let _ = socket.send(Message::text(refusal.to_string())).await;
    }
}
