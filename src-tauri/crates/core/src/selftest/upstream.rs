//! As much of a gateway as a probe looks at, on a loopback port of its own: health, readiness (told in full to local
//! clients only), and the challenge of a WebSocket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;

/// A request of a probe has less.
const HEAD: usize = 16 * 1024;

/// Answers as long as it lives.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    serving: AbortHandle,
}

impl Upstream {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(serve(stream));
            }
        });
        Ok(Self { address, serving: serving.abort_handle() })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream) {
    let Some(head) = peeked_head(&stream).await else { return };
    if head.contains("upgrade: websocket") {
        challenge(stream).await;
        return;
    }
    let mut request = vec![0; head.len()];
    if stream.read_exact(&mut request).await.is_err() {
        return;
    }
    let body = match (head.starts_with("get /readyz"), head.contains("x-forwarded-for:")) {
        (false, _) => json!({"ok": true, "status": "live"}),
        (true, true) => json!({"ready": true}),
        (true, false) => json!({"ready": true, "failing": []}),
    }
    .to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The head of the request in lower case; it stays to be read.
async fn peeked_head(stream: &TcpStream) -> Option<String> {
    let mut head = vec![0; HEAD];
    loop {
        let length = stream.peek(&mut head).await.ok()?;
        let text = String::from_utf8_lossy(&head[..length]).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            return Some(text[..end + 4].to_owned());
        }
        if length == 0 || length == HEAD {
            return None;
        }
        tokio::task::yield_now().await;
    }
}

async fn challenge(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let challenge = json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "selftest"}});
    let _ = socket.send(Message::text(challenge.to_string())).await;
    while let Some(Ok(_)) = socket.next().await {}
}
