//! Asking a port whether an OpenClaw gateway lives there, without a secret, and whether it takes a secret.
//!
//! The gateway serves its page on every unknown path, so a status of 200 proves nothing: the bodies of `/healthz` and
//! `/readyz` do.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_millis(1500);
const LARGEST: u64 = 64 * 1024;
/// What the page asks for first; it wants the secret (openclaw-gateway §2).
const PAGE_FACTS: &str = "/control-ui-config.json";

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayHealth {
    /// Ready for clients.
    Ready,
    /// Alive but not ready: it is starting or stopping.
    Live,
    /// Nothing listens.
    Refused,
    /// Something listens but did not answer in time.
    Silent,
    /// Something else listens.
    NotGateway {
        /// What it answered, shortened.
        what: String,
    },
}

/// Asks. Takes 3 s at most.
pub async fn health(address: SocketAddr) -> GatewayHealth {
    let live = match get(address, "/healthz").await {
        Ok(answer) => answer,
        Err(Silence::Refused) => return GatewayHealth::Refused,
        Err(Silence::Late) => return GatewayHealth::Silent,
        Err(Silence::Broken(what)) => return GatewayHealth::NotGateway { what },
    };
    let body = live.json();
    if live.status != 200
        || body.get("ok").and_then(Value::as_bool) != Some(true)
        || body.get("status").is_none()
    {
        return GatewayHealth::NotGateway { what: live.describe() };
    }
    match get(address, "/readyz").await {
        Ok(answer) => match answer.json().get("ready").and_then(Value::as_bool) {
            Some(true) => GatewayHealth::Ready,
            Some(false) => GatewayHealth::Live,
            None => GatewayHealth::NotGateway { what: answer.describe() },
        },
        Err(_) => GatewayHealth::Live,
    }
}

/// Whether the gateway takes the shared secret; `None` where it cannot be told: it does not answer, or shows no page
/// of its own. `base_path` is `gateway.controlUi.basePath`. Takes 1.5 s at most.
pub async fn admits(address: SocketAddr, base_path: Option<&str>, secret: &SecretString) -> Option<bool> {
    let base = base_path.map(|base| base.trim_matches('/')).filter(|base| !base.is_empty());
    let path = base.map_or_else(|| PAGE_FACTS.to_owned(), |base| format!("/{base}{PAGE_FACTS}"));
    let secret = secret.expose_secret();
    if !path.is_ascii() || path.contains(char::is_whitespace) || secret.contains(char::is_control) {
        return None;
    }
    let authorization = format!("Authorization: Bearer {secret}\r\n");
    match ask(address, &path, &authorization).await.ok()?.status {
        200 => Some(true),
        401 => Some(false),
        _ => None,
    }
}

struct Answer {
    status: u16,
    server: Option<String>,
    content_type: Option<String>,
    body: Vec<u8>,
}

enum Silence {
    Refused,
    Late,
    Broken(String),
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn describe(&self) -> String {
        let mut text = format!("HTTP {}", self.status);
        for part in [&self.server, &self.content_type].into_iter().flatten() {
            text.push_str(", ");
            text.push_str(part);
        }
        text
    }
}

async fn get(address: SocketAddr, path: &str) -> Result<Answer, Silence> {
    ask(address, path, "").await
}

async fn ask(address: SocketAddr, path: &str, headers: &str) -> Result<Answer, Silence> {
    match timeout(LIMIT, exchange(address, path, headers)).await {
        Err(_) => Err(Silence::Late),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Err(Silence::Refused),
        Ok(Err(error)) => Err(Silence::Broken(format!("the connection broke: {error}"))),
        Ok(Ok(bytes)) => parse(&bytes),
    }
}

/// HTTP/1.0, so that the answer comes unchunked and ends with the connection.
async fn exchange(address: SocketAddr, path: &str, headers: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nAccept: application/json\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let read = stream.take(LARGEST).read_to_end(&mut bytes).await;
    if bytes.is_empty() {
        read?;
    }
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Answer, Silence> {
    let broken = |what: &str| Silence::Broken(what.to_owned());
    if bytes.is_empty() {
        return Err(broken("it closes plain HTTP connections without an answer"));
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| broken("it does not speak HTTP"))?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .filter(|line| line.starts_with("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or_else(|| broken("it does not speak HTTP"))?;
    let mut answer = Answer { status, server: None, content_type: None, body: bytes[end + 4..].to_vec() };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let short = || Some(value.trim().chars().take(60).collect());
        match name.to_ascii_lowercase().as_str() {
            "server" => answer.server = short(),
            "content-type" => answer.content_type = short(),
            _ => {}
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
