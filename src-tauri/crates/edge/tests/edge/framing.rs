//! Requests of which nobody can be sure where they end: raw bytes through TLS, and what the gateway gets to see.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{House, LONG, NAME};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GET: &str = "GET / HTTP/1.1\r\nHost: mini.local\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: mini.local\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: mini.local\r\n\r\n";

/// Status and our code of each answer.
fn codes(answers: &str) -> Vec<(&str, Option<&str>)> {
    let heads = answers.split("HTTP/1.1 ").skip(1);
    heads
        .map(|head| {
            let code = head.lines().find_map(|line| line.strip_prefix("x-gatehouse-error: "));
            (&head[..3], code)
        })
        .collect()
}

#[tokio::test]
async fn what_hyper_would_repair_is_refused_and_the_connection_ends() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let chunks = "0\r\n\r\n";
    for (request, code) in [
        (format!("{POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "bad-content-length"),
        (
            format!("{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
            "ambiguous-length",
        ),
        (
            format!("{POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{chunks}"),
            "ambiguous-length",
        ),
        (format!("{POST}Transfer-Encoding: gzip, chunked\r\n\r\n{chunks}"), "bad-transfer-encoding"),
        ("GET / HTTP/1.1\nHost: mini.local\n\n".to_owned(), "bad-header"),
        (format!("{GET}X: y\n\r\n"), "bad-header"),
        (format!("{GET}X: y\r\n folded\r\n\r\n"), "bad-header"),
        (format!("{GET}X : y\r\n\r\n"), "bad-header"),
        ("GET /a#b HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "bad-target"),
        ("GET /\u{e9} HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "bad-target"),
    ] {
        let answers = raw(&house, &format!("{request}{SMUGGLED}")).await;
        assert_eq!(codes(&answers), [("400", Some(code))], "{request}: {answers}");
        assert!(answers.contains("\r\nconnection: close\r\n"), "{answers}");
    }
    assert_eq!(gateway.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_of_doubtful_framing_is_answered_with_400_and_ends_the_connection() {
    let gateway = Gateway::start(|mut call: Call| async move {
        // The edge breaks off what it began to pass on.
        while call.head().await.is_some() {
            call.rest().await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    for chunks in [
        "5\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "0;x\0\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
    ] {
        let answers =
            raw(&house, &format!("{POST}Transfer-Encoding: chunked\r\n\r\n{chunks}{SMUGGLED}")).await;
        assert_eq!(codes(&answers), [("400", Some("bad-body"))], "{chunks:?}: {answers}");
    }
    assert!(gateway.heads().iter().all(|head| !head.contains("smuggled")));
}

#[tokio::test]
async fn requests_before_a_doubtful_one_are_answered_in_their_turn() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let bytes = format!(
        "{GET}\r\n{POST}Content-Length: 5\r\n\r\nhello{POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
         {GET}X: y\r\n folded\r\n\r\n{SMUGGLED}"
    );
    let answers = raw(&house, &bytes).await;
    let expected = [("200", None), ("200", None), ("200", None), ("400", Some("bad-header"))];
    assert_eq!(codes(&answers), expected, "{answers}");
    // The same, one byte at a time.
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    for byte in bytes.as_bytes() {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    _ = stream.flush().await;
    assert_eq!(codes(&read_to_end(&mut stream).await), expected);
    assert_eq!(gateway.heads().len(), 6);
}

#[tokio::test]
async fn nothing_behind_the_offer_of_a_websocket_is_taken_for_a_request() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    // The gateway does not take it.
    let answers = raw(&house, &format!("{}{SMUGGLED}", handshake("/ws", ""))).await;
    assert_eq!(codes(&answers), [("200", None)], "{answers}");
    assert!(answers.contains("\r\nconnection: close\r\n"), "{answers}");
    assert_eq!(gateway.heads().len(), 1);
}

#[tokio::test]
async fn a_client_that_is_still_sending_reads_why_it_was_refused() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.limits.body_bytes = 1000);
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    stream.write_all(format!("{POST}Content-Length: 100000000\r\n\r\n").as_bytes()).await.unwrap();
    let (mut from, mut to) = tokio::io::split(stream);
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        while to.write_all(&[7; 16 * 1024]).await.is_ok() && sent < 400 {
            sent += 1;
        }
        sent
    });
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LONG, from.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(codes(&answer), [("413", Some("body-too-large"))], "{read:?} {answer}");
    sending.await.unwrap();
    assert_eq!(gateway.connections(), 0, "the gateway was not bothered");
}
