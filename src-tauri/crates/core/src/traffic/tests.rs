use std::time::Duration;

use gatehouse_edge::{Closer, FrontProfile, Protocol, RequestId, WebSocketEnd};
use time::OffsetDateTime;

use super::*;

fn record() -> AccessRecord {
    AccessRecord {
        time: OffsetDateTime::UNIX_EPOCH,
        id: RequestId::new(),
        client: [192, 168, 1, 50].into(),
        peer: ([192, 168, 1, 50], 50_000).into(),
        method: http::Method::GET,
        host: "mini.local".into(),
        path: "/ws".into(),
        status: http::StatusCode::SWITCHING_PROTOCOLS,
        answered_by: EdgeAnswerer::Gateway,
        error: None,
        bytes_in: 10,
        bytes_out: 20,
        duration: Duration::from_millis(1500),
        protocol: Protocol::Http11,
        tls: Some(gatehouse_edge::TlsFacts { version: "1.3", cipher: "TLS13_AES_128_GCM_SHA256" }),
        client_certificate: None,
        websocket: Some(WebSocketEnd {
            close_code: Some(1008),
            close_reason: Some("pairing required (requestId: secret-like)".into()),
            closed_by: Closer::Gateway,
            duration: Duration::from_secs(2),
        }),
        origin: Some("https://mini.local".into()),
        user_agent: Some("Mozilla/5.0".into()),
    }
}

#[test]
fn a_record_is_metadata_only() {
    let shown = of(&record());

    let text = serde_json::to_string(&shown).unwrap();
    assert_eq!((shown.ms, shown.websocket.unwrap().close_code), (1500, Some(1008)));
    assert!(!text.contains("client_certificate"), "{text}");
    for hidden in ["pairing required", "Mozilla", "\"origin\""] {
        assert!(!text.contains(hidden), "{text}");
    }
}

#[test]
fn a_client_with_a_certificate_is_told_by_name() {
    let named = AccessRecord { client_certificate: Some("Ada's phone".into()), ..record() };
    assert_eq!(of(&named).client_certificate.as_deref(), Some("Ada's phone"));
}

#[tokio::test]
async fn nothing_is_told_while_nobody_listens_and_everything_is_kept() {
    let recent = Recent::default();
    let (records, receiver) = broadcast::channel(4);
    let (events, mut early) = broadcast::channel(4);
    let turned_away = TurnedAway::default();
    let folder = tempfile::tempdir().unwrap();
    let settings = Arc::new(SettingsStore::open(folder.path().join("settings.json")));
    let follower =
        tokio::spawn(follow(receiver, recent.clone(), turned_away.clone(), settings, events.clone()));
    records.send(Arc::new(record())).unwrap();
    assert!(matches!(early.recv().await, Ok(Event::Traffic(_))));
    drop(early);

    let relayed = AccessRecord { error: Some(EdgeError::TunnelUndeclared), ..record() };
    records.send(Arc::new(relayed)).unwrap();
    drop(records);
    follower.await.unwrap();

    let mut late = events.subscribe();
    assert!(late.try_recv().is_err());
    assert_eq!(recent.last(10).len(), 2);
    assert!(turned_away.problem(record().time, || FrontProfile::None).is_some());
}

#[test]
fn the_last_records_are_kept_and_no_more() {
    let recent = Recent::default();
    for number in 0..KEPT + 3 {
        recent.keep(TrafficRecord { path: number.to_string(), ..of(&record()) });
    }

    assert_eq!(recent.last(usize::MAX).len(), KEPT);
    let paths: Vec<String> = recent.last(2).into_iter().map(|record| record.path).collect();
    assert_eq!(paths, [(KEPT + 1).to_string(), (KEPT + 2).to_string()]);
    assert!(recent.last(0).is_empty());
}
