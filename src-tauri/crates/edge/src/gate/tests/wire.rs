//! Raw bytes through hyper's parser and the gate: what one of them lets through, the other must know.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Answers 200 with `kind length-of-body` for what is admitted, otherwise the error's status and code.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let names = ServedNames { dns: ["mini.local".to_owned()].into(), ..ServedNames::default() };
    let (status, text, close) = match judge(&RequestHead::of(&parts), &names, &Limits::default()) {
        Outcome::Refused(refused) => {
            (refused.error.status().as_u16(), refused.error.code().to_owned(), refused.close)
        }
        Outcome::Admitted(admitted) => match body.collect().await {
            Ok(body) => (200, format!("{:?} {}", admitted.kind, body.to_bytes().len()), false),
            Err(_) => (400, "bad-body".to_owned(), true),
        },
    };
    let mut response = Response::builder().status(status);
    if close {
        response = response.header("connection", "close");
    }
    Ok(response.body(Full::from(text)).unwrap())
}

/// What the requests in `bytes` are answered with, one word list per response; hyper's own refusals have no body.
fn ask(bytes: &[u8]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let connection = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(server), service_fn(answer));
        let talk = async {
            client.write_all(bytes).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answers = Vec::new();
            let _ = client.read_to_end(&mut answers).await;
            answers
        };
        let (_, answers) = tokio::join!(connection, talk);
        String::from_utf8(answers).unwrap()
    });
    answers
        .split("HTTP/1.")
        .skip(1)
        .map(|answer| {
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            format!("{} {body}", &head[2..5]).trim_end().to_owned()
        })
        .collect()
}

const POST: &str = "POST / HTTP/1.1\r\nHost: mini.local\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: mini.local\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: mini.local\r\n\r\n";

#[test]
fn honest_requests_are_admitted_one_after_the_other() {
    for (bytes, answers) in [
        (format!("{GET}\r\n{GET}\r\n"), &["200 Plain 0", "200 Plain 0"][..]),
        (format!("{POST}Content-Length: 5\r\n\r\nhello{GET}\r\n"), &["200 Plain 5", "200 Plain 0"]),
        (
            format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{GET}\r\n"),
            &["200 Plain 5", "200 Plain 0"],
        ),
        (
            format!("{POST}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n"),
            &["200 Plain 5"],
        ),
        ("GET http://mini.local/x HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), &["200 Plain 0"]),
        ("GET / HTTP/1.0\r\nHost: mini.local\r\n\r\n".to_owned(), &["200 Plain 0"]),
    ] {
        assert_eq!(ask(bytes.as_bytes()), answers, "{bytes}");
    }
}

#[test]
fn nothing_behind_a_doubtful_request_is_ever_served() {
    for (request, answer) in [
        // Lengths.
        (format!("{POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: 5, 5\r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: +5\r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: 5 5\r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: 0x5\r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: \r\n\r\nhello"), "400"),
        (format!("{POST}Content-Length: 18446744073709551619\r\n\r\nhello"), "400"),
        (format!("{POST}Content_Length: 5\r\n\r\nhello"), "400 bad-header"),
        (format!("{POST}Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 bad-header"),
        (format!("{POST}Transfer-Encoding: gzip\r\n\r\n"), "400"),
        (format!("{POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), "400"),
        (format!("{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "400 bad-transfer-encoding"),
        (
            format!("{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400 bad-transfer-encoding",
        ),
        (format!("{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "400"),
        (format!("{POST}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), "400"),
        (format!("{POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"), "400"),
        (
            "POST / HTTP/1.0\r\nHost: mini.local\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            "400",
        ),
        (format!("{POST}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"), "400 bad-body"),
        (format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n"), "400 bad-body"),
        (format!("{POST}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"), "400 bad-body"),
        // Lines.
        (format!("{GET}X-A : b\r\n\r\n"), "400"),
        (format!("{GET}X-A: b\r\n folded\r\n\r\n"), "400"),
        (format!("{GET} X-A: b\r\n\r\n"), "400"),
        (format!("{GET}X-A: b\rc: d\r\n\r\n"), "400"),
        (format!("{GET}X-A: b\0c\r\n\r\n"), "400"),
        (format!("{GET}X\0A: b\r\n\r\n"), "400"),
        (format!("{GET}: b\r\n\r\n"), "400"),
        (format!("{GET}X-A\r\n\r\n"), "400"),
        (format!("{GET}X(A): b\r\n\r\n"), "400"),
        // Request lines.
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400 missing-host"),
        (format!("{GET}Host: mini.local\r\n\r\n"), "400 duplicate-host"),
        ("GET / HTTP/1.1\r\nHost: mini.local\r\nhost: evil.example\r\n\r\n".to_owned(), "400 duplicate-host"),
        ("GET http://evil.example/ HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400 host-mismatch"),
        (
            "GET http://mini.local@evil.example/ HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(),
            "400 bad-host",
        ),
        ("GET mini.local/ HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET  / HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1 \r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET /\t HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET /a\\b HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.2\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("GET / http/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400"),
        ("OPTIONS * HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "400 bad-target"),
        ("CONNECT mini.local:443 HTTP/1.1\r\nHost: mini.local:443\r\n\r\n".to_owned(), "405 method-refused"),
        ("TRACE / HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), "405 method-refused"),
        // Connection and upgrades.
        (format!("{POST}Connection: content-length\r\nContent-Length: 5\r\n\r\nhello"), "400 bad-connection"),
        (format!("{GET}Connection: authorization\r\n\r\n"), "400 bad-connection"),
        (
            format!("{POST}Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello"),
            "400 upgrade-refused",
        ),
        (format!("{GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"), "400 bad-websocket"),
    ] {
        let bytes = format!("{request}{SMUGGLED}");
        let answers = ask(bytes.as_bytes());
        assert_eq!(answers.len(), 1, "{bytes}: {answers:?}");
        assert!(answers[0].starts_with(answer), "{bytes}: {answers:?}");
    }
}

/// Where hyper repairs instead of refusing, exactly one reading is left.
#[test]
fn what_hyper_repairs_is_read_in_one_way() {
    for (bytes, answers) in [
        // Equal lengths become one.
        (
            format!("{POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello{GET}\r\n"),
            &["200 Plain 5", "200 Plain 0"][..],
        ),
        // Beside an encoding a length does not count, and the connection ends.
        (
            format!("{POST}Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n{SMUGGLED}"),
            &["200 Plain 0"],
        ),
        (
            format!("{POST}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
            &["200 Plain 0"],
        ),
        // Lines may end in LF.
        ("GET / HTTP/1.1\nHost: mini.local\n\n".to_owned(), &["200 Plain 0"]),
        // A fragment is no part of a target.
        ("GET /a#b HTTP/1.1\r\nHost: mini.local\r\n\r\n".to_owned(), &["200 Plain 0"]),
    ] {
        assert_eq!(ask(bytes.as_bytes()), answers, "{bytes}");
    }
}
