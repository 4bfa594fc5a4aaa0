//! Plain HTTP, on the redirect port and by mistake.

use crate::kit::client::read_to_end;
use crate::kit::gateway::{Gateway, header};
use crate::kit::{House, NAME};
use gatehouse_edge::{Listener, ListenerKind};
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn plain(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await
}

async fn redirecting(gateway: &Gateway, https_port: u16) -> (House, SocketAddr) {
    let house = House::open(gateway.address).await;
    let kind = ListenerKind::Redirect { https_port };
    let wanted = [house.edge.listening()[0], Listener { address: "127.0.0.1:0".parse().unwrap(), kind }];
    house.edge.listen(&wanted).await.unwrap();
    let address = house.edge.listening().iter().find(|one| one.kind == kind).unwrap().address;
    (house, address)
}

#[tokio::test]
async fn the_redirect_port_leads_to_https_and_keeps_path_and_query() {
    let gateway = Gateway::echo().await;
    let (_house, address) = redirecting(&gateway, 443).await;
    for method in ["GET", "HEAD"] {
        let answer = plain(address, &format!("{method} /a?b=c HTTP/1.1\r\nHost: {NAME}:80\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
        assert_eq!(header(&answer, "location").unwrap(), format!("https://{NAME}/a?b=c"));
    }
    let answer = plain(address, &format!("GET http://{NAME}?b=c HTTP/1.1\r\nHost: {NAME}\r\n\r\n")).await;
    assert_eq!(
        header(&answer, "location").unwrap(),
        format!("https://{NAME}/?b=c"),
        "the path may be left away"
    );
    let (_house, address) = redirecting(&gateway, 8443).await;
    let answer = plain(address, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(header(&answer, "location").unwrap(), "https://127.0.0.1:8443/");
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn the_redirect_port_refuses_what_may_carry_a_secret_and_unknown_names() {
    let gateway = Gateway::echo().await;
    let (mut house, address) = redirecting(&gateway, 443).await;
    let post = format!("POST /login HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 6\r\n\r\nsecret");
    let answer = plain(address, &post).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(header(&answer, "x-gatehouse-error").as_deref(), Some("https-required"));
    assert_eq!(house.record().await.status, 403);
    let upgrade = crate::kit::client::handshake("/ws", "");
    assert!(plain(address, &upgrade).await.starts_with("HTTP/1.1 403 "));
    let answer = plain(address, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    assert_eq!(header(&answer, "location"), None);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_told_the_https_link() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let link = format!("https://{NAME}:{}/x", house.address.port());
    let answer = plain(house.address, &format!("GET /x HTTP/1.1\r\nHost: {NAME}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 308 "), "{answer}");
    assert_eq!(header(&answer, "location").as_deref(), Some(&*link));
    let post = format!("POST /x HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 1\r\n\r\nx");
    let answer = plain(house.address, &post).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains(&link), "{answer}");
    assert!(gateway.heads().is_empty());
}
