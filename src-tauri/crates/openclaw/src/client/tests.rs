use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{CallError, Credentials, Endpoint, GatewayClient, Link};
use crate::events::GatewayEvent;

const LIMIT: Duration = Duration::from_secs(10);

/// A gateway that does what a test says.
struct Scripted {
    listener: TcpListener,
}

struct Session {
    socket: WebSocketStream<TcpStream>,
    connect: Value,
}

impl Scripted {
    async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn endpoint(&self, token: &str) -> Endpoint {
        let address: SocketAddr = self.listener.local_addr().unwrap();
        Endpoint { address, auth: Credentials::Token(SecretString::from(token)) }
    }

    async fn accept(&self) -> Session {
        let (stream, _) = timeout(LIMIT, self.listener.accept()).await.expect("a connection").unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let challenge =
            json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}});
        socket.send(Message::text(challenge.to_string())).await.unwrap();
        let mut session = Session { socket, connect: Value::Null };
        session.connect = session.receive().await;
        session
    }

    async fn welcome(&self) -> Session {
        self.welcome_with_tick(30_000).await
    }

    async fn welcome_with_tick(&self, tick: u64) -> Session {
        let mut session = self.accept().await;
        let payload = json!({
            "type": "hello-ok", "protocol": 4,
            "server": {"version": "2026.9.6", "bootId": "b1"},
            "snapshot": {"configPath": "/c/openclaw.json", "stateDir": "/c", "authMode": "token"},
            "auth": {"method": "token", "scopes": ["operator.admin"]},
            "policy": {"tickIntervalMs": tick},
        });
        session.send(json!({"type": "res", "id": "connect", "ok": true, "payload": payload})).await;
        session
    }

    async fn refuse(&self, error: Value) -> Session {
        let mut session = self.accept().await;
        session.send(json!({"type": "res", "id": "connect", "ok": false, "error": error})).await;
        session
    }
}

impl Session {
    async fn receive(&mut self) -> Value {
        loop {
            match timeout(LIMIT, self.socket.next()).await.expect("a frame") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Value::Null,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn close(mut self, code: u16, reason: &'static str) {
        self.socket.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await.unwrap();
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

async fn wait_for(client: &GatewayClient, what: impl Fn(&Link) -> bool) -> Link {
    let mut status = client.status();
    let link = timeout(LIMIT, status.wait_for(|link| what(link))).await;
    link.unwrap_or_else(|_| panic!("still {:?}", client.status().borrow())).unwrap().clone()
}

fn is_up(link: &Link) -> bool {
    matches!(link, Link::Up { .. })
}

#[tokio::test]
async fn logs_in_as_a_backend_with_the_token_and_learns_what_the_gateway_says_of_itself() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("the-token"));

    let session = gateway.welcome().await;
    let hello = client.ready(LIMIT).await.unwrap();

    let params = &session.connect["params"];
    assert_eq!(params["client"]["id"], "gateway-client");
    assert_eq!(params["client"]["mode"], "backend");
    assert_eq!(params["auth"], json!({"token": "the-token"}));
    assert_eq!(params.get("device"), None);
    assert_eq!((hello.boot_id.as_str(), hello.config_path.as_deref()), ("b1", Some("/c/openclaw.json")));
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    let script = async {
        let (first, second) = (session.receive().await, session.receive().await);
        for request in [second, first] {
            session
                .send(json!({"type": "res", "id": request["id"], "ok": true, "payload": request["method"]}))
                .await;
        }
    };
    let (a, b, ()) = tokio::join!(client.call("a", json!({})), client.call("b", json!({})), script);

    assert_eq!((a, b), (Ok(json!("a")), Ok(json!("b"))));
}

#[tokio::test]
async fn a_call_fails_when_the_connection_drops_and_the_client_comes_back() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    let (result, ()) = tokio::join!(client.call("slow", json!({})), async {
        session.receive().await;
        drop(session);
    });
    let _again = gateway.welcome().await;

    assert_eq!(result, Err(CallError::Lost));
    wait_for(&client, is_up).await;
}

#[tokio::test]
async fn a_question_is_asked_again_where_the_connection_was_dropped_before_the_answer() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    let (answer, ()) = tokio::join!(client.ask("config.get", json!({})), async {
        session.receive().await;
        session.close(4001, "gateway auth changed").await;
        let mut again = gateway.welcome().await;
        let request = again.receive().await;
        again
            .send(json!({"type": "res", "id": request["id"], "ok": true, "payload": request["method"]}))
            .await;
    });

    assert_eq!(answer, Ok(json!("config.get")));
}

