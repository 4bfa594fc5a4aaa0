//! Certificates that come to their end.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Authority, Gatehouse, House, Moods, eventually};
use serde_json::Value;

pub(crate) const NAME: &str = "home.gatehouse-story.org";
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn ready() -> bool {
    need::parts(&[Part::Machines, Part::OpenClaw, Part::Program, Part::Pebble])
}

pub(crate) async fn open(house: &House, authority: &Authority) -> Gatehouse {
    let mut gatehouse = authority.gatehouse(house);
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &[]).await.succeeds();
    gatehouse.run(&["open", "--to", "internet", "--host", NAME, "--yes"]).await.succeeds();
    gatehouse
}

pub(crate) fn public(status: &Value) -> Value {
    let all = status["certificates"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|one| one["kind"] == "acme").unwrap_or_default()
}

#[tokio::test]
async fn a_certificate_that_nobody_renews_is_told_by_the_share_of_its_life_that_is_left_and_served_to_the_end()
 {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let mut authority = Authority::with(&house, Moods { life: 60, ..Moods::default() }).await;
    let gatehouse = open(&house, &authority).await;
    let client = house.there.https(&authority.root().await);
    let stream = client.tls(house.here.v4.into(), NAME, &["http/1.1"]).await.expect("it is served");
    let mut line = gatehouse_tests::Line::over(stream);
    assert_eq!(line.get(NAME, "/healthz", &[]).await.status, 200);
    authority.dies().await;

    let mut seen: Vec<(Value, Value)> = Vec::new();
    eventually("it is over", 2 * PATIENCE, async || {
        let one = public(&gatehouse.status().await);
        let now = (one["state"].clone(), one["problem"]["title_key"].clone());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        (one["state"] == "expired").then_some(())
    })
    .await;
    let keys: Vec<&str> = seen.iter().filter_map(|(_, key)| key.as_str()).collect();
    assert_eq!(
        keys,
        ["core.acme.not-renewed", "core.acme.near", "core.acme.close", "core.acme.over"],
        "{seen:?}"
    );
    let states: Vec<&str> = seen.iter().filter_map(|(state, _)| state.as_str()).collect();
    assert!(
        states.is_sorted_by_key(|state| ["valid", "expiring", "expired"].iter().position(|one| one == state))
    );
    assert_eq!(line.get(NAME, "/healthz", &[]).await.status, 200, "what is open stays open");

    authority.comes_back().await;
    gatehouse.run(&["cert", "acme", "renew"]).await.succeeds();
    let one = public(&gatehouse.status().await);
    assert_eq!((&one["state"], &one["problem"]), (&"valid".into(), &Value::Null));
}
