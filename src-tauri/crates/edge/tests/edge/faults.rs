//! A gateway that fails in every way: each is told with the right words, no half answer passes for a whole one, nothing of
//! it reaches somebody else, and nothing of it stays behind.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{House, LONG, NAME, settings, until};
use gatehouse_edge::{Edge, EdgeOptions, LogOptions};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// What a client makes of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// An answer of the edge itself.
    Ours(u16, String),
    /// A complete answer of the gateway.
    Whole(u16, String),
    /// An answer that broke off, and the client knows; some of them before the head was on its way.
    Broken,
}

async fn told(response: Response<Incoming>) -> Told {
    let status = response.status().as_u16();
    let code = code(&response).map(str::to_owned);
    match (code, response.into_body().collect().await) {
        (Some(code), Ok(_)) => Told::Ours(status, code),
        (_, Err(_)) => Told::Broken,
        (None, Ok(body)) => Told::Whole(status, String::from_utf8_lossy(&body.to_bytes()).into_owned()),
    }
}

fn ours(status: u16, code: &str) -> Told {
    Told::Ours(status, code.to_owned())
}

fn whole(body: &str) -> Told {
    Told::Whole(200, body.to_owned())
}

/// A gateway that answers `/fault` with these bytes and then closes, or stays; anything else gets `fine`.
async fn faulty(bytes: &'static [u8], closes: bool) -> Gateway {
    Gateway::start(move |mut call: Call| async move {
        while let Some(head) = call.head_or_health().await {
            call.body(&head).await;
            if head.contains(" /fault ") {
                call.write(bytes).await;
                if closes {
                    return;
                }
            } else {
                call.ok("fine").await;
            }
        }
    })
    .await
}

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// What the gateway says, whether it then closes, and what the client is told.
fn table() -> Vec<(String, bool, Told)> {
    let broke = || ours(502, "gateway-broke");
    let ok = |rest: &str| format!("{OK}{rest}");
    vec![
        // No answer.
        (String::new(), true, broke()),
        ("garbage\r\n\r\n".to_owned(), true, broke()),
        ("\u{16}\u{3}\u{1}\0\u{5}".to_owned(), true, broke()),
        ("HTTP/1.1 200".to_owned(), true, broke()),
        (ok("content-length: 5"), true, broke()),
        ("HTTP/3.0 200 OK\r\n\r\n".to_owned(), true, broke()),
        ("HTTP/1.1 99 OK\r\n\r\n".to_owned(), true, broke()),
        ("HTTP/1.1 2000 OK\r\n\r\n".to_owned(), true, broke()),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), true, broke()),
        // Heads that are none, or too large.
        (ok("x-a : b\r\ncontent-length: 0\r\n\r\n"), false, broke()),
        (ok("x-a: b\0c\r\ncontent-length: 0\r\n\r\n"), false, broke()),
        (ok(&format!("x-a: {}\r\ncontent-length: 0\r\n\r\n", "b".repeat(300_000))), false, broke()),
        (ok(&format!("{}content-length: 0\r\n\r\n", "x-a: b\r\n".repeat(500))), false, broke()),
        // Lengths that are none.
        (ok("content-length: 5\r\ncontent-length: 6\r\n\r\nhello"), false, broke()),
        (ok("content-length: -5\r\n\r\nhello"), false, broke()),
        (ok("content-length: 5, 6\r\n\r\nhello"), false, broke()),
        // Another protocol, although nobody asked.
        (
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
                .to_owned(),
            false,
            broke(),
        ),
        // Bodies that break off.
        (ok("content-length: 500\r\n\r\nhello"), true, Told::Broken),
        (ok("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), true, Told::Broken),
        (ok("transfer-encoding: chunked\r\n\r\n5\r\nhel"), true, Told::Broken),
        (ok("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"), true, Told::Broken),
        (ok("transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"), false, Told::Broken),
        (ok("transfer-encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n"), false, Told::Broken),
        // Whole answers in unusual clothes.
        (ok("\r\nhello"), true, whole("hello")),
        (ok("content-length: 5\r\nconnection: close\r\n\r\nhello"), true, whole("hello")),
        (
            format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{OK}content-length: 5\r\n\r\nhello"),
            false,
            whole("hello"),
        ),
        (format!("HTTP/1.1 100 Continue\r\n\r\n{OK}content-length: 5\r\n\r\nhello"), false, whole("hello")),
        ("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(), true, whole("hello")),
        // More than was announced: nobody may get the rest.
        (
            ok("content-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"),
            false,
            whole("hello"),
        ),
        (
            ok(
                "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
            ),
            false,
            whole("hello"),
        ),
        (
            "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil".to_owned(),
            false,
            Told::Whole(204, String::new()),
        ),
        (
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 4\r\n\r\nevil".to_owned(),
            false,
            Told::Whole(304, String::new()),
        ),
    ]
}

#[tokio::test]
async fn whatever_the_gateway_says_is_told_rightly_and_reaches_nobody_else() {
    for (bytes, closes, expected) in table() {
        let shown = bytes.chars().take(120).collect::<String>();
        let bytes: &'static [u8] = Box::leak(bytes.into_bytes().into_boxed_slice());
        let gateway = faulty(bytes, closes).await;
        let house = House::open(gateway.address).await;
        for protocol in ["h1", "h2"] {
            let ask = async |path: &str| {
                // A POST is sent once, whatever becomes of it.
                let request = Request::post(path).body(full("x")).unwrap();
                let asked = async {
                    let answer = match protocol {
                        "h1" => {
                            let mut request = request;
                            request.headers_mut().insert("host", NAME.parse().unwrap());
                            h1(&house, NAME).await.send_request(request).await
                        }
                        _ => h2(&house, NAME).await.send_request(absolute(request)).await,
                    };
                    match answer {
                        Ok(answer) => told(answer).await,
                        Err(_) => Told::Broken,
                    }
                };
                tokio::time::timeout(LONG, asked).await.unwrap_or_else(|_| panic!("{shown:?} never ends"))
            };
            assert_eq!(ask("/before").await, whole("fine"));
            assert_eq!(ask("/fault").await, expected, "{protocol}: {shown:?}");
            for _ in 0..3 {
                assert_eq!(ask("/behind").await, whole("fine"), "{protocol}, behind {shown:?}");
            }
        }
        house.until_open(0, 0).await;
    }
}

#[tokio::test]
async fn a_handshake_that_the_gateway_answers_wrongly_is_refused() {
    let switching = "HTTP/1.1 101 Switching Protocols\r\n";
    for answer in [
        format!("{switching}connection: upgrade\r\nupgrade: websocket\r\n\r\n"),
        format!(
            "{switching}connection: upgrade\r\nupgrade: h2c\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        ),
        format!(
            "{switching}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
        ),
        format!("{switching}sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhello".to_owned(),
        "garbage\r\n\r\n".to_owned(),
        String::new(),
    ] {
        let bytes: &'static [u8] = Box::leak(answer.clone().into_bytes().into_boxed_slice());
        let gateway = Gateway::start(move |mut call: Call| async move {
            if call.head_or_health().await.is_some() {
                call.write(bytes).await;
            }
        })
        .await;
        let house = House::open(gateway.address).await;
        let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
        stream.write_all(handshake("/ws", "").as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        if answer.contains(" 200 ") {
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert!(read_to_end(&mut stream).await.len() < 500, "the half body ended like a whole one");
        } else {
            assert!(head.starts_with("HTTP/1.1 502 "), "{answer:?}: {head}");
            assert!(head.contains("\r\nx-gatehouse-error: gateway-b"), "{head}");
        }
        drop(stream);
        house.until_open(0, 0).await;
    }
}

#[tokio::test]
async fn a_gateway_that_dies_inside_a_frame_ends_the_socket_and_nothing_stays() {
    let gateway = Gateway::start(|mut call: Call| async move {
        let head = call.head().await.unwrap();
        call.accept(&head).await;
        call.take(6).await;
        call.write([0x82, 126, 0x10, 0, 1, 2, 3]).await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let mut socket = websocket(&house).await;
    socket.write_all(&frame(0x89, true, b"")).await.unwrap();
    let rest = read_to_end(&mut socket).await;
    assert_eq!(rest.len(), 7 + 2, "two bytes of it are no text and were replaced by three each");
    let end = house.record().await;
    assert_eq!(end.websocket.as_ref().map(|end| end.closed_by), Some(gatehouse_edge::Closer::Gateway));
    drop(socket);
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn a_frozen_gateway_holds_nobody_who_has_left() {
    let waiting = Arc::new(AtomicUsize::new(0));
    let counted = waiting.clone();
    let gateway = Gateway::start(move |mut call: Call| {
        let waiting = counted.clone();
        async move {
            call.head().await;
            waiting.fetch_add(1, Ordering::SeqCst);
            // Until the edge gives up on it.
            call.rest().await;
            waiting.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let mut held = Vec::new();
    for number in 0..20 {
        let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
        let request = match number % 2 {
            0 => format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n"),
            _ => handshake("/ws", ""),
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        held.push(stream);
    }
    until(|| waiting.load(Ordering::SeqCst) == 20).await;
    drop(held);
    until(|| waiting.load(Ordering::SeqCst) == 0).await;
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn a_gateway_that_speaks_one_byte_at_a_time_is_heard() {
    let gateway = Gateway::start(|mut call: Call| async move {
        while call.head().await.is_some() {
            for byte in b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" {
                call.write([*byte]).await;
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    assert_eq!(told(over_h1(&house, get("/")).await).await, whole("hello"));
    assert_eq!(told(over_h2(&house, get("/")).await).await, whole("hello"));
}

#[tokio::test]
async fn a_log_on_a_full_disk_stops_no_request() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("access.jsonl")).unwrap();
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    let options = EdgeOptions {
        threads: 1,
        log: Some(LogOptions::new(folder.path().to_owned())),
        ..EdgeOptions::default()
    };
    let edge = Edge::start(options, house.certificates.clone(), settings(gateway.address)).unwrap();
    edge.listen(&[crate::kit::https("127.0.0.1:0")]).await.unwrap();
    let address = edge.listening()[0].address;
    (house.edge, house.address) = (edge, address);
    for _ in 0..50 {
        assert_eq!(told(over_h2(&house, get("/")).await).await, whole(""));
    }
    until(|| house.edge.counters().log_lines_dropped > 0).await;
}

#[tokio::test]
async fn certificates_settings_and_listeners_swapped_under_load_cost_no_request() {
    let gateway = Gateway::echo().await;
    let house = Arc::new(House::open(gateway.address).await);
    let other = Gateway::echo().await;
    let done = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (house, done) = (house.clone(), done.clone());
        clients.spawn(async move {
            let mut kept = if number % 2 == 0 { Some(h2(&house, NAME).await) } else { None };
            for round in 0..40 {
                let body = format!("{number} {round}");
                let request = Request::post("/").body(full(body.clone())).unwrap();
                let response = match &mut kept {
                    Some(client) => client.send_request(absolute(request)).await.unwrap(),
                    None => over_h1(&house, request).await,
                };
                assert_eq!(told(response).await, whole(&body));
                done.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    let mut swaps = 0_u32;
    let swapping = async {
        let listening = house.edge.listening();
        loop {
            swaps += 1;
            house.certificates.renew();
            house.change(|it| {
                it.upstream = if swaps.is_multiple_of(2) { gateway.address } else { other.address };
                it.names.dns.insert(format!("name{swaps}.local"));
                it.limits.header_bytes = 30_000 + swaps as usize;
                it.limits.keep_alive = Duration::from_secs(u64::from(60 + swaps % 10));
            });
            let more = if swaps.is_multiple_of(2) {
                vec![listening[0]]
            } else {
                vec![listening[0], crate::kit::https("[::1]:0")]
            };
            house.edge.listen(&more).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    };
    let all = async {
        while let Some(ended) = clients.join_next().await {
            ended.unwrap();
        }
    };
    tokio::select! {
        () = swapping => {}
        ended = tokio::time::timeout(3 * LONG, all) => ended.unwrap(),
    }
    assert_eq!(done.load(Ordering::SeqCst), 320);
    assert!(swaps > 10, "{swaps}");
}

/// `scripts/faults` runs it for 10 s, too.
#[tokio::test]
async fn a_restart_of_the_gateway_costs_none_of_a_thousand_requests() {
    let number = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let away = Duration::from_secs(number("GATEHOUSE_FAULTS_SECONDS", 3));
    let requests = number("GATEHOUSE_FAULTS_REQUESTS", 1000);
    let serve = |mut call: Call| async move {
        while let Some(head) = call.head_or_health().await {
            let body = call.body(&head).await;
            call.ok(body).await;
        }
    };
    let gateway = Gateway::start(serve).await;
    let address = gateway.address;
    let house = House::open(address).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(h2(&house, NAME).await);
    }
    let mut asked = tokio::task::JoinSet::<Result<(), Told>>::new();
    let mut posted = tokio::task::JoinSet::<Result<(), Told>>::new();
    let mut failed = Vec::new();
    let mut gateway = Some(gateway);
    let (mut dies, mut back) = (requests / 5, None);
    let pace = away.mul_f64(2.0) / u32::try_from(requests).unwrap();
    let mut clock = tokio::time::interval(pace);
    for request in 0..requests {
        clock.tick().await;
        if request == dies {
            // One that the gateway has may have been acted on, and is not sent again: that is not what is counted here.
            while let Some(ended) = posted.join_next().await {
                failed.extend(ended.unwrap().err());
            }
            gateway.take().unwrap().stop().await;
            back = Some(tokio::time::Instant::now() + away);
            dies = u64::MAX;
        }
        if back.is_some_and(|back| tokio::time::Instant::now() >= back) {
            gateway = Some(Gateway::at(address, serve).await);
            back = None;
        }
        let mut client = clients[request as usize % 20].clone();
        let posts = request % 4 == 0;
        let kind = if posts { &mut posted } else { &mut asked };
        kind.spawn(async move {
            let body = request.to_string();
            let ask = match request % 4 {
                0 => Request::post("/").body(full(body.clone())).unwrap(),
                _ => get("/"),
            };
            let expected = if posts { body } else { String::new() };
            let answer = told(client.send_request(absolute(ask)).await.unwrap()).await;
            (answer == whole(&expected)).then_some(()).ok_or(answer)
        });
    }
    if let Some(back) = back {
        tokio::time::sleep_until(back).await;
        gateway = Some(Gateway::at(address, serve).await);
    }
    for mut kind in [asked, posted] {
        while let Some(ended) = kind.join_next().await {
            failed.extend(ended.unwrap().err());
        }
    }
    assert!(failed.is_empty(), "{} of {requests}: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    drop(gateway);
}
