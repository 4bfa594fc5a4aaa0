use std::time::Duration;

use super::*;
use crate::access_log::{Answerer, Closer, Protocol, WebSocketEnd};
use crate::request_id::RequestId;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
}

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/18.0 Mobile/15E148 Safari/604.1";

fn visit<'a>(seconds: i64, client: &str, origin: Option<&'a str>) -> Visit<'a> {
    Visit {
        time: at(seconds),
        client: client.parse().unwrap(),
        host: "mini.local:8443",
        tls: Some("1.3"),
        user_agent: Some(IPHONE),
        origin,
    }
}

fn ended(seconds: i64, client: &str, origin: &str, reason: &str) -> AccessRecord {
    AccessRecord {
        time: at(seconds),
        id: RequestId::new(),
        client: client.parse().unwrap(),
        peer: "192.168.1.50:5000".parse().unwrap(),
        method: http::Method::GET,
        host: "mini.local:8443".into(),
        path: "/".into(),
        status: http::StatusCode::SWITCHING_PROTOCOLS,
        answered_by: Answerer::Gateway,
        error: None,
        bytes_in: 0,
        bytes_out: 0,
        duration: Duration::ZERO,
        protocol: Protocol::Http11,
        tls: None,
        client_certificate: None,
        websocket: Some(WebSocketEnd {
            close_code: Some(1008),
            close_reason: Some(reason.into()),
            closed_by: Closer::Gateway,
            duration: Duration::from_millis(50),
        }),
        origin: Some(origin.into()),
        user_agent: Some(IPHONE.into()),
    }
}

#[test]
fn a_client_is_remembered_from_its_first_to_its_last_visit() {
    let sightings = Sightings::new();
    sightings.visited(&visit(10, "192.168.1.50", None));
    sightings.visited(&visit(20, "192.168.1.51", None));
    sightings.visited(&Visit {
        host: "192.168.1.10:8443",
        tls: Some("1.2"),
        ..visit(30, "192.168.1.50", None)
    });
    let clients = sightings.clients();
    assert_eq!(clients.len(), 2);
    assert_eq!(
        clients[0],
        ClientSighting {
            client: "192.168.1.50".parse().unwrap(),
            host: "192.168.1.10:8443".into(),
            tls: Some("1.2"),
            user_agent: Some("Safari on iPhone".into()),
            first_seen: at(10),
            last_seen: at(30),
        }
    );
}

#[test]
fn devices_behind_one_address_are_told_apart() {
    let sightings = Sightings::new();
    sightings.visited(&visit(10, "192.168.1.50", None));
    sightings.visited(&Visit { user_agent: Some("curl/8.0"), ..visit(20, "192.168.1.50", None) });
    sightings.visited(&Visit { user_agent: None, ..visit(30, "192.168.1.50", None) });
    let agents: Vec<_> = sightings.clients().into_iter().map(|seen| seen.user_agent).collect();
    assert_eq!(agents, [None, Some("curl".into()), Some("Safari on iPhone".into())]);
}

#[test]
fn an_origin_counts_its_handshakes_and_knows_the_last_verdict() {
    let sightings = Sightings::new();
    let origin = "https://claw.example";
    sightings.opened(&visit(10, "192.168.1.50", Some(origin)));
    let reason = "origin not allowed (open the Control UI from the gateway host or allow it in …)";
    sightings.closed(&ended(11, "192.168.1.50", origin, reason));
    let seen = &sightings.origins()[0];
    assert_eq!((seen.count, seen.refused, seen.last_seen), (1, true, at(11)));

    sightings.opened(&visit(20, "192.168.1.51", Some(origin)));
    sightings.closed(&ended(21, "192.168.1.51", origin, "service restart"));
    let seen = &sightings.origins()[0];
    assert_eq!((seen.count, seen.refused), (2, false));
    assert_eq!(seen.client, "192.168.1.51".parse::<IpAddr>().unwrap());
    assert_eq!(sightings.origins().len(), 1);
}

#[test]
fn visits_without_origin_and_absurd_origins_are_no_origins() {
    let sightings = Sightings::new();
    sightings.opened(&visit(10, "192.168.1.50", None));
    let long = format!("https://{}", "a".repeat(400));
    sightings.opened(&visit(10, "192.168.1.50", Some(&long)));
    assert_eq!(sightings.origins(), []);
    assert_eq!(sightings.clients().len(), 1);
}

#[test]
fn one_network_cannot_push_the_others_out() {
    let sightings = Sightings::new();
    sightings.opened(&visit(0, "192.168.1.50", Some("https://mini.local:8443")));
    for index in 0..5_000 {
        let client = format!("2001:db8::{index:x}");
        let origin = format!("https://{index}.example");
        sightings.opened(&visit(10 + index, &client, Some(&origin)));
    }
    let clients = sightings.clients();
    assert_eq!(clients.len(), 1 + CLIENTS_PER_NETWORK);
    assert_eq!(clients[0].last_seen, at(5_009));
    assert!(clients.iter().any(|seen| seen.client.is_ipv4()));
    assert_eq!(sightings.origins().len(), 1 + ORIGINS_PER_NETWORK);
}

#[test]
fn memory_is_bounded_and_the_oldest_leaves() {
    let sightings = Sightings::new();
    for index in 0..2_000_u32 {
        let client = std::net::Ipv4Addr::from_bits(0x0a00_0000 + index).to_string();
        let origin = format!("https://{index}.example");
        sightings.opened(&visit(i64::from(index), &client, Some(&origin)));
    }
    let clients = sightings.clients();
    assert_eq!((clients.len(), clients.last().unwrap().last_seen), (CLIENTS, at(2_000 - CLIENTS as i64)));
    assert_eq!(sightings.origins().len(), ORIGINS);
}

#[test]
fn agents_are_named_in_a_few_words() {
    let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
    let chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    for (agent, short) in [
        (IPHONE.to_owned(), Some("Safari on iPhone")),
        (
            format!("{mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15"),
            Some("Safari on Mac"),
        ),
        (format!("{mac} {chrome}"), Some("Chrome on Mac")),
        (format!("{mac} {chrome} Edg/140.0"), Some("Edge on Mac")),
        (format!("Mozilla/5.0 (X11; Linux x86_64) {chrome}"), Some("Chrome on Linux")),
        (format!("Mozilla/5.0 (Linux; Android 15; Pixel 9) {chrome}"), Some("Chrome on Android")),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            Some("Firefox on Windows"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 CriOS/140 Mobile Safari/604".to_owned(),
            Some("Chrome on iPhone"),
        ),
        ("OpenClaw/2026.9 CFNetwork/1494 Darwin/24.0".to_owned(), Some("OpenClaw on Apple device")),
        ("okhttp/4.12.0".to_owned(), Some("okhttp")),
        ("curl/8.0 \u{1b}[31m".to_owned(), Some("curl")),
        ("Mozilla/5.0".to_owned(), None),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit".to_owned(), Some("App on Android")),
        ("<script>alert(1)</script>".to_owned(), None),
        (String::new(), None),
        ("\u{202e}/".to_owned(), None),
    ] {
        assert_eq!(short_agent(&agent).as_deref(), short, "{agent}");
    }
    assert!(short_agent(&"a".repeat(9_999)).unwrap().len() <= 32);
}