#[tokio::test]
async fn a_connection_in_the_making_is_waited_for_until_it_is_up_or_down() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));

    let (link, _session) = tokio::join!(client.settled(), gateway.welcome());
    assert!(is_up(&link), "{link:?}");

    drop(gateway);
    client.set_endpoint(Endpoint { address: ([127, 0, 0, 1], 1).into(), auth: Credentials::None });
    wait_for(&client, |link| !is_up(link)).await;
    assert!(matches!(client.settled().await, Link::Down { .. }));
}

#[tokio::test]
async fn a_call_without_a_connection_fails_at_once() {
    let gateway = Scripted::new().await;
    let endpoint = gateway.endpoint("t");
    drop(gateway);
    let client = GatewayClient::spawn(endpoint);

    wait_for(&client, |link| matches!(link, Link::Down { .. })).await;

    assert_eq!(client.call("a", json!({})).await, Err(CallError::NotConnected));
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_with_its_limit() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let _session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    let limit = Duration::from_millis(30);

    assert_eq!(client.call_within("a", json!({}), limit).await, Err(CallError::TimedOut { after: limit }));
}

#[tokio::test]
async fn a_silent_gateway_is_left_and_tried_again() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut silent = gateway.welcome_with_tick(40).await;
    client.ready(LIMIT).await.unwrap();

    let next = gateway.welcome().await;

    assert_eq!(silent.receive().await, Value::Null);
    wait_for(&client, is_up).await;
    drop(next);
}

#[tokio::test]
async fn refused_credentials_are_shown_and_a_new_secret_is_tried_at_once() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("old"));
    let error = json!({
        "code": "INVALID_REQUEST", "message": "unauthorized", "details": {"code": "AUTH_TOKEN_MISMATCH"},
    });
    let _refused = gateway.refuse(error).await;
    let link = wait_for(&client, |link| matches!(link, Link::Refused { .. })).await;

    client.set_endpoint(gateway.endpoint("new"));
    let session = gateway.welcome().await;

    assert_eq!(link, Link::Refused { code: "AUTH_TOKEN_MISMATCH".into(), detail: "unauthorized".into() });
    assert_eq!(session.connect["params"]["auth"]["token"], "new");
    wait_for(&client, is_up).await;
}

#[tokio::test]
async fn a_starting_gateway_is_tried_again_soon() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let error = json!({
        "code": "UNAVAILABLE", "message": "gateway starting", "retryAfterMs": 100,
        "details": {"reason": "startup-sidecars"},
    });

    let starting = gateway.refuse(error).await;
    wait_for(&client, |link| *link == Link::Starting).await;
    starting.close(1013, "gateway starting").await;
    let _session = gateway.welcome().await;

    wait_for(&client, is_up).await;
}

#[tokio::test]
async fn events_reach_every_subscriber() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut events = client.events();
    let mut session = gateway.welcome().await;

    session.send(json!({"type": "event", "event": "tick", "payload": {}})).await;
    session.send(json!({"type": "event", "event": "device.pair.changed", "payload": {}})).await;

    assert_eq!(timeout(LIMIT, events.recv()).await.unwrap(), Ok(GatewayEvent::PairChanged));
}

#[tokio::test]
async fn a_refused_call_carries_code_and_details() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    let (result, ()) = tokio::join!(client.call("config.patch", json!({})), async {
        let request = session.receive().await;
        let error = json!({"code": "UNAVAILABLE", "message": "rate limit", "retryAfterMs": 35_000});
        session.send(json!({"type": "res", "id": request["id"], "ok": false, "error": error})).await;
    });

    assert_eq!(
        result,
        Err(CallError::Unavailable {
            message: "rate limit".into(),
            retry_after: Some(Duration::from_secs(35)),
        })
    );
}

#[tokio::test]
async fn the_secret_is_never_sent_to_another_machine() {
    let endpoint = Endpoint {
        address: "192.0.2.1:18789".parse().unwrap(),
        auth: Credentials::Token(SecretString::from("t")),
    };
    let client = GatewayClient::spawn(endpoint);

    let link = wait_for(&client, |link| matches!(link, Link::Refused { .. })).await;

    assert!(matches!(link, Link::Refused { code, .. } if code == "NOT_LOOPBACK"));
}

#[tokio::test]
async fn the_connection_ends_with_the_last_handle() {
    let gateway = Scripted::new().await;
    let client = GatewayClient::spawn(gateway.endpoint("t"));
    let mut session = gateway.welcome().await;
    client.ready(LIMIT).await.unwrap();

    drop(client);

    assert_eq!(session.receive().await, Value::Null);
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let gateway = Scripted::new().await;
    let endpoint = gateway.endpoint("very-secret");
    let client = GatewayClient::spawn(endpoint.clone());

    assert!(!format!("{client:?} {endpoint:?}").contains("very-secret"));
}
