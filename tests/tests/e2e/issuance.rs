//! Killed (SIGKILL) at every step of getting a certificate: the next start has everything, and nothing is left open.

use std::net::IpAddr;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Authority, Gatehouse, House};
use serde_json::Value;

const NAME: &str = "home.gatehouse-story.org";

/// What an order passes on its way.
const STEPS: &[&str] = &[
    "begun",
    "key-saved",
    "placed",
    "order-saved",
    "published",
    "asked",
    "proven",
    "finalized",
    "downloaded",
    "stored",
    "served",
];

/// All of them take ten minutes (`GATEHOUSE_EVERY_STEP=1`); the crate `certs` is killed at each of them in any case.
fn steps() -> Vec<&'static str> {
    match std::env::var_os("GATEHOUSE_EVERY_STEP") {
        Some(_) => STEPS.to_vec(),
        None => vec!["order-saved", "proven", "stored"],
    }
}

fn ready() -> bool {
    need::parts(&[Part::Machines, Part::OpenClaw, Part::Program, Part::Pebble])
}

/// One whose state is its own.
fn gatehouse(house: &House, authority: &Authority, name: &str) -> Gatehouse {
    let mut gatehouse = authority.gatehouse(house);
    gatehouse.home = house.folder(&format!("state-{name}"));
    gatehouse
}

async fn open(gatehouse: &Gatehouse) -> gatehouse_tests::Ran {
    gatehouse.run(&["open", "--to", "internet", "--host", NAME, "--yes"]).await
}

/// The public certificate, as the status shows it.
async fn shown(gatehouse: &Gatehouse) -> Value {
    crate::expiry::public(&gatehouse.status().await)
}

/// The fingerprint of what a client elsewhere gets, which it must trust.
async fn served(house: &House, root: &str) -> String {
    let here = IpAddr::from(house.here.v4);
    house.there.https(root).fingerprint_of(here, NAME).await
}

#[tokio::test]
async fn killed_at_any_step_of_a_first_certificate_nothing_is_open_and_one_order_more_is_enough() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::start(&house).await;
    let root = authority.root().await;
    let before = house.gateway.config_value();
    for (number, step) in steps().into_iter().enumerate() {
        let orders = authority.orders();
        let mut gatehouse = gatehouse(&house, &authority, step).dying_at(&format!("acme:{step}"));
        gatehouse.serve(&[]).await;
        authority.set_up(&gatehouse, &[]).await.succeeds();
        assert_ne!(open(&gatehouse).await.code, 0, "{step}: it did not die");
        gatehouse.ends().await;

        gatehouse.is_sound_again();
        gatehouse.serve(&[]).await;
        let recovered = |status: &Value| status["actual"]["state"] != "preparing";
        let status = gatehouse.status_when("recovery has ended", recovered).await;
        assert_eq!((&status["desired"]["state"], &status["actual"]["state"]), (&"off".into(), &"off".into()));
        assert_eq!(house.gateway.config_value(), before, "{step}: the gateway's configuration");
        for port in [443, 80] {
            let left = house.there.connect((house.here.v4, port).into()).await;
            assert!(left.is_err(), "{step}: port {port} is still open");
        }

        let opened = open(&gatehouse).await;
        assert!([0, 3].contains(&opened.code), "{step}: {opened:?}");
        let one = shown(&gatehouse).await;
        assert_eq!((&one["state"], &one["problem"]), (&"valid".into(), &Value::Null), "{step}");
        assert_eq!(one["sha256"], served(&house, &root).await, "{step}");
        let placed = authority.orders() - orders;
        assert!((1..=2).contains(&placed), "{step}: {placed} orders");
        assert_eq!(authority.accounts(), number + 1, "{step}: accounts");
        gatehouse.run(&["undo", "--yes"]).await.succeeds();
        gatehouse.interrupt().await;
    }
}

#[tokio::test]
async fn killed_at_any_step_of_a_renewal_the_old_certificate_is_served_until_the_new_one_is_whole() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::start(&house).await;
    let root = authority.root().await;
    let mut gatehouse = gatehouse(&house, &authority, "renewal");
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &[]).await.succeeds();
    open(&gatehouse).await.succeeds();
    for step in steps() {
        let (old, orders) = (served(&house, &root).await, authority.orders());
        gatehouse.interrupt().await;
        // As if a week had passed: that limits are kept is another story.
        let _ = std::fs::remove_file(gatehouse.home.join("certs/acme/budget.json"));
        let mut dying = gatehouse.dying_at(&format!("acme:{step}"));
        dying.serve(&[]).await;
        assert_ne!(dying.run(&["cert", "acme", "renew", "--force"]).await.code, 0, "{step}: it did not die");
        dying.ends().await;

        gatehouse = dying;
        gatehouse.is_sound_again();
        gatehouse.serve(&[]).await;
        gatehouse.status_when("it is open again", |status| status["actual"]["state"] == "on").await;
        let whole = ["stored", "served"].contains(&step);
        assert_eq!(served(&house, &root).await == old, !whole, "{step}: what is served");
        // What was on its way is taken up; what was done is done.
        let words: &[&str] = if whole { &[] } else { &["--force"] };
        gatehouse.run(&[&["cert", "acme", "renew"], words].concat()).await.succeeds();

        let new = served(&house, &root).await;
        assert_ne!(new, old, "{step}");
        let one = shown(&gatehouse).await;
        assert_eq!((&one["sha256"], &one["problem"]), (&new.into(), &Value::Null), "{step}");
        let (placed, most) = (authority.orders() - orders, if whole { 1 } else { 2 });
        assert!((1..=most).contains(&placed), "{step}: {placed} orders");
    }
    assert_eq!(authority.accounts(), 1);
}
