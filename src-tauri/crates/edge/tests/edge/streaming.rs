//! Bodies on their way: in order, at once, in bounded memory, and never shorter than they look.

use crate::kit::client::*;
use crate::kit::gateway::{Gateway, header};
use crate::kit::{House, LONG, NAME, until};
use bytes::Bytes;
use futures_util::stream;
use gatehouse_edge::EdgeError;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

const MIB: usize = 1024 * 1024;
/// Kernel socket buffers on both sides, flow-control windows and our own buffers together stay far below this.
const FLAT: usize = 48 * MIB;

/// A body of this many MiB that is made while it is read.
fn endless(mib: usize) -> Body {
    let block = Bytes::from(vec![b'x'; 64 * 1024]);
    let frames = stream::iter((0..mib * 16).map(move |_| Ok(Frame::data(block.clone()))));
    StreamBody::new(frames).boxed()
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).map_or(0, |pages| pages * 4096)
}

/// A gateway that sinks what it is sent and answers with its size, or sends as many MiB as the path says.
async fn bulk() -> Gateway {
    Gateway::start(|mut call| async move {
        while let Some(head) = call.head().await {
            if head.starts_with("POST") {
                let mut size = 0usize;
                loop {
                    let chunk = usize::from_str_radix(&call.line().await, 16).unwrap();
                    call.take(chunk + 2).await;
                    size += chunk;
                    if chunk == 0 {
                        break;
                    }
                }
                call.ok(size.to_string()).await;
            } else {
                let mib: usize = head.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
                call.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", mib * MIB)).await;
                let block = vec![b'y'; MIB];
                for _ in 0..mib {
                    call.write(&block).await;
                }
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_both_ways_in_flat_memory() {
    let gateway = bulk().await;
    let mut house = House::open(gateway.address).await;
    let size_mib: usize =
        std::env::var("GATEHOUSE_BULK_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(192);
    house.change(|settings| settings.limits.body_bytes = u64::MAX);
    let before = resident();
    for h2 in [false, true] {
        let upload = Request::post("/").body(endless(size_mib)).unwrap();
        let response = if h2 { over_h2(&house, upload).await } else { over_h1(&house, upload).await };
        assert_eq!(text(response).await, (size_mib * MIB).to_string());
        assert_eq!(house.record().await.bytes_in, (size_mib * MIB) as u64);
        let download = get(&format!("/{size_mib}"));
        let response = if h2 { over_h2(&house, download).await } else { over_h1(&house, download).await };
        let mut body = response.into_body();
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            size += frame.unwrap().data_ref().map_or(0, Bytes::len);
        }
        assert_eq!(size, size_mib * MIB);
        assert_eq!(house.record().await.bytes_out, (size_mib * MIB) as u64);
        let grown = resident().saturating_sub(before);
        eprintln!("{size_mib} MiB up and down, h2: {h2}: {} KiB more resident", grown / 1024);
        assert!(grown < FLAT, "{} MiB more, h2: {h2}", grown / MIB);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_gateway_from_writing() {
    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let gateway = Gateway::start(move |mut call| {
        let counted = counted.clone();
        async move {
            call.head().await;
            call.write("HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await;
            let block = vec![b'y'; 64 * 1024];
            while call.stream.write_all(&block).await.is_ok() {
                counted.fetch_add(block.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    for h2 in [false, true] {
        written.store(0, Ordering::SeqCst);
        let response = if h2 { over_h2(&house, get("/")).await } else { over_h1(&house, get("/")).await };
        let mut last = (0, Instant::now());
        until(|| {
            let now = written.load(Ordering::SeqCst);
            if now != last.0 {
                last = (now, Instant::now());
            }
            last.1.elapsed() > Duration::from_millis(300)
        })
        .await;
        assert!(last.0 < FLAT, "{} MiB were taken from the gateway", last.0 / MIB);
        drop(response);
    }
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn events_pass_one_by_one_as_they_happen() {
    let next = Arc::new(Notify::new());
    let told = next.clone();
    let gateway = Gateway::start(move |mut call| {
        let next = told.clone();
        async move {
            while call.head().await.is_some() {
                call.write(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
                )
                .await;
                for number in 0..3 {
                    next.notified().await;
                    call.write(format!("9\r\ndata: {number}\n\n\r\n")).await;
                }
                next.notified().await;
                call.write("0\r\n\r\n").await;
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    for h2 in [false, true] {
        let response = if h2 { over_h2(&house, get("/")).await } else { over_h1(&house, get("/")).await };
        let mut body = response.into_body();
        for number in 0..3 {
            // Only after the client has one event does the gateway send the next: nothing may wait for more.
            next.notify_one();
            let frame =
                tokio::time::timeout(LONG, body.frame()).await.expect("an event waits").unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), format!("data: {number}\n\n"));
        }
        next.notify_one();
        let rest = body.collect().await.unwrap();
        assert!(rest.trailers().is_none() && rest.to_bytes().is_empty());
    }
}

#[tokio::test]
async fn trailers_pass_without_those_that_identify() {
    let gateway = Gateway::start(|mut call| async move {
        while call.head().await.is_some() {
            call.write(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum, x-forwarded-for\r\n\r\n\
                 2\r\nok\r\n0\r\nx-sum: 42\r\nx-forwarded-for: 127.0.0.1\r\n\r\n",
            )
            .await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let answer =
        raw(&house, &format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nTE: trailers\r\nConnection: close\r\n\r\n"))
            .await;
    assert!(answer.ends_with("0\r\nx-sum: 42\r\n\r\n"), "{answer}");
    let body = over_h2(&house, get("/")).await.into_body().collect().await.unwrap();
    let expected = HeaderMap::from_iter([("x-sum".parse().unwrap(), "42".parse().unwrap())]);
    assert_eq!(body.trailers(), Some(&expected));
}

#[tokio::test]
async fn an_answer_that_the_gateway_breaks_off_never_looks_complete() {
    let gateway = Gateway::start(|mut call| async move {
        call.head().await;
        call.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let answer = raw(&house, &format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n")).await;
    assert!(answer.ends_with("4\r\nhalf\r\n"), "cut, without a last chunk: {answer}");
    let record = house.record().await;
    assert_eq!((record.status.as_u16(), record.error), (200, Some(EdgeError::GatewayBroke)));
    let mut body = over_h2(&house, get("/")).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    assert!(body.frame().await.unwrap().is_err(), "a reset, not an end");
    assert_eq!(house.record().await.error, Some(EdgeError::GatewayBroke));
}

#[tokio::test]
async fn a_gateway_that_dies_before_its_answer_is_a_502() {
    let gateway = Gateway::start(|mut call| async move {
        let head = call.head().await.unwrap();
        call.body(&head).await;
        call.write("HTTP/1.1 200 O").await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let response = over_h1(&house, Request::post("/").body(full("once")).unwrap()).await;
    assert_eq!((response.status().as_u16(), code(&response)), (502, Some("gateway-broke")));
    assert_eq!(house.record().await.error, Some(EdgeError::GatewayBroke));
    assert_eq!(gateway.heads().len(), 1, "never sent twice");
}

#[tokio::test]
async fn an_expectation_is_met_here_and_not_passed_on() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut stream = tls(&house, NAME, "http/1.1").await.unwrap();
    let head =
        format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(header(&gateway.heads()[0], "expect"), None);
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_a_408() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.limits.body_stall = Duration::from_millis(150));
    let answer =
        raw(&house, &format!("POST / HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 4\r\n\r\nab")).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn headers_that_never_end_are_cut() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.limits.headers = Duration::from_millis(150));
    let began = Instant::now();
    assert_eq!(raw(&house, &format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nX-Slow: ")).await, "");
    assert!(began.elapsed() >= Duration::from_millis(150));
    house.until_open(0, 0).await;
}
