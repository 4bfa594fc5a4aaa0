//! Who is let in, for whom a proxy connects, which certificate is shown, and what is counted of it.

use crate::kit::client::*;
use crate::kit::gateway::{Gateway, header};
use crate::kit::{House, NAME, settings, until};
use gatehouse_edge::{AllowedClients, EdgeError, Limits};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A client with a memory for sessions.
fn connector(house: &House) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(house.certificates.root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(8)));
    TlsConnector::from(Arc::new(config))
}

/// Connects, sends one request, so that tickets arrive, and says how the handshake went and which leaf was shown.
async fn visit(connector: &TlsConnector, address: SocketAddr) -> (HandshakeKind, Vec<u8>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = connector.connect(NAME.try_into().unwrap(), stream).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await;
    let session = stream.get_ref().1;
    (session.handshake_kind().unwrap(), session.peer_certificates().unwrap()[0].to_vec())
}

/// The value of a series of the metrics.
fn metric(house: &House, series: &str) -> u64 {
    let text = house.edge.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series}")).parse().unwrap()
}

/// A connection that begins with these bytes, and then TLS.
async fn behind(house: &House, header: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut stream = TcpStream::connect(house.address).await?;
    stream.write_all(header).await?;
    connector(house).connect(NAME.try_into().unwrap(), stream).await
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to_end(stream).await
}

async fn relayed(gateway: &Gateway) -> House {
    let mut settings = settings(gateway.address);
    settings.proxy_protocol = vec!["127.0.0.0/8".parse().unwrap()];
    settings.clients = AllowedClients::Networks(vec!["192.0.2.0/24".parse().unwrap()]);
    House::with(settings).await
}

#[tokio::test]
async fn a_session_is_resumed_until_the_certificate_changes_and_then_everybody_sees_the_new_one() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let client = connector(&house);
    let (first, old) = visit(&client, house.address).await;
    assert_ne!(first, HandshakeKind::Resumed);
    assert_eq!(visit(&client, house.address).await, (HandshakeKind::Resumed, old.clone()));
    house.certificates.renew();
    let (after, new) = visit(&client, house.address).await;
    assert_ne!(after, HandshakeKind::Resumed, "a ticket of the old certificate is worth nothing");
    assert_ne!(new, old);
    assert_eq!(visit(&client, house.address).await, (HandshakeKind::Resumed, new));
    assert_eq!(metric(&house, "gatehouse_handshakes_total{result=\"resumed\"}"), 2);
    assert_eq!(metric(&house, "gatehouse_handshakes_total{result=\"full\"}"), 2);
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_the_alert_for_it_and_an_address_is_served() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let error = tls(&house, "other.example", "h2").await.unwrap_err();
    assert!(error.to_string().contains("UnrecognisedName"), "{error}");
    tls(&house, "127.0.0.1", "h2").await.unwrap();
    until(|| metric(&house, "gatehouse_handshakes_total{result=\"unknown-name\"}") == 1).await;
}

#[tokio::test]
async fn a_request_for_another_name_than_that_of_its_connection_is_misdirected() {
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    house.change(|it| {
        it.names.dns.insert("other.local".to_owned());
    });
    for (name, host, expected) in [
        (NAME, NAME, "HTTP/1.1 200 "),
        (NAME, "MINI.local.:8443", "HTTP/1.1 200 "),
        (NAME, "other.local", "HTTP/1.1 421 "),
        (NAME, "192.0.2.10", "HTTP/1.1 421 "),
        (NAME, "localhost", "HTTP/1.1 421 "),
        ("localhost", NAME, "HTTP/1.1 421 "),
        ("127.0.0.1", NAME, "HTTP/1.1 200 "),
        ("127.0.0.1", "other.local", "HTTP/1.1 200 "),
    ] {
        let mut stream = tls(&house, name, "http/1.1").await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(expected), "{name} {host}: {answer}");
        let error = house.record().await.error;
        if expected.contains("421") && host != "192.0.2.10" {
            assert_eq!(error, Some(EdgeError::NameMismatch), "{name} {host}");
        }
    }
}

