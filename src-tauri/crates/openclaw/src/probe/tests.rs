use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{GatewayHealth, health};

const LIVE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true,\"status\":\"live\"}";

async fn answers(live: &'static str, ready: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 512];
            let length = stream.read(&mut request).await.unwrap();
            let is_ready = String::from_utf8_lossy(&request[..length]).starts_with("GET /readyz ");
            stream.write_all(if is_ready { ready } else { live }.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_gateway_is_ready_or_only_alive() {
    let ready = answers(LIVE, "HTTP/1.1 200 OK\r\n\r\n{\"ready\":true}").await;
    let starting = answers(LIVE, "HTTP/1.1 503 Starting\r\n\r\n{\"ready\":false,\"failing\":[\"x\"]}").await;

    assert_eq!(health(ready).await, GatewayHealth::Ready);
    assert_eq!(health(starting).await, GatewayHealth::Live);
}

#[tokio::test]
async fn another_program_is_told_by_what_it_answers() {
    let nginx = answers("HTTP/1.1 200 OK\r\nServer: nginx/1.22\r\n\r\n<html>", "").await;
    let silent = answers("", "").await;
    let ssh = answers("SSH-2.0-OpenSSH_9.2\r\n\r\n", "").await;

    assert_eq!(health(nginx).await, GatewayHealth::NotGateway { what: "HTTP 200, nginx/1.22".to_owned() });
    for address in [silent, ssh] {
        assert!(matches!(health(address).await, GatewayHealth::NotGateway { .. }));
    }
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    assert_eq!(health(address).await, GatewayHealth::Refused);
}

#[tokio::test]
async fn a_listener_that_never_answers_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();

    assert_eq!(health(listener.local_addr().unwrap()).await, GatewayHealth::Silent);
}
