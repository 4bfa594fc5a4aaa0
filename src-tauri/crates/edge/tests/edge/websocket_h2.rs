//! WebSockets over HTTP/2 (RFC 8441).

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header, headers};
use crate::kit::{House, NAME, OWN};
use gatehouse_edge::{Closer, FrontProxy, Http2WebSockets, Protocol, RehearsalError, WebSocketsOverHttp2};
use http::{Method, Request, Version};
use hyper::ext::Protocol as Extended;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn connect(path: &str) -> Request<Body> {
    Request::builder()
        .method(Method::CONNECT)
        .version(Version::HTTP_2)
        .uri(format!("https://{NAME}:8443{path}"))
        .extension(Extended::from_static("websocket"))
        .header("sec-websocket-version", "13")
        .header("origin", "https://mini.local:8443")
        .header("x_openclaw_scopes", "operator.admin")
        .body(empty())
        .unwrap()
}

async fn offering(gateway: &Gateway) -> House {
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.websocket_over_h2 = Http2WebSockets::Offered);
    house
}

#[tokio::test]
async fn a_websocket_over_http2_is_bridged() {
    let gateway = Gateway::start(|mut call: Call| async move {
        let head = call.head().await.unwrap();
        if head.starts_with("GET /first ") {
            call.ok("").await;
            return;
        }
        call.accept(&head).await;
        let (mut from, mut to) = call.stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
    })
    .await;
    let mut house = offering(&gateway).await;
    let mut client = h2(&house, NAME).await;
    text(client.send_request(absolute(get("/first"))).await.unwrap()).await;
    house.record().await;
    let response = client.send_request(connect("/ws")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("sec-websocket-accept"));
    assert!(!response.headers().contains_key("upgrade"));
    let mut stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let payload = vec![7; 200_000];
    let bytes = frame(0x82, true, &payload);
    let (mut from, mut to) = tokio::io::split(&mut stream);
    let mut got = vec![0; bytes.len()];
    let (sent, read) = tokio::join!(to.write_all(&bytes), from.read_exact(&mut got));
    sent.unwrap();
    read.unwrap();
    assert!(got == bytes);
    let bye = close(true, 1000, "");
    assert_eq!(exchange(&mut stream, &bye, bye.len()).await, bye);
    stream.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    let record = house.record().await;
    let end = record.websocket.as_ref().unwrap();
    assert_eq!((end.close_code, end.closed_by), (Some(1000), Closer::Client));
    assert_eq!((record.protocol, record.client.to_string().as_str()), (Protocol::Http2, OWN));
    let head = gateway.heads().pop().unwrap();
    assert!(head.starts_with("GET /ws HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "host").unwrap(), format!("{NAME}:8443"));
    assert_eq!(header(&head, "upgrade").as_deref(), Some("websocket"));
    assert_eq!(header(&head, "origin").as_deref(), Some("https://mini.local:8443"));
    assert_eq!(header(&head, "x-forwarded-for").as_deref(), Some(OWN));
    assert!(headers(&head, "x_openclaw_scopes").is_empty());
}

/// What the client hears where the gateway answers an upgrade with these bytes: status and code.
async fn told(answer: &'static str) -> (u16, Option<String>) {
    let gateway = Gateway::start(move |mut call: Call| async move {
        let head = call.head().await.unwrap();
        if head.starts_with("GET /first ") {
            call.ok("").await;
            return;
        }
        call.write(answer).await;
        call.rest().await;
    })
    .await;
    let house = offering(&gateway).await;
    let mut client = h2(&house, NAME).await;
    text(client.send_request(absolute(get("/first"))).await.unwrap()).await;
    let response = client.send_request(connect("/ws")).await.unwrap();
    (response.status().as_u16(), code(&response).map(str::to_owned))
}

#[tokio::test]
async fn a_wrong_accept_of_the_gateway_is_found_out_for_the_client() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    assert_eq!(told(answer).await, (502, Some("gateway-bad-upgrade".to_owned())));
}

#[tokio::test]
async fn a_gateway_that_answers_an_upgrade_with_success_has_opened_nothing() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npage",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n",
    ] {
        assert_eq!(told(answer).await, (502, Some("gateway-bad-upgrade".to_owned())), "{answer}");
    }
}

#[tokio::test]
async fn it_is_not_offered_before_it_was_rehearsed() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut client = h2(&house, NAME).await;
    text(client.send_request(absolute(get("/"))).await.unwrap()).await;
    assert!(client.send_request(connect("/ws")).await.is_err());
    assert_eq!(gateway.heads().len(), 1);
}

