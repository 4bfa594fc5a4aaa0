//! One client never takes more than its share, and what it is told is said to be ours.

use crate::kit::client::*;
use crate::kit::gateway::Gateway;
use crate::kit::{House, NAME};
use gatehouse_edge::{EdgeError, FrontProxy, Limits};
use http::{HeaderName, Request};
use tokio::io::AsyncWriteExt;

/// An edge with these limits behind a proxy that says who the client is.
async fn house(gateway: &Gateway, limits: Limits) -> House {
    let house = House::open(gateway.address).await;
    house.change(|it| {
        let client_header = HeaderName::from_static("x-client");
        it.front = FrontProxy::Trusted { peers: vec!["127.0.0.0/8".parse().unwrap()], client_header };
        it.limits = limits;
    });
    house
}

fn from(client: &str) -> Request<Body> {
    Request::get("/").header("x-client", client).body(empty()).unwrap()
}

#[tokio::test]
async fn a_client_that_asks_too_often_gets_429_from_us_and_others_are_served() {
    let gateway = Gateway::echo().await;
    let limits = Limits { request_rate: 1, request_burst: 2, ..Limits::default() };
    let mut house = house(&gateway, limits).await;
    for _ in 0..2 {
        assert_eq!(over_h1(&house, from("192.0.2.1")).await.status(), 200);
        house.record().await;
    }
    let refused = over_h2(&house, from("192.0.2.1")).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(code(&refused), Some("rate-limited"));
    assert_eq!(refused.headers()["retry-after"], "1");
    drop(refused);
    let record = house.record().await;
    assert_eq!(
        (record.client.to_string().as_str(), record.error),
        ("192.0.2.1", Some(EdgeError::RateLimited))
    );
    assert_eq!(over_h2(&house, from("192.0.2.2")).await.status(), 200);
    assert_eq!(gateway.heads().len(), 3);
}

#[tokio::test]
async fn streams_that_nobody_reads_do_not_take_the_gateway_away_from_others() {
    let gateway = Gateway::start(|mut call| async move {
        while let Some(_head) = call.head().await {
            call.write("HTTP/1.1 200 OK\r\ncontent-length: 40000000\r\n\r\n").await;
            // More than all windows and buffers on the way can take.
            call.write(vec![0; 40_000_000]).await;
        }
    })
    .await;
    let limits = Limits { requests_per_client: 3, ..Limits::default() };
    let house = house(&gateway, limits).await;
    let mut unread = Vec::new();
    for _ in 0..3 {
        let response = over_h2(&house, from("192.0.2.1")).await;
        assert_eq!(response.status(), 200);
        unread.push(response);
    }
    let refused = over_h2(&house, from("192.0.2.1")).await;
    assert_eq!((refused.status().as_u16(), code(&refused)), (429, Some("rate-limited")));
    assert_eq!(gateway.connections(), 3);
    assert_eq!(over_h2(&house, from("192.0.2.2")).await.status(), 200);
}

#[tokio::test]
async fn a_client_has_its_share_of_websockets_and_gets_it_back() {
    let gateway = Gateway::start(|mut call| async move {
        let head = call.head().await.unwrap();
        call.accept(&head).await;
        call.rest().await;
    })
    .await;
    let limits = Limits { websockets_per_client: 1, ..Limits::default() };
    let house = house(&gateway, limits).await;
    let upgrade = async |client: &str| {
        let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
        let asked = handshake("/ws", &format!("x-client: {client}\r\n"));
        stream.write_all(asked.as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        (stream, head)
    };
    let (first, head) = upgrade("2001:db8::1").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let (_, head) = upgrade("2001:db8::2").await;
    assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
    assert!(head.contains("\r\nx-gatehouse-error: too-many-websockets\r\n"), "{head}");
    let (_other, head) = upgrade("2001:db8:0:1::1").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    drop(first);
    house.until_open(1, 1).await;
    let (_again, head) = upgrade("2001:db8::2").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

#[tokio::test]
async fn a_method_of_any_length_neither_passes_nor_fills_the_log() {
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    let answer = raw(&house, &format!("{} / HTTP/1.1\r\nHost: {NAME}\r\n\r\n", "G".repeat(5000))).await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let record = house.record().await;
    assert_eq!(record.method.as_str().len(), 32);
    assert_eq!(gateway.heads().len(), 0);
}
