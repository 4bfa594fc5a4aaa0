//! A gateway that goes away and comes back.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway};
use crate::kit::{House, LONG, until};
use gatehouse_edge::EdgeError;
use http::Request;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// A gateway that is healthy and echoes.
async fn healthy(mut call: Call) {
    while let Some(head) = call.head_or_health().await {
        let body = call.body(&head).await;
        call.ok(body).await;
    }
}

/// A port on which nothing listens (and a moment later something may). Where this machine has more than one loopback
/// address, nobody else takes it meanwhile.
async fn closed_port() -> std::net::SocketAddr {
    let address = if cfg!(target_os = "linux") { "127.0.0.77:0" } else { "127.0.0.1:0" };
    TcpListener::bind(address).await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn requests_wait_for_a_gateway_that_restarts_bodies_included() {
    let address = closed_port().await;
    let house = House::open(address).await;
    let gets = (0..20).map(|_| over_h1(&house, get("/")));
    let posts = (0..20).map(|_| over_h2(&house, Request::post("/").body(full("kept")).unwrap()));
    let all =
        async { tokio::join!(futures_util::future::join_all(gets), futures_util::future::join_all(posts)) };
    let back = async {
        until(|| house.edge.counters().requests == 40).await;
        Gateway::at(address, healthy).await
    };
    let ((gets, posts), gateway) =
        tokio::time::timeout(LONG, async { tokio::join!(all, back) }).await.unwrap();
    for response in gets {
        assert_eq!(response.status(), 200);
    }
    for response in posts {
        assert_eq!(text(response).await, "kept");
    }
    assert_eq!(gateway.heads().len(), 40, "each of them once");
}

#[tokio::test]
async fn a_request_gives_up_when_its_time_is_over() {
    let house = House::open(closed_port().await).await;
    house.change(|settings| settings.limits.hold = Duration::from_millis(200));
    let began = Instant::now();
    let response = over_h1(&house, get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (503, Some("gateway-down")));
    assert!(response.headers().contains_key("retry-after"));
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_queue_is_bounded() {
    let mut house = House::open(closed_port().await).await;
    house.change(|settings| settings.limits.hold_queue = 3);
    let waiting: Vec<_> = (0..3).map(|_| Box::pin(over_h1(&house, get("/held")))).collect();
    let waiting = futures_util::future::join_all(waiting);
    let next = async {
        until(|| house.edge.counters().requests == 3).await;
        over_h1(&house, get("/next")).await
    };
    let response = tokio::select! {
        _ = waiting => panic!("these wait"),
        response = next => response,
    };
    assert_eq!((response.status().as_u16(), code(&response)), (503, Some("gateway-restarting")));
    loop {
        let record = house.record().await;
        if &*record.path == "/next" {
            assert_eq!(record.error, Some(EdgeError::GatewayRestarting));
            break;
        }
    }
}

#[tokio::test]
async fn an_upgrade_gets_a_clean_503_at_once_where_the_settings_say_so() {
    let mut house = House::open(closed_port().await).await;
    house.change(|settings| settings.hold_upgrades = false);
    let began = Instant::now();
    let mut stream = tls(&house, crate::kit::NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/ws", "").as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("retry-after: 2\r\n"), "{head}");
    assert!(head.contains("x-gatehouse-error: gateway-restarting\r\n"), "{head}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(house.record().await.status, 503);
}

#[tokio::test]
async fn an_upgrade_waits_until_the_gateway_takes_it() {
    let address = closed_port().await;
    let house = House::open(address).await;
    let open = websocket(&house);
    let back = async {
        until(|| house.edge.counters().requests == 1).await;
        Gateway::at(address, |mut call: Call| async move {
            if let Some(head) = call.head_or_health().await {
                call.accept(&head).await;
                call.rest().await;
            }
        })
        .await
    };
    let (_socket, _gateway) = tokio::time::timeout(LONG, async { tokio::join!(open, back) }).await.unwrap();
}

#[tokio::test]
async fn an_upgrade_that_waited_too_long_is_told_when_to_try_again() {
    let house = House::open(closed_port().await).await;
    house.change(|settings| settings.limits.hold = Duration::from_millis(200));
    let mut stream = tls(&house, crate::kit::NAME, "http/1.1").await.unwrap();
    stream.write_all(handshake("/ws", "").as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(
        head.contains("x-gatehouse-error: gateway-down\r\n") && head.contains("retry-after: 5\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_gateway_that_ends_its_websockets_is_asked_before_it_gets_new_ones() {
    // It answers requests, but closes every WebSocket of its first second.
    let ready = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (asked, mut probes) = tokio::sync::mpsc::unbounded_channel();
    let said = ready.clone();
    let gateway = Gateway::start(move |mut call: Call| {
        let (ready, asked) = (said.clone(), asked.clone());
        async move {
            while let Some(head) = call.head().await {
                let is_ready = ready.load(std::sync::atomic::Ordering::SeqCst);
                if head.starts_with("GET /startupz ") {
                    let status = if is_ready { "200 OK" } else { "503 Starting" };
                    call.write(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;
                    _ = asked.send(());
                } else if head.starts_with("GET /ws ") {
                    call.accept(&head).await;
                    if !is_ready {
                        call.write(close(false, 1012, "service restart")).await;
                        return;
                    }
                    call.rest().await;
                } else {
                    call.ok("").await;
                }
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let mut first = websocket(&house).await;
    read_to_end(&mut first).await;
    house.until_open(0, 0).await;
    let waiting = websocket(&house);
    let then = async {
        probes.recv().await.unwrap();
        text(over_h1(&house, get("/")).await).await;
        ready.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (_socket, ()) = tokio::time::timeout(LONG, async { tokio::join!(waiting, then) }).await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_died_with_the_gateway_is_sent_once_more() {
    let gateway = Gateway::start({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |mut call: Call| {
            let dies = first.swap(false, std::sync::atomic::Ordering::SeqCst);
            async move {
                if let Some(head) = call.head_or_health().await
                    && !dies
                {
                    call.accept(&head).await;
                    call.rest().await;
                }
            }
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    let _socket = tokio::time::timeout(LONG, websocket(&house)).await.unwrap();
    assert_eq!(gateway.heads().len(), 2);
}

/// `GATEHOUSE_FAULTS_SECONDS` says how long the gateway is away, `GATEHOUSE_FAULTS_REQUESTS` how many upgrades come.
#[tokio::test]
async fn every_upgrade_that_begins_while_the_gateway_restarts_is_opened() {
    let number = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let away = Duration::from_secs(number("GATEHOUSE_FAULTS_SECONDS", 1));
    let upgrades = u32::try_from(number("GATEHOUSE_FAULTS_REQUESTS", 100)).unwrap();
    let serve = |mut call: Call| async move {
        if let Some(head) = call.head_or_health().await {
            call.accept(&head).await;
            call.rest().await;
        }
    };
    let address = closed_port().await;
    let house = std::sync::Arc::new(House::open(address).await);
    house.change(|settings| {
        settings.limits.connection_rate = 100_000;
        settings.limits.connection_burst = 100_000;
    });
    let mut opening = tokio::task::JoinSet::new();
    let mut pace = tokio::time::interval(away / upgrades);
    for _ in 0..upgrades {
        pace.tick().await;
        let house = std::sync::Arc::clone(&house);
        opening.spawn(async move { websocket(&house).await });
    }
    let gateway = Gateway::at(address, serve).await;
    let mut open = Vec::new();
    while let Some(socket) = tokio::time::timeout(LONG, opening.join_next()).await.unwrap() {
        open.push(socket.unwrap());
    }
    assert_eq!(open.len(), upgrades as usize);
    assert_eq!(gateway.heads().len(), upgrades as usize, "each of them once");
}

#[tokio::test]
async fn a_stale_connection_is_replaced_without_anybody_noticing() {
    // Every connection answers one request and dies at the next one, unread or half-read.
    let gateway = Gateway::start(|mut call: Call| async move {
        let head = call.head().await.unwrap();
        let body = call.body(&head).await;
        call.ok(body).await;
        call.head().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    for number in 1..5 {
        let response = over_h1(&house, get("/")).await;
        assert_eq!(response.status(), 200, "request {number}");
        text(response).await;
    }
    assert_eq!(gateway.heads().len(), 7, "one, and then two for each that met a dying connection");
}

/// Node closes its idle connections first, then its port, and with that whatever it has not accepted yet.
#[tokio::test]
async fn a_gateway_that_breaks_an_idle_connection_and_then_a_new_one_is_waited_for() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let serve = move |mut call: Call| {
        let answers = match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => 1,
            1 => 0,
            _ => usize::MAX,
        };
        async move {
            for _ in 0..answers {
                let Some(_head) = call.head_or_health().await else { return };
                call.ok("").await;
            }
            call.head().await;
        }
    };
    let gateway = Gateway::start(serve).await;
    let house = House::open(gateway.address).await;
    text(over_h1(&house, get("/before")).await).await;
    let response = over_h1(&house, get("/meanwhile")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (200, None));
    let asked: Vec<_> = gateway.heads().iter().map(|head| head.contains("/meanwhile")).collect();
    assert_eq!(asked, [false, true, true, true]);
}

#[tokio::test]
async fn a_safe_request_that_the_gateway_always_breaks_is_sent_three_times_and_no_more() {
    let gateway = Gateway::start(|mut call: Call| async move {
        call.head_or_health().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    let response = over_h1(&house, get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (502, Some("gateway-broke")));
    assert_eq!(gateway.heads().len(), 3);
}

#[tokio::test]
async fn what_may_have_been_acted_on_is_never_sent_twice() {
    let gateway = Gateway::start(|mut call: Call| async move {
        let head = call.head().await.unwrap();
        let body = call.body(&head).await;
        call.ok(body).await;
        if let Some(head) = call.head().await {
            call.body(&head).await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    text(over_h1(&house, get("/")).await).await;
    let response = over_h1(&house, Request::post("/pay").body(empty()).unwrap()).await;
    assert_eq!((response.status().as_u16(), code(&response)), (502, Some("gateway-broke")));
    text(over_h1(&house, get("/")).await).await;
    let response = over_h1(&house, Request::put("/pay").body(full("1 coin")).unwrap()).await;
    assert_eq!((response.status().as_u16(), code(&response)), (502, Some("gateway-broke")));
    let paid = gateway.heads().iter().filter(|head| head.contains(" /pay ")).count();
    assert_eq!(paid, 2);
}

#[tokio::test]
async fn a_changed_gateway_address_is_used_by_the_next_request() {
    let first = Gateway::echo().await;
    let second = Gateway::echo().await;
    let house = House::open(first.address).await;
    text(over_h1(&house, get("/")).await).await;
    house.change(|settings| settings.upstream = second.address);
    text(over_h1(&house, get("/")).await).await;
    assert_eq!((first.heads().len(), second.heads().len()), (1, 1));
    first.stop().await;
    text(over_h1(&house, get("/")).await).await;
}
