//! Names that want a certificate from their clients, and everything that could get around that.

mod clients;

use crate::kit::client::{
    absolute, code, empty, exchange, frame, get, handshake, read_head, read_to_end, text,
};
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{House, LONG, NAME, settings};
use clients::{Authority, Drawer, Rule, Wants, tls};
use gatehouse_edge::{EdgeOptions, FrontProxy};
use http::{HeaderName, Request};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A house in which [`NAME`] wants certificates of this authority, and `localhost` wants none.
async fn house(gateway: &Gateway, authority: &Authority) -> (House, Arc<Wants>) {
    let wants = Wants::new(NAME, authority.policy(&[]));
    let options = EdgeOptions { client_certificates: Some(wants.clone()), ..EdgeOptions::default() };
    (House::with_options(options, settings(gateway.address)).await, wants)
}

/// What becomes of one request for `host` over a connection with this SNI.
async fn ask(house: &House, sni: &str, host: &str, certificate: Option<&Rule>) -> Result<String, String> {
    let drawer = Drawer::new();
    let mut stream = tls(house, sni, "http/1.1", certificate, &drawer).await.map_err(|e| e.to_string())?;
    // A front proxy says for whom it asks; anybody else must not.
    let front = house.edge.settings().front != FrontProxy::None;
    let client = if front { "X-Forwarded-For: 203.0.113.9\r\n" } else { "" };
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{client}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap().map_err(|e| e.to_string())?;
    Ok(String::from_utf8(answer).unwrap())
}

#[tokio::test]
async fn only_a_good_certificate_gets_in_and_the_log_names_it() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (mut house, wants) = house(&gateway, &authority).await;
    let good = authority.client("phone");
    let answer = ask(&house, NAME, NAME, Some(&good)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(house.record().await.client_certificate.as_deref(), Some(good.called.as_str()));

    let revoked = authority.client("lost phone");
    wants.set(NAME, Some(authority.policy(&[&revoked])));
    let stranger = Authority::new("clients").client("stranger");
    let cases = [
        ("none", None, "CertificateRequired"),
        ("revoked", Some(revoked), "CertificateRevoked"),
        ("of another authority of the same name", Some(stranger), ""),
        ("expired", Some(authority.expired("old")), "CertificateExpired"),
        ("for servers", Some(authority.server("server")), ""),
    ];
    for (what, certificate, alert) in cases {
        let refused = ask(&house, NAME, NAME, certificate.as_ref()).await.unwrap_err();
        assert!(refused.contains("alert") && refused.contains(alert), "{what}: {refused}");
    }
    assert_eq!(gateway.heads().len(), 1, "nothing of them reached the gateway");
    let open = ask(&house, "localhost", "localhost", None).await.unwrap();
    assert!(open.starts_with("HTTP/1.1 200 "), "the other name asks nobody: {open}");
}

#[tokio::test]
async fn no_other_name_in_tls_and_none_gets_around_it() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, _wants) = house(&gateway, &authority).await;
    for host in [NAME, "MINI.LOCAL", "mini.local.", "mini.local:443", "Mini.Local.:8443"] {
        let answer = ask(&house, "localhost", host, None).await.unwrap();
        assert!(answer.contains("x-gatehouse-error: name-mismatch\r\n"), "{host}: {answer}");
        // An address sends no name.
        let answer = ask(&house, "127.0.0.1", host, None).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
        assert!(answer.contains("x-gatehouse-error: client-certificate-required\r\n"), "{host}: {answer}");
        // Not even with a good certificate in the hand that nobody asked for.
        let good = authority.client("phone");
        let answer = ask(&house, "127.0.0.1", host, Some(&good)).await.unwrap();
        assert!(answer.contains("x-gatehouse-error: client-certificate-required\r\n"), "{host}: {answer}");
    }
    assert_eq!(gateway.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_front_proxy_that_shares_connections_between_names_does_not_get_around_it() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, _wants) = house(&gateway, &authority).await;
    house.change(|settings| {
        settings.front = FrontProxy::Trusted {
            peers: vec!["127.0.0.1/32".parse().unwrap()],
            client_header: HeaderName::from_static("x-forwarded-for"),
        };
    });
    let answer = ask(&house, "localhost", NAME, None).await.unwrap();
    assert!(answer.contains("x-gatehouse-error: client-certificate-required\r\n"), "{answer}");
    let good = authority.client("proxy");
    let answer = ask(&house, NAME, NAME, Some(&good)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(gateway.heads().len(), 1);
}

