//! Requests and answers over both protocols, and names.

use crate::kit::client::*;
use crate::kit::gateway::{Gateway, header};
use crate::kit::{House, NAME, OWN, until};
use gatehouse_edge::{Answerer, EdgeError, Protocol};
use http::Request;

#[tokio::test]
async fn a_request_and_its_answer_pass_over_http1_and_http2() {
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    let request =
        || Request::post("/a/b?c=d").header("authorization", "Bearer T").body(full("hello")).unwrap();
    for protocol in [Protocol::Http11, Protocol::Http2] {
        let response = match protocol {
            Protocol::Http2 => over_h2(&house, request()).await,
            _ => over_h1(&house, request()).await,
        };
        assert_eq!(response.status(), 200);
        assert_eq!(code(&response), None);
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(text(response).await, "hello");
        let record = house.record().await;
        assert_eq!(record.id.as_str(), id);
        assert_eq!((record.bytes_in, record.bytes_out), (5, 5));
        assert_eq!((&*record.path, record.status.as_u16()), ("/a/b", 200));
        assert_eq!((record.protocol, record.answered_by), (protocol, Answerer::Gateway));
        assert_eq!(record.client.to_string(), OWN);
        assert_eq!(record.tls.unwrap().version, "1.3");
        let head = gateway.heads().pop().unwrap();
        assert!(head.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{head}");
        assert_eq!(header(&head, "host").as_deref(), Some(NAME));
        assert_eq!(header(&head, "x-request-id"), Some(id));
        assert_eq!(header(&head, "authorization").as_deref(), Some("Bearer T"));
    }
    assert_eq!(gateway.connections(), 1, "the second request reuses the first connection");
}

#[tokio::test]
async fn requests_without_a_body_and_answers_without_one() {
    let gateway = Gateway::start(|mut call| async move {
        while let Some(head) = call.head().await {
            let status = if head.starts_with("GET /304") { "304 Not Modified" } else { "204 No Content" };
            if head.starts_with("HEAD") {
                call.write("HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n").await;
            } else {
                call.write(format!("HTTP/1.1 {status}\r\netag: x\r\n\r\n")).await;
            }
        }
    })
    .await;
    let mut house = House::open(gateway.address).await;
    for h2 in [false, true] {
        for (method, path, status) in [("GET", "/304", 304), ("DELETE", "/204", 204), ("HEAD", "/", 200)] {
            let request = Request::builder().method(method).uri(path).body(empty()).unwrap();
            let response = if h2 { over_h2(&house, request).await } else { over_h1(&house, request).await };
            assert_eq!(response.status(), status, "{method} {path}");
            if method == "HEAD" {
                assert_eq!(response.headers()["content-length"], "1234");
            }
            assert_eq!(text(response).await, "");
            assert_eq!(house.record().await.status, status);
        }
    }
    for head in gateway.heads() {
        assert_eq!(header(&head, "transfer-encoding"), None, "{head}");
    }
}

#[tokio::test]
async fn many_requests_share_few_gateway_connections() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let mut client = h1(&house, NAME).await;
    for _ in 0..200 {
        let request = Request::get("/").header("host", NAME).body(empty()).unwrap();
        client.ready().await.unwrap();
        text(client.send_request(request).await.unwrap()).await;
    }
    assert!(gateway.connections() <= 2, "{} connections", gateway.connections());
}

