//! Changes while it runs, and going away.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{Certificates, House, LONG, NAME, https, settings, until};
use gatehouse_edge::{AllowedClients, Closer, Drained, Edge, EdgeOptions, LogOptions};
use http::Request;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Echoes WebSockets; answers other requests when told to.
async fn gateway(go: Arc<Notify>) -> Gateway {
    Gateway::start(move |mut call: Call| {
        let go = go.clone();
        async move {
            while let Some(head) = call.head().await {
                if head.starts_with("GET /ws ") {
                    call.accept(&head).await;
                    let (mut from, mut to) = call.stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                    return;
                }
                go.notified().await;
                call.ok("done").await;
            }
        }
    })
    .await
}

fn serial(certificates: &Certificates, stream: &tokio_rustls::client::TlsStream<TcpStream>) -> Vec<u8> {
    assert!(!certificates.root.is_empty());
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn certificates_settings_and_listeners_change_without_dropping_a_websocket() {
    let gateway = gateway(Arc::default()).await;
    let house = House::open(gateway.address).await;
    let mut socket = websocket(&house).await;
    let old = serial(&house.certificates, &socket);
    house.certificates.renew();
    house.change(|settings| {
        settings.names.dns.insert("other.local".to_owned());
        settings.clients = AllowedClients::Any;
    });
    let listening = house.edge.listening();
    house.edge.listen(&[listening[0], https("[::1]:0")]).await.unwrap();
    assert_eq!(house.edge.listening().len(), 2);
    assert_ne!(serial(&house.certificates, &tls(&house, NAME, "h2").await.unwrap()), old);
    let ping = frame(0x89, true, b"still there");
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
    house.edge.listen(&[]).await.unwrap();
    assert!(TcpStream::connect(house.address).await.is_err());
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
}

#[tokio::test]
async fn a_drain_finishes_requests_and_then_cuts_websockets() {
    let go = Arc::new(Notify::new());
    let gateway = gateway(go.clone()).await;
    let mut house = House::open(gateway.address).await;
    let mut socket = websocket(&house).await;
    let _idle = h2(&house, NAME).await;
    let mut first = h1(&house, NAME).await;
    let request = Request::get("/slow").header("host", NAME).body(empty()).unwrap();
    let slow = tokio::spawn(async move { first.send_request(request).await });
    let mut second = h2(&house, NAME).await;
    let slow_h2 = tokio::spawn(async move { second.send_request(absolute(get("/slow"))).await });
    until(|| gateway.heads().len() == 3).await;
    let edge = house.edge.clone();
    let drain = tokio::spawn(async move { edge.drain(LONG).await });
    until(|| house.edge.listening().is_empty()).await;
    assert!(TcpStream::connect(house.address).await.is_err(), "nobody new comes in");
    let ping = frame(0x89, true, b"not yet");
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
    go.notify_waiters();
    let response = slow.await.unwrap().unwrap();
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(text(response).await, "done");
    assert_eq!(text(slow_h2.await.unwrap().unwrap()).await, "done");
    assert_eq!(drain.await.unwrap(), Drained { finished: 2, cut: 1 });
    assert_eq!(read_to_end(&mut socket).await, "");
    let mut ends = Vec::new();
    for _ in 0..3 {
        let record = house.record().await;
        ends.extend(record.websocket.as_ref().map(|end| end.closed_by));
    }
    assert_eq!(ends, [Closer::Edge]);
    house.until_open(0, 0).await;
    house.edge.listen(&[https("127.0.0.1:0")]).await.unwrap();
    let again = house.edge.listening()[0].address;
    TcpStream::connect(again).await.unwrap();
}

#[tokio::test]
async fn who_is_paused_is_out_and_may_come_again_when_the_pause_ends() {
    let gateway = gateway(Arc::default()).await;
    let mut house = House::open(gateway.address).await;
    let mut socket = websocket(&house).await;
    let ping = frame(0x89, true, b"here");
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
    house.change(|settings| settings.paused = Some(gatehouse_edge::Pause { until: None }));
    house.edge.end_websockets();
    assert_eq!(read_to_end(&mut socket).await, "");
    let ended = house.record().await;
    assert_eq!(ended.websocket.as_ref().map(|end| end.closed_by), Some(Closer::Edge));
    house.change(|settings| settings.paused = None);
    let mut again = websocket(&house).await;
    assert_eq!(exchange(&mut again, &ping, ping.len()).await, ping);
}

#[tokio::test]
async fn a_drain_cuts_what_takes_too_long() {
    let gateway = gateway(Arc::default()).await;
    let house = House::open(gateway.address).await;
    let mut client = h1(&house, NAME).await;
    let request = Request::get("/never").header("host", NAME).body(empty()).unwrap();
    let never = tokio::spawn(async move { client.send_request(request).await });
    until(|| gateway.heads().len() == 1).await;
    let drained = house.edge.drain(Duration::from_millis(100)).await;
    assert_eq!(drained, Drained { finished: 0, cut: 1 });
    assert!(never.await.unwrap().is_err());
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_websocket_is_not() {
    let gateway = gateway(Arc::default()).await;
    let mut settings = settings(gateway.address);
    settings.limits.keep_alive = Duration::from_millis(100);
    let house = House::with(settings).await;
    let mut socket = websocket(&house).await;
    let mut idle = tls(&house, NAME, "http/1.1").await.unwrap();
    let mut idle_h2 = tls(&house, NAME, "h2").await.unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    read_to_end(&mut idle_h2).await;
    house.until_open(1, 1).await;
    let ping = frame(0x89, true, b"still there");
    assert_eq!(exchange(&mut socket, &ping, ping.len()).await, ping);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut() {
    let gateway = gateway(Arc::default()).await;
    let mut settings = settings(gateway.address);
    settings.limits.handshake = Duration::from_millis(100);
    let house = House::with(settings).await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let mut half = TcpStream::connect(house.address).await.unwrap();
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    assert_eq!(read_to_end(&mut silent).await, "");
    read_to_end(&mut half).await;
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn a_connection_over_the_total_is_turned_away() {
    let gateway = gateway(Arc::default()).await;
    let mut settings = settings(gateway.address);
    settings.limits.connections = 1;
    let house = House::with(settings).await;
    let held = tls(&house, NAME, "h2").await.unwrap();
    let mut refused = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(refused.read(&mut [0; 1]).await.unwrap_or(0), 0);
    drop(held);
    house.until_open(0, 0).await;
    tls(&house, NAME, "h2").await.unwrap();
}

#[tokio::test]
async fn every_request_has_one_line_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::echo().await;
    let options = EdgeOptions {
        threads: 2,
        log: Some(LogOptions::new(folder.path().to_owned())),
        ..EdgeOptions::default()
    };
    let mut house = House::open(gateway.address).await;
    let edge = Edge::start(options, house.certificates.clone(), settings(gateway.address)).unwrap();
    edge.listen(&[https("127.0.0.1:0")]).await.unwrap();
    let address = edge.listening()[0].address;
    (house.edge, house.address) = (edge, address);
    text(over_h2(&house, get("/page?token=secret")).await).await;
    let path = folder.path().join("access.jsonl");
    until(|| std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))).await;
    let line = std::fs::read_to_string(&path).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("\"path\":\"/page\"") && !line.contains("secret"), "{line}");
}

#[tokio::test]
async fn the_last_handle_ends_the_edge() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let address = house.address;
    drop(house);
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, refused).await.unwrap();
}