/// A gateway whose WebSockets begin with these bytes.
async fn greeting(greeting: &'static [u8]) -> Gateway {
    Gateway::start(move |mut call: Call| async move {
        while let Some(head) = call.head().await {
            if header(&head, "upgrade").is_none() {
                call.ok("{}").await;
                continue;
            }
            call.accept(&head).await;
            call.write(greeting).await;
            call.rest().await;
            return;
        }
    })
    .await
}

/// Opens a WebSocket over HTTP/2 on a fresh connection.
async fn opens(house: &House) -> bool {
    let mut client = h2(house, NAME).await;
    text(client.send_request(absolute(get("/"))).await.unwrap()).await;
    client.send_request(connect("/")).await.is_ok_and(|response| response.status() == 200)
}

#[tokio::test]
async fn it_is_offered_to_everybody_once_a_rehearsal_has_gone_the_whole_way() {
    let gateway = greeting(b"\x81\x02{}").await;
    let house = House::open(gateway.address).await;
    assert_eq!(house.edge.websockets_over_http2(), WebSocketsOverHttp2::Untested);
    house.edge.rehearse().await.unwrap();
    assert_eq!(house.edge.websockets_over_http2(), WebSocketsOverHttp2::Offered);
    assert!(opens(&house).await);
    let head = gateway.heads().into_iter().find(|head| header(head, "upgrade").is_some()).unwrap();
    assert!(headers(&head, "x-forwarded-for").is_empty(), "a client of this machine: {head}");
    // Another gateway has shown nothing yet.
    house.change(|settings| settings.upstream = "127.0.0.1:1".parse().unwrap());
    assert_eq!(house.edge.websockets_over_http2(), WebSocketsOverHttp2::Untested);
    house.change(|settings| settings.websocket_over_h2 = Http2WebSockets::Off);
    assert_eq!(house.edge.websockets_over_http2(), WebSocketsOverHttp2::Off);
}

#[tokio::test]
async fn it_is_rehearsed_behind_a_declared_tunnel_too() {
    let gateway = greeting(b"\x81\x02{}").await;
    let house = House::open(gateway.address).await;
    house.change(|settings| {
        settings.front = FrontProxy::Trusted {
            peers: vec!["127.0.0.0/8".parse().unwrap()],
            client_header: http::HeaderName::from_static("cf-connecting-ip"),
        };
    });
    house.edge.rehearse().await.unwrap();
    assert!(gateway.heads().iter().all(|head| header(head, "x-forwarded-for").as_deref() == Some(OWN)));
}

#[tokio::test]
async fn a_rehearsal_that_fails_ends_the_offer_and_says_why() {
    let gateway = greeting(b"\x91\x02{}").await;
    let house = House::open(gateway.address).await;
    let failed = house.edge.rehearse().await.unwrap_err();
    assert_eq!(failed, RehearsalError::Failed("the first frame begins with 91 02".to_owned()));
    let why = WebSocketsOverHttp2::Failed("the first frame begins with 91 02".to_owned());
    assert_eq!(house.edge.websockets_over_http2(), why);
    assert!(!opens(&house).await);
    let wrong = Gateway::start(|mut call: Call| async move {
        while let Some(head) = call.head().await {
            match header(&head, "upgrade") {
                None => call.ok("{}").await,
                Some(_) => {
                    call.write(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
                    )
                    .await;
                }
            }
        }
    })
    .await;
    house.change(|settings| settings.upstream = wrong.address);
    let failed = house.edge.rehearse().await.unwrap_err();
    let why = "the extended CONNECT got 502 gateway-bad-upgrade";
    assert_eq!(failed, RehearsalError::Failed(why.to_owned()));
}

#[tokio::test]
async fn a_gateway_that_is_away_or_starting_neither_passes_nor_fails() {
    let gateway = greeting(b"\x88\x02\x03\xf5").await;
    let house = House::open(gateway.address).await;
    let starting = house.edge.rehearse().await.unwrap_err();
    assert_eq!(starting, RehearsalError::NotNow("the gateway closed the WebSocket with 1013".to_owned()));
    house.change(|settings| {
        settings.upstream = "127.0.0.1:1".parse().unwrap();
        settings.limits.hold = std::time::Duration::from_millis(50);
    });
    assert!(matches!(house.edge.rehearse().await, Err(RehearsalError::NotNow(_))));
    assert_eq!(house.edge.websockets_over_http2(), WebSocketsOverHttp2::Untested);
}
