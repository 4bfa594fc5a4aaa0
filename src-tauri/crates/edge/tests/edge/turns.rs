//! What one side of an exchange may keep the other waiting for, and what the edge says over HTTP/2 by itself.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header};
use crate::kit::{House, LONG, NAME};
use bytes::Bytes;
use futures_util::stream;
use gatehouse_edge::{FrontProxy, Limits};
use http::{HeaderName, Method, Request};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Pieces of a body, one after each pause.
fn slowly(pieces: usize, pause: Duration) -> Body {
    let frames = stream::unfold(0, move |sent| async move {
        if sent == pieces {
            return None;
        }
        sleep(pause).await;
        Some((Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"piece"))), sent + 1))
    });
    StreamBody::new(Box::pin(frames)).boxed()
}

#[tokio::test]
async fn a_stream_without_room_is_reset_and_gives_its_places_back() {
    let gateway = Gateway::start(|mut call: Call| async move {
        while let Some(head) = call.head().await {
            // More than there is room for, or no end at all.
            let body = vec![b'x'; if head.starts_with("GET /small ") { 5 } else { 1_000_000 }];
            call.ok(body).await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    house.change(|it| {
        let client_header = HeaderName::from_static("x-client");
        it.front = FrontProxy::Trusted { peers: vec!["127.0.0.0/8".parse().unwrap()], client_header };
        it.limits = Limits { body_stall: second(1), requests_per_client: 2, ..Limits::default() };
    });
    let stream = tls(&house, NAME, "h2").await.unwrap();
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake::<_, Body>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let ask =
        |path: &str| absolute(Request::get(path).header("x-client", "192.0.2.1").body(empty()).unwrap());
    let mut unread = Vec::new();
    for path in ["/small", "/large"] {
        let response = client.send_request(ask(path)).await.unwrap();
        assert_eq!(response.status(), 200);
        unread.push(response.into_body());
    }
    let refused = over_h2(&house, ask("/small")).await;
    assert_eq!(
        (refused.status().as_u16(), code(&refused)),
        (429, Some("rate-limited")),
        "all places are taken"
    );

    for mut body in unread {
        let end = timeout(LONG, body.frame()).await.expect("it is reset");
        assert!(end.is_some_and(|frame| frame.is_err()));
    }
    timeout(LONG, async { while over_h2(&house, ask("/small")).await.status() != 200 {} })
        .await
        .expect("the places are free");
    let again = client.send_request(ask("/small")).await.unwrap();
    assert_eq!(again.status(), 200, "the connection was not touched");
}

#[tokio::test]
async fn an_upload_that_goes_on_behind_its_answer_reaches_the_gateway_whole() {
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    let gateway = Gateway::start(move |mut call: Call| {
        let told = told.clone();
        async move {
            while let Some(head) = call.head().await {
                call.write("HTTP/1.1 202 Accepted\r\ncontent-length: 5\r\n\r\nearly").await;
                let _ = told.send(call.body(&head).await.len());
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    house.change(|it| {
        it.limits = Limits { headers: second(1), keep_alive: second(1), ..Limits::default() };
    });
    // A client that reads its answer only when everything is sent.
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    stream
        .write_all(format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 20\r\n\r\n").as_bytes())
        .await
        .unwrap();
    for _ in 0..4 {
        sleep(Duration::from_millis(900)).await;
        stream.write_all(b"piece").await.unwrap();
    }
    assert_eq!(timeout(LONG, tells.recv()).await.unwrap(), Some(20));
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 202 "), "{head}");
}

#[tokio::test]
async fn a_long_upload_is_no_silence_of_the_gateway() {
    let gateway = Gateway::start(|mut call: Call| async move {
        while let Some(head) = call.head().await {
            if head.starts_with("POST /frozen ") {
                call.rest().await;
                return;
            }
            let body = call.body(&head).await;
            call.ok(body).await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    house.change(|it| {
        it.routes = "/ api".parse().unwrap();
        it.limits = Limits { first_byte_api: second(1), ..Limits::default() };
    });
    let post =
        |path| Request::post(path).header("host", NAME).body(slowly(5, Duration::from_millis(500))).unwrap();
    let answer = over_h1(&house, post("/")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(text(answer).await.len(), 25);
    let frozen = over_h1(&house, post("/frozen")).await;
    assert_eq!((frozen.status().as_u16(), code(&frozen)), (504, Some("gateway-timeout")));
}

#[tokio::test]
async fn words_of_the_gateway_that_look_like_hypers_own_are_passed_on() {
    const TAIL: &str = "HTTP/1.1 400 \r\n\r\n";
    let gateway = Gateway::start(|mut call: Call| async move {
        while call.head().await.is_some() {
            call.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nhello", 5 + TAIL.len())).await;
            sleep(Duration::from_millis(300)).await;
            call.write(TAIL).await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let mut client = h1(&house, NAME).await;
    for _ in 0..2 {
        let request = Request::get("/").header("host", NAME).body(empty()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(text(response).await, format!("hello{TAIL}"));
        client.ready().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_to_head_has_no_body_over_http2_whoever_answers() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut client = h2(&house, NAME).await;
    for (uri, status) in [(format!("https://{NAME}/"), 503), ("https://other.example/".to_owned(), 421)] {
        house.change(|it| it.paused = Some(gatehouse_edge::Pause { until: None }));
        let request = Request::builder().method(Method::HEAD).uri(uri).body(empty()).unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), status);
        let length: usize = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert!(length > 50);
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn a_body_of_no_known_length_stays_with_its_get() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let request = Request::get("/").body(slowly(1, Duration::ZERO)).unwrap();
    let response = over_h2(&house, request).await;
    assert_eq!(text(response).await, "piece");
    assert_eq!(header(&gateway.heads()[0], "transfer-encoding").as_deref(), Some("chunked"));
}

#[tokio::test]
async fn a_refusal_that_reads_no_body_says_that_it_closes() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut stream = tls(&house, "127.0.0.1", "http/1.1").await.unwrap();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nHost: other.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        )
        .await
        .unwrap();
    let head = read_head(&mut stream).await;
    assert!(
        head.starts_with("HTTP/1.1 421 ") && head.to_ascii_lowercase().contains("\r\nconnection: close"),
        "{head}"
    );
    let mut rest = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it is closed");
    let get = raw(
        &house,
        "GET / HTTP/1.1\r\nHost: other.example\r\n\r\nGET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(get.await.matches("HTTP/1.1 421 ").count(), 2, "without one it stays");
}

#[tokio::test]
async fn headers_too_large_for_http2_are_refused_in_our_words() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut client = h2(&house, NAME).await;
    let request = Request::get("/").header("x-long", "x".repeat(40_000)).body(empty()).unwrap();
    let response = client.send_request(absolute(request)).await.unwrap();
    assert_eq!((response.status().as_u16(), code(&response)), (431, Some("headers-too-large")));
    assert!(response.headers().contains_key("x-request-id"));
}
