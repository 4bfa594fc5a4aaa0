//! WebSockets over HTTP/1.1: what passes, what does not, and how they end.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header, headers};
use crate::kit::{House, LONG, NAME, OWN};
use gatehouse_edge::{Closer, EdgeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A gateway that accepts WebSockets and sends back what it gets.
async fn echo() -> Gateway {
    Gateway::start(|mut call: Call| async move {
        let Some(head) = call.head().await else { return };
        call.accept(&head).await;
        let (mut from, mut to) = call.stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await
}

#[tokio::test]
async fn the_handshake_passes_as_it_is() {
    let gateway = Gateway::start(|mut call| async move {
        let head = call.head().await.unwrap();
        let accept = accept(&header(&head, "sec-websocket-key").unwrap());
        call.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: two\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\nframes"
        ))
        .await;
        call.rest().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    let more = "Origin: https://mini.local:8443\r\nSec-WebSocket-Protocol: one\r\nSec-WebSocket-Protocol: two, three\r\n\
                Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nCookie: a=b\r\n";
    stream.write_all(handshake("/ws?token=x", more).as_bytes()).await.unwrap();
    let answer = read_head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert_eq!(header(&answer, "upgrade").as_deref(), Some("websocket"));
    assert_eq!(header(&answer, "connection").as_deref(), Some("Upgrade"));
    assert_eq!(header(&answer, "sec-websocket-accept"), Some(accept(KEY)));
    assert_eq!(header(&answer, "sec-websocket-protocol").as_deref(), Some("two"));
    let extensions = header(&answer, "sec-websocket-extensions").unwrap();
    assert_eq!(extensions, "permessage-deflate; server_no_context_takeover");
    assert!(header(&answer, "x-request-id").is_some());
    let mut early = [0; 6];
    stream.read_exact(&mut early).await.unwrap();
    assert_eq!(&early, b"frames", "what came behind the 101 is not lost");
    let head = gateway.heads().pop().unwrap();
    assert!(head.starts_with("GET /ws?token=x HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "host").unwrap(), format!("{NAME}:8443"));
    assert_eq!(header(&head, "origin").as_deref(), Some("https://mini.local:8443"));
    assert_eq!(headers(&head, "sec-websocket-protocol"), ["one", "two, three"]);
    assert_eq!(
        header(&head, "sec-websocket-extensions").unwrap(),
        "permessage-deflate; client_max_window_bits"
    );
    assert_eq!(header(&head, "sec-websocket-key").as_deref(), Some(KEY));
    assert_eq!(header(&head, "connection").as_deref(), Some("Upgrade"));
    assert_eq!(header(&head, "x-forwarded-for").as_deref(), Some(OWN));
}

#[tokio::test]
async fn frames_of_all_sizes_and_fragments_pass_untouched() {
    let gateway = echo().await;
    let mut house = House::open(gateway.address).await;
    let mut stream = websocket(&house).await;
    let mut sent = 0;
    for size in [0, 1, 125, 126, 65_535, 65_536, 1_048_576] {
        let payload: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let bytes = frame(0x82, true, &payload);
        let (mut from, mut to) = tokio::io::split(&mut stream);
        let write = async {
            to.write_all(&bytes).await.unwrap();
            to.flush().await.unwrap();
        };
        let mut got = vec![0; bytes.len()];
        let (_, read) = tokio::join!(write, tokio::time::timeout(LONG, from.read_exact(&mut got)));
        read.unwrap().unwrap();
        assert!(got == bytes, "{size} bytes came back changed");
        sent += bytes.len() as u64;
    }
    let parts = [
        frame(0x01, true, b"one message"),
        frame(0x89, true, b"a ping between"),
        frame(0x00, true, b" in three"),
        frame(0x80, true, b" frames"),
        frame(0xc1, true, b"compressed by somebody else"),
    ]
    .concat();
    for byte in &parts {
        assert_eq!(exchange(&mut stream, &[*byte], 1).await, [*byte]);
    }
    sent += parts.len() as u64;
    let bye = close(true, 1001, "going away");
    assert_eq!(exchange(&mut stream, &bye, bye.len()).await, bye);
    drop(stream);
    let record = house.record().await;
    let end = record.websocket.as_ref().unwrap();
    assert_eq!((end.close_code, end.close_reason.as_deref()), (Some(1001), Some("going away")));
    assert_eq!(end.closed_by, Closer::Client);
    assert_eq!((record.bytes_in, record.bytes_out), (sent + bye.len() as u64, sent + bye.len() as u64));
    assert_eq!((record.status.as_u16(), &*record.path), (101, "/ws"));
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn the_gateways_close_is_told_as_its_own() {
    let gateway = Gateway::start(|mut call| async move {
        let head = call.head().await.unwrap();
        call.accept(&head).await;
        call.write(close(false, 1008, "origin not allowed")).await;
        let answer = call.take(8).await;
        assert_eq!(answer[0], 0x88);
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/ws", "Origin: https://evil.example\r\n").as_bytes()).await.unwrap();
    read_head(&mut stream).await;
    let expected = close(false, 1008, "origin not allowed");
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
    stream.write_all(&frame(0x88, true, &1008u16.to_be_bytes())).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    drop(stream);
    let record = house.record().await;
    let end = record.websocket.as_ref().unwrap();
    assert_eq!((end.close_code, end.closed_by), (Some(1008), Closer::Gateway));
    let seen = house.edge.origins_seen();
    assert_eq!((&*seen[0].origin, seen[0].refused), ("https://evil.example", true));
    assert_eq!(house.edge.sightings()[0].client.to_string(), OWN);
}

#[tokio::test]
async fn a_client_that_vanishes_takes_its_gateway_connection_along() {
    let (ended, end) = tokio::sync::oneshot::channel();
    let ended = std::sync::Mutex::new(Some(ended));
    let gateway = Gateway::start(move |mut call| {
        let ended = ended.lock().unwrap().take();
        async move {
            let head = call.head().await.unwrap();
            call.accept(&head).await;
            call.rest().await;
            ended.unwrap().send(()).unwrap();
        }
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let stream = websocket(&house).await;
    drop(stream);
    tokio::time::timeout(LONG, end).await.unwrap().unwrap();
    let record = house.record().await;
    let end = record.websocket.as_ref().unwrap();
    assert_eq!((end.close_code, end.closed_by), (None, Closer::Client));
}

#[tokio::test]
async fn a_refusal_of_the_gateway_passes_as_it_is() {
    let gateway = Gateway::start(|mut call| async move {
        call.head().await;
        call.write("HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 7\r\nconnection: close\r\n\r\n{\"a\":1}")
            .await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/", "").as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert_eq!(header(&head, "x-gatehouse-error"), None);
    let mut body = [0; 7];
    stream.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"{\"a\":1}");
    let record = house.record().await;
    assert_eq!((record.status.as_u16(), record.websocket.is_none()), (403, true));
}

#[tokio::test]
async fn a_wrong_accept_opens_no_tunnel() {
    let gateway = Gateway::start(|mut call| async move {
        call.head().await;
        call.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        )
        .await;
        call.rest().await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/", "").as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    assert_eq!(house.record().await.error, Some(EdgeError::GatewayBadUpgrade));
}

#[tokio::test]
async fn an_unasked_101_is_no_answer() {
    let gateway = Gateway::start(|mut call| async move {
        call.head().await;
        call.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nsmuggled",
        )
        .await;
        call.rest().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    let response = over_h1(&house, get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (502, Some("gateway-broke")));
}

#[tokio::test]
async fn an_upgrade_to_anything_else_opens_no_tunnel() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    );
    raw(&house, &request).await;
    for head in gateway.heads() {
        assert!(
            headers(&head, "upgrade").is_empty() && headers(&head, "http2-settings").is_empty(),
            "{head}"
        );
    }
}