#[tokio::test]
async fn a_declared_proxy_says_for_whom_it_connects() {
    let gateway = Gateway::echo().await;
    let mut house = relayed(&gateway).await;
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x13".to_vec();
    second.extend([192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39, 0x01, 0xbb, 0xEE, 0, 4, 1, 2, 3, 4]);
    for bytes in [b"PROXY TCP4 192.0.2.7 127.0.0.1 12345 443\r\n".to_vec(), second] {
        let mut stream = behind(&house, &bytes).await.unwrap();
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let head = gateway.heads().pop().unwrap();
        assert_eq!(header(&head, "x-forwarded-for").as_deref(), Some("192.0.2.7"));
        let record = house.record().await;
        assert_eq!(record.client.to_string(), "192.0.2.7");
        assert_eq!(record.peer.to_string(), "192.0.2.7:12345");
    }
}

#[tokio::test]
async fn a_proxy_that_connects_for_itself_gets_a_handshake_and_nobody_behind_it_is_local() {
    let gateway = Gateway::echo().await;
    let house = relayed(&gateway).await;
    for bytes in [
        b"PROXY UNKNOWN\r\n".as_slice(),
        b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 443\r\n",
        b"PROXY TCP6 ::1 ::1 1 443\r\n",
    ] {
        let mut stream = behind(&house, bytes).await.unwrap();
        let request =
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".replace("localhost", NAME);
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("x-gatehouse-error: client-unattributable"), "{answer}");
    }
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn a_declared_proxy_without_a_good_header_is_turned_away() {
    let gateway = Gateway::echo().await;
    let house = relayed(&gateway).await;
    for bytes in [b"".as_slice(), b"PROXY TCP4 1 2 3 4\r\n", b"PROXY TCP4 198.51.100.1 127.0.0.1 1 443\r\n"] {
        behind(&house, bytes).await.unwrap_err();
    }
    until(|| metric(&house, "gatehouse_connections_refused_total{reason=\"proxy-header\"}") == 2).await;
    assert_eq!(metric(&house, "gatehouse_connections_refused_total{reason=\"network\"}"), 1);
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(read_to_end(&mut silent).await, "", "one second is enough to say it");
}

#[tokio::test]
async fn a_proxy_header_of_anybody_else_is_no_tls() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut line = TcpStream::connect(house.address).await.unwrap();
    line.write_all(b"PROXY TCP4 192.0.2.7 127.0.0.1 12345 443\r\n").await.unwrap();
    let answer = read_to_end(&mut line).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut binary = TcpStream::connect(house.address).await.unwrap();
    binary.write_all(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c").await.unwrap();
    assert_eq!(binary.read(&mut [0; 1]).await.unwrap_or(0), 0);
    until(|| metric(&house, "gatehouse_connections_refused_total{reason=\"not-http\"}") == 1).await;
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn a_client_over_its_connections_is_told_so_once_in_a_while() {
    let gateway = Gateway::echo().await;
    let house = relayed(&gateway).await;
    house.change(|it| {
        it.limits = Limits { connection_rate: 1, connection_burst: 1, ..Limits::default() };
    });
    let proxied = b"PROXY TCP4 192.0.2.7 127.0.0.1 12345 443\r\n";
    let first = behind(&house, proxied).await.unwrap();
    let answer = ask(&mut behind(&house, proxied).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("\r\nx-gatehouse-error: rate-limited\r\n"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    assert!(gateway.heads().is_empty());
    let other = b"PROXY TCP4 192.0.2.8 127.0.0.1 12345 443\r\n";
    let answer = ask(&mut behind(&house, other).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(first);
}

#[tokio::test]
async fn a_body_that_dribbles_is_cut_although_it_never_stops() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|it| {
        it.limits.body_stall = std::time::Duration::from_millis(200);
        it.limits.body_rate = 1_000_000;
    });
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    let head = format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 100000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut from, mut to) = tokio::io::split(stream);
    let dribble = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let answer = read_to_end(&mut from).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("x-gatehouse-error: body-stalled"), "{answer}");
    dribble.abort();
}