#[tokio::test]
async fn an_unknown_host_is_misdirected_and_never_reaches_the_gateway() {
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    let request = Request::get("/").header("host", "evil.example").body(empty()).unwrap();
    let response = over_h1(&house, request).await;
    assert_eq!(response.status(), 421);
    assert_eq!(code(&response), Some("unknown-host"));
    assert_eq!(house.record().await.error, Some(EdgeError::UnknownHost));
    let request = Request::get("https://evil.example/").body(empty()).unwrap();
    let response = over_h2(&house, request).await;
    assert_eq!((response.status().as_u16(), code(&response)), (421, Some("unknown-host")));
    let elsewhere = handshake("/", "").replace("mini.local", "evil.example").replace("keep-alive", "close");
    let answer = raw(&house, &elsewhere).await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn a_doubtful_request_is_refused_and_its_connection_closed() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let twice = format!(
        "GET / HTTP/1.1\r\nHost: {NAME}\r\nHost: {NAME}\r\n\r\nGET /2 HTTP/1.1\r\nHost: {NAME}\r\n\r\n"
    );
    let answer = raw(&house, &twice).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.contains("x-gatehouse-error: duplicate-host"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn a_client_without_sni_is_served_and_an_unknown_name_is_not() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let by_address = tls(&house, "127.0.0.1", "http/1.1").await.unwrap();
    assert_eq!(by_address.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let error = tls(&house, "other.example", "http/1.1").await.unwrap_err();
    assert!(error.to_string().contains("UnrecognisedName"), "{error}");
    assert!(tls(&house, NAME, "spdy/3").await.is_err(), "no protocol in common");
}

#[tokio::test]
async fn the_handshake_is_hybrid_post_quantum_where_the_client_can() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let stream = tls(&house, NAME, "h2").await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn the_edge_chooses_the_cipher_suite_and_spares_a_client_without_aes_instructions() {
    use rustls::CipherSuite as S;
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let (aes128, aes256) = (S::TLS13_AES_128_GCM_SHA256, S::TLS13_AES_256_GCM_SHA384);
    let chacha = S::TLS13_CHACHA20_POLY1305_SHA256;
    let old = S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    let old_chacha = S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    for (offered, chosen) in [
        (&[aes256, aes128, chacha][..], aes128),
        (&[aes256, chacha], aes256),
        (&[chacha, aes256, aes128], chacha),
        (&[old, S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (&[old_chacha, old], old_chacha),
    ] {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        let all = std::mem::take(&mut provider.cipher_suites);
        let known = |suite: &S| all.iter().find(|known| known.suite() == *suite).copied();
        provider.cipher_suites = offered.iter().filter_map(known).collect();
        let stream = tls_by(&house, NAME, "h2", provider).await.unwrap();
        let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        assert_eq!(suite, chosen, "of {offered:?}");
    }
}

#[tokio::test]
async fn a_paused_address_answers_503_and_says_when_it_is_back() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    let until_then = std::time::SystemTime::now() + std::time::Duration::from_secs(600);
    house.change(|settings| settings.paused = Some(gatehouse_edge::Pause { until: Some(until_then) }));
    let response = over_h1(&house, get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (503, Some("paused")));
    let seconds: u32 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((598..=601).contains(&seconds), "{seconds}");
    house.change(|settings| settings.paused = None);
    assert_eq!(over_h1(&house, get("/")).await.status(), 200);
    assert_eq!(gateway.heads().len(), 1);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_and_while_it_arrives() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.limits.body_bytes = 1000);
    let response = over_h1(&house, Request::post("/").body(full(vec![0; 1001])).unwrap()).await;
    assert_eq!((response.status().as_u16(), code(&response)), (413, Some("body-too-large")));
    assert!(gateway.heads().is_empty(), "the gateway is not bothered");
    let chunked = format!(
        "POST / HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{}\r\n1\r\nx\r\n0\r\n\r\n",
        "x".repeat(1000)
    );
    let answer = raw(&house, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let small = over_h2(&house, Request::post("/").body(full(vec![b'x'; 1000])).unwrap()).await;
    assert_eq!(text(small).await.len(), 1000);
}

#[tokio::test]
async fn a_client_that_vanishes_before_its_answer_leaves_a_record_and_nothing_else() {
    let gateway = Gateway::start(|mut call| async move {
        call.head().await;
        call.rest().await;
    })
    .await;
    let mut house = House::open(gateway.address).await;
    let mut client = h1(&house, NAME).await;
    let request = Request::get("/slow").header("host", NAME).body(empty()).unwrap();
    let waiting = tokio::spawn(client.send_request(request));
    until(|| gateway.heads().len() == 1).await;
    waiting.abort();
    drop(client);
    let record = house.record().await;
    assert_eq!((record.status.as_u16(), record.answered_by), (499, Answerer::Edge));
    house.until_open(0, 0).await;
}

#[tokio::test]
async fn bytes_that_are_no_http_are_answered_in_our_words() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    for (bytes, status, error) in [
        ("GET / HTTP/1.1\r\nbad header: x\r\n\r\n".to_owned(), "400", "bad-header"),
        (format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(150)), "431", "headers-too-large"),
    ] {
        let answer = raw(&house, &bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert_eq!(header(&answer, "x-gatehouse-error").as_deref(), Some(error));
        assert!(header(&answer, "x-request-id").is_some());
    }
}
