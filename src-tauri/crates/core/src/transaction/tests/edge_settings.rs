//! Settings of the edge as changes: in force at once, remembered, taken back.

use gatehouse_api::{ChangeKind, ChangeState, Code, ConfigEdit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::House;
use crate::testing::free_port;
use crate::transaction::Intent;

fn set(edits: &[(&str, &str)]) -> Intent {
    let edit =
        |(key, value): &(&str, &str)| ConfigEdit { key: (*key).to_owned(), value: Some((*value).to_owned()) };
    Intent::ConfigureEdge { edits: edits.iter().map(edit).collect(), replace: false }
}

/// What the metrics port says of a series; `None` where nothing listens there.
async fn metric(port: u16, series: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_in_force_at_once_survive_a_restart_and_are_undone_like_any_change() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let port = free_port();
    let limit = "gatehouse_connections_limit";
    let change = house
        .transactions()
        .run(set(&[("limits.connections", "77"), ("metrics-port", &port.to_string())]))
        .await
        .unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    assert_eq!(metric(port, limit).await.as_deref(), Some("77"));
    let entry = house.transactions().history(1).remove(0);
    assert_eq!(entry.kind, ChangeKind::Settings);
    assert!(
        entry.details.iter().any(|line| line.as_str() == "limits.connections: 4096 → 77"),
        "{:?}",
        entry.details
    );

    let same = house.transactions().run(set(&[("limits.connections", "77")])).await.unwrap();
    assert_eq!(same.id, None, "nothing to do");

    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    assert_eq!(metric(port, limit).await.as_deref(), Some("77"), "another address keeps them");
    house.transactions().undo(None, false).await.unwrap();

    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(metric(port, limit).await, None, "the port is closed again");
    assert!(house.context().settings.current().edge.is_empty());
    assert!(house.settings_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cannot_be_had_changes_nothing() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = |edits: Vec<(&'static str, String)>| {
        let edits: Vec<(&str, &str)> = edits.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let intent = set(&edits);
        let transactions = house.transactions().clone();
        async move { transactions.run(intent).await.unwrap_err() }
    };
    let error = run(vec![("limits.connections", "77".to_owned()), ("metrics-port", port)]).await;
    assert!(error.because.contains("127.0.0.1"), "{error:?}");
    assert!(house.context().settings.current().edge.is_empty());
    let error = run(vec![("limits.connections", "7".to_owned())]).await;
    assert_eq!(error.code, Code::Usage);
    assert!(house.context().settings.current().edge.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_proxy_is_declared_nobody_is_local_and_browsers_here_keep_their_origins() {
    let house = House::new();
    house.transactions().run(set(&[("front", "cloudflare")])).await.unwrap();
    house.transactions().undo(None, false).await.unwrap();
    house.transactions().run(house.open(&[])).await.unwrap();
    let here = |origins: Vec<String>| origins.iter().filter(|origin| origin.contains("localhost")).count();
    assert_eq!(here(house.origins()), 0);

    house.transactions().run(set(&[("front", "cloudflare")])).await.unwrap();
    assert_eq!(here(house.origins()), 1, "{:?}", house.origins());
    house.transactions().undo(None, false).await.unwrap();
    assert_eq!(here(house.origins()), 0, "one change, one undo");
    assert!(!house.context().settings.current().is_fronted());

    house.transactions().run(set(&[("front", "cloudflare")])).await.unwrap();
    house.transactions().run(house.open(&["two.local"])).await.unwrap();
    assert_eq!(here(house.origins()), 1, "opening differently keeps it");
    house.transactions().run(set(&[("front", "none")])).await.unwrap();
    house.transactions().run(house.open(&[])).await.unwrap();
    assert_eq!(here(house.origins()), 0, "what is not needed goes with the next opening");
}