#[tokio::test]
async fn http2_connections_of_other_names_are_not_shared() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, _wants) = house(&gateway, &authority).await;
    for (sni, expected) in [("localhost", "name-mismatch"), ("127.0.0.1", "client-certificate-required")] {
        let stream = tls(&house, sni, "h2", None, &Drawer::new()).await.unwrap();
        let (mut sender, driver) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(driver);
        let own = Request::get(format!("https://{sni}/")).body(empty()).unwrap();
        assert_eq!(sender.send_request(own).await.unwrap().status(), 200, "{sni}");
        let other = sender.send_request(absolute(get("/"))).await.unwrap();
        assert_eq!((other.status().as_u16(), code(&other)), (421, Some(expected)), "{sni}");
    }
    assert_eq!(gateway.heads().len(), 2);
}

#[tokio::test]
async fn no_session_of_another_name_or_of_an_older_rule_is_resumed() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, wants) = house(&gateway, &authority).await;
    let resumed = |stream: &tokio_rustls::client::TlsStream<tokio::net::TcpStream>| {
        stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    };
    let use_up = async |stream: &mut tokio_rustls::client::TlsStream<tokio::net::TcpStream>, host: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut all)).await.unwrap();
        (read.map_err(|e| e.to_string()), String::from_utf8(all).unwrap())
    };

    // A ticket of the name that asks nobody, shown for the one that does.
    let drawer = Drawer::shared();
    let mut open = tls(&house, "localhost", "http/1.1", None, &drawer).await.unwrap();
    assert!(use_up(&mut open, "localhost").await.1.starts_with("HTTP/1.1 200 "));
    let mut again = tls(&house, "localhost", "http/1.1", None, &drawer).await.unwrap();
    assert!(resumed(&again), "such tickets work for their own name");
    assert!(use_up(&mut again, "localhost").await.1.starts_with("HTTP/1.1 200 "));
    let mut stolen = tls(&house, NAME, "http/1.1", None, &drawer).await.unwrap();
    assert!(!resumed(&stolen));
    let (end, answer) = use_up(&mut stolen, NAME).await;
    assert!(end.unwrap_err().contains("CertificateRequired") && answer.is_empty(), "{answer}");

    // A ticket of a client that is revoked since.
    let (phone, laptop) = (authority.client("phone"), authority.client("laptop"));
    let drawer = Drawer::shared();
    for expected in [false, true] {
        let mut stream = tls(&house, NAME, "http/1.1", Some(&phone), &drawer).await.unwrap();
        assert_eq!(resumed(&stream), expected);
        assert!(use_up(&mut stream, NAME).await.1.starts_with("HTTP/1.1 200 "));
    }
    wants.set(NAME, Some(authority.policy(&[&phone])));
    let mut stream = tls(&house, NAME, "http/1.1", Some(&phone), &drawer).await.unwrap();
    assert!(!resumed(&stream));
    let (end, answer) = use_up(&mut stream, NAME).await;
    assert!(end.unwrap_err().contains("CertificateRevoked") && answer.is_empty(), "{answer}");
    let mut stream = tls(&house, NAME, "http/1.1", Some(&laptop), &Drawer::new()).await.unwrap();
    assert!(use_up(&mut stream, NAME).await.1.starts_with("HTTP/1.1 200 "), "others stay");
    assert_eq!(gateway.heads().len(), 5);
}

