//! Answers that do not wait for the end of the request, and clients that speak the old protocol.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header};
use crate::kit::{House, LONG, NAME};
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use std::io;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

/// A body that is sent as it is given.
fn given() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (give, take) = mpsc::unbounded_channel::<Bytes>();
    let frames = stream::unfold(take, |mut take| async move {
        take.recv().await.map(|bytes| (Ok::<_, io::Error>(Frame::data(bytes)), take))
    });
    (give, StreamBody::new(Box::pin(frames)).boxed())
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_is_passed_on_at_once_and_the_body_after_it() {
    let (told, mut tells) = mpsc::unbounded_channel();
    let gateway = Gateway::start(move |mut call: Call| {
        let told = told.clone();
        async move {
            let head = call.head().await.unwrap();
            call.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nearly").await;
            let body = call.body(&head).await;
            let _ = told.send(body);
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    for over in ["h1", "h2"] {
        let (give, body) = given();
        give.send("a".into()).unwrap();
        let request = Request::post("/").header("host", NAME).body(body).unwrap();
        let response =
            if over == "h1" { over_h1(&house, request).await } else { over_h2(&house, request).await };
        let mut answer = response.into_body();
        let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "early", "{over}");
        // Over HTTP/1.1 a server may end a connection whose request it answered; over HTTP/2 the rest goes on.
        if over == "h2" {
            give.send("b".into()).unwrap();
            drop(give);
            let body = tokio::time::timeout(LONG, tells.recv()).await.unwrap().unwrap();
            assert_eq!(body, b"ab");
        } else {
            drop(give);
            let _ = tokio::time::timeout(LONG, tells.recv()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_gateway_that_refuses_a_body_and_leaves_is_heard() {
    let gateway = Gateway::start(|mut call: Call| async move {
        call.head().await;
        call.write("HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig")
            .await;
        let _ = call.stream.shutdown().await;
        call.rest().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    for over in ["h1", "h2"] {
        let (give, body) = given();
        for _ in 0..64 {
            give.send(vec![7; 16 * 1024].into()).unwrap();
        }
        drop(give);
        let request = Request::post("/").header("host", NAME).body(body).unwrap();
        let response =
            if over == "h1" { over_h1(&house, request).await } else { over_h2(&house, request).await };
        assert_eq!((response.status().as_u16(), code(&response)), (413, None), "{over}");
        assert_eq!(text(response).await, "big", "{over}");
    }
}

#[tokio::test]
async fn an_old_client_gets_a_body_that_ends_with_the_connection() {
    let gateway = Gateway::start(|mut call: Call| async move {
        while call.head().await.is_some() {
            call.write(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nold\r\n5\r\n body\r\n0\r\n\r\n",
            )
            .await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let answer = raw(&house, &format!("GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n")).await;
    assert!(answer.ends_with("\r\n\r\nold body"), "{answer}");
    assert_eq!(header(&answer, "transfer-encoding"), None, "{answer}");
}

#[tokio::test]
async fn an_address_in_brackets_is_a_host() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    for (host, status) in [("[::1]:8443", "200"), ("[::1]", "200"), ("[2001:db8::1]", "421"), ("[::1", "400")]
    {
        let mut stream = tls(&house, "127.0.0.1", "http/1.1").await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
}
