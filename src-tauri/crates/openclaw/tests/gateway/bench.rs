//! One gateway, its folder, and clients of it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gatehouse_openclaw::client::{Credentials, Endpoint, GatewayClient, Link};
use gatehouse_openclaw::identity::{DeviceIdentity, Login};
use gatehouse_openclaw::install::Installed;
use gatehouse_openclaw::supervise::{Recipe, State, Supervisor};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

pub(crate) const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const START: Duration = Duration::from_secs(90);
const TOKEN: &str = "test-token-0123456789abcdef0123456789abcdef";

#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) recipe: Recipe,
    pub(crate) supervisor: Arc<Mutex<Option<Supervisor>>>,
    token: Arc<std::sync::Mutex<String>>,
    folder: Arc<TempDir>,
}

impl Bench {
    pub(crate) async fn start(prefix: PathBuf) -> (Self, Arc<Mutex<Option<Supervisor>>>) {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        fs::create_dir(&state_dir).unwrap();
        let port =
            (23_200..23_300).find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
        let programs = prefix.join("node_modules/.bin");
        let variables = [("HOME", folder.path().display().to_string())]
            .into_iter()
            .chain([("TMPDIR", folder.path().display().to_string())])
            .chain([
                ("OPENCLAW_SKIP_CHANNELS", "1".to_owned()),
                ("MY_ORIGIN", "https://env.example".to_owned()),
            ])
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let recipe = Recipe {
            installed: Installed {
                program: programs.join("openclaw"),
                node: programs.join("node"),
                version: gatehouse_openclaw::install::OPENCLAW_VERSION.to_owned(),
            },
            config_path: state_dir.join("openclaw.json"),
            state_dir,
            port,
            log: folder.path().join("gateway.log"),
            pid_file: folder.path().join("gateway.pid"),
            variables,
        };
        let config = json!({
            "gateway": {
                "mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": TOKEN},
            },
        });
        fs::write(&recipe.config_path, config.to_string()).unwrap();
        let supervisor = Supervisor::start(recipe.clone()).await.unwrap();
        let shared = Arc::new(Mutex::new(Some(supervisor)));
        let bench = Self {
            recipe,
            supervisor: shared.clone(),
            token: Arc::new(std::sync::Mutex::new(TOKEN.to_owned())),
            folder: Arc::new(folder),
        };
        bench.running().await;
        (bench, shared)
    }

    pub(crate) async fn stop(&self, supervisor: Arc<Mutex<Option<Supervisor>>>) {
        if let Some(supervisor) = supervisor.lock().await.take() {
            supervisor.stop(Duration::from_secs(15)).await;
        }
    }

    /// Waits until the supervisor says that it runs; its process.
    pub(crate) async fn running(&self) -> u32 {
        let mut state = self.supervisor.lock().await.as_ref().unwrap().state();
        let found = timeout(START, state.wait_for(|state| matches!(state, State::Running { .. }))).await;
        match found.map(|state| state.unwrap().clone()) {
            Ok(State::Running { pid }) => pid,
            other => panic!("{other:?}: {}", fs::read_to_string(&self.recipe.log).unwrap_or_default()),
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.recipe.port))
    }

    pub(crate) fn token(&self) -> String {
        self.token.lock().unwrap().clone()
    }

    pub(crate) fn set_token(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap());
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint { address: self.address(), auth: Credentials::Token(SecretString::from(self.token())) }
    }

    pub(crate) async fn client(&self) -> GatewayClient {
        let client = GatewayClient::spawn(self.endpoint());
        client.ready(LIMIT).await.unwrap_or_else(|link| panic!("{link:?}"));
        client
    }

    /// What a client behind the proxy gets over HTTP with the shared token alone.
    pub(crate) async fn http_status_from(&self, client: &str, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\nX-Forwarded-For: {client}\r\n\r\n",
            self.address(),
            self.token()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The file's value without what the gateway adds to it by itself.
    pub(crate) fn config(&self) -> Value {
        let mut value: Value = serde_json::from_slice(&fs::read(&self.recipe.config_path).unwrap()).unwrap();
        value.as_object_mut().unwrap().remove("meta");
        value
    }
}

pub(crate) async fn wait_for(client: &GatewayClient, what: impl Fn(&Link) -> bool) -> Link {
    let mut status = client.status();
    let found = timeout(LIMIT, status.wait_for(|link| what(link))).await;
    found.unwrap_or_else(|_| panic!("still {:?}", client.status().borrow())).unwrap().clone()
}

/// A native client with a key, as the gateway sees one that comes through a trusted proxy (or, without an address, from
/// this machine).
pub(crate) struct Device {
    pub(crate) identity: DeviceIdentity,
    pub(crate) from: Option<&'static str>,
}

pub(crate) struct Connected {
    /// Open as long as this lives.
    pub(crate) _socket: WebSocketStream<TcpStream>,
    pub(crate) hello: Value,
}

impl Device {
    pub(crate) fn new(from: Option<&'static str>) -> Self {
        Self { identity: DeviceIdentity::generate().unwrap(), from }
    }

    pub(crate) fn id(&self) -> &str {
        self.identity.device_id()
    }

    /// Logs in; the error object where it is refused.
    pub(crate) async fn connect(
        &self,
        bench: &Bench,
        auth: Value,
        scopes: &[&str],
    ) -> Result<Connected, Value> {
        let mut request = format!("ws://{}/", bench.address()).into_client_request().unwrap();
        if let Some(from) = self.from {
            request.headers_mut().insert("x-forwarded-for", from.parse().unwrap());
            request.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
        }
        let stream = TcpStream::connect(bench.address()).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let challenge = frame(&mut socket).await;
        let token =
            auth.get("token").or_else(|| auth.get("deviceToken")).and_then(Value::as_str).unwrap_or_default();
        let login = Login {
            client_id: "openclaw-macos",
            client_mode: "ui",
            role: "operator",
            scopes,
            signed_at: challenge["payload"]["ts"].as_u64().unwrap(),
            token,
            nonce: challenge["payload"]["nonce"].as_str().unwrap(),
            platform: "macos",
            device_family: "Mac",
        };
        let params = json!({
            "minProtocol": 4, "maxProtocol": 4,
            "client": {"id": login.client_id, "version": "1", "platform": login.platform, "mode": login.client_mode,
                       "deviceFamily": login.device_family, "displayName": "Bob laptop"},
            "role": login.role, "scopes": scopes, "caps": [], "auth": auth, "device": self.identity.device(&login),
        });
        let connect = json!({"type": "req", "id": "c", "method": "connect", "params": params});
        socket.send(Message::text(connect.to_string())).await.unwrap();
        loop {
            let answer = frame(&mut socket).await;
            if answer["id"] == "c" {
                return if answer["ok"] == true {
                    Ok(Connected { _socket: socket, hello: answer["payload"].clone() })
                } else {
                    Err(answer["error"].clone())
                };
            }
        }
    }

    pub(crate) async fn asks(&self, bench: &Bench, scopes: &[&str]) {
        let error = match self.connect(bench, json!({"token": bench.token()}), scopes).await {
            Err(error) => error,
            Ok(_) => panic!("let in without an approval"),
        };
        assert_eq!(error["details"]["code"], "PAIRING_REQUIRED", "{error}");
    }
}

async fn frame(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match timeout(LIMIT, socket.next()).await.expect("a frame") {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Close(close))) => panic!("closed: {close:?}"),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}