#[tokio::test]
async fn a_revoked_client_gets_no_further_on_a_connection_that_is_open() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, wants) = house(&gateway, &authority).await;
    let phone = authority.client("phone");
    let stream = tls(&house, NAME, "http/1.1", Some(&phone), &Drawer::new()).await.unwrap();
    let (mut h1, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let stream = tls(&house, NAME, "h2", Some(&phone), &Drawer::new()).await.unwrap();
    let (mut h2, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let request = || Request::get("/").header("host", NAME).body(empty()).unwrap();
    let before = h1.send_request(request()).await.unwrap();
    assert_eq!(before.status(), 200);
    text(before).await;
    assert_eq!(h2.send_request(absolute(get("/"))).await.unwrap().status(), 200);

    wants.set(NAME, Some(authority.policy(&[&phone])));
    let after = h1.send_request(request()).await.unwrap();
    assert_eq!((after.status().as_u16(), code(&after)), (403, Some("client-certificate-refused")));
    let after = h2.send_request(absolute(get("/"))).await.unwrap();
    assert_eq!((after.status().as_u16(), code(&after)), (403, Some("client-certificate-refused")));
    assert_eq!(gateway.heads().len(), 2);
}

#[tokio::test]
async fn a_connection_from_before_the_rule_is_told_to_come_again() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, wants) = house(&gateway, &authority).await;
    wants.set(NAME, None);
    let stream = tls(&house, NAME, "h2", None, &Drawer::new()).await.unwrap();
    let (mut sender, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    assert_eq!(sender.send_request(absolute(get("/"))).await.unwrap().status(), 200);
    wants.set(NAME, Some(authority.policy(&[])));
    let after = sender.send_request(absolute(get("/"))).await.unwrap();
    assert_eq!((after.status().as_u16(), code(&after)), (421, Some("client-certificate-required")));
}

#[tokio::test]
async fn websockets_of_clients_that_are_out_end_and_those_of_others_stay() {
    let gateway = Gateway::start(|mut call: Call| async move {
        if let Some(head) = call.head().await {
            call.accept(&head).await;
            let (mut from, mut to) = call.stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
        }
    })
    .await;
    let authority = Authority::new("clients");
    let (house, wants) = house(&gateway, &authority).await;
    let (phone, laptop) = (authority.client("phone"), authority.client("laptop"));
    let mut sockets = Vec::new();
    for certificate in [&phone, &laptop] {
        let mut stream = tls(&house, NAME, "http/1.1", Some(certificate), &Drawer::new()).await.unwrap();
        stream.write_all(handshake("/ws", "").as_bytes()).await.unwrap();
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 101 "));
        sockets.push(stream);
    }
    wants.set(NAME, Some(authority.policy(&[&phone])));
    house.edge.judge_clients_again();
    assert_eq!(read_to_end(&mut sockets[0]).await, "", "the revoked one is out");
    let ping = frame(0x89, true, b"still here");
    assert_eq!(exchange(&mut sockets[1], &ping, ping.len()).await, ping);
}

#[tokio::test]
async fn an_address_can_want_certificates_too() {
    let gateway = Gateway::echo().await;
    let authority = Authority::new("clients");
    let (house, wants) = house(&gateway, &authority).await;
    wants.set("127.0.0.1", Some(authority.policy(&[])));
    let refused = ask(&house, "127.0.0.1", "127.0.0.1", None).await.unwrap_err();
    assert!(refused.contains("CertificateRequired"), "{refused}");
    let answer = ask(&house, "localhost", "127.0.0.1", None).await.unwrap();
    assert!(answer.contains("x-gatehouse-error: name-mismatch\r\n"), "{answer}");
    let good = authority.client("phone");
    let answer = ask(&house, "127.0.0.1", "127.0.0.1", Some(&good)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
