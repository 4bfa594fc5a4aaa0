//! The program behind a real home router: the address is reachable from the internet while it is open, and not longer.

use std::net::Ipv4Addr;
use std::time::Duration;

use gatehouse_tests::need::{Part, parts};
use gatehouse_tests::{Gatehouse, House, Https, Line, Manner, Router, eventually};

const OUTSIDE: Ipv4Addr = Ipv4Addr::new(44, 55, 66, 77);
/// Of a kind that the local authority may vouch for.
const NAME: &str = "gate.internal";
const OPEN: [&str; 7] = ["open", "--to", "internet", "--host", NAME, "--map-port", "--json"];
/// A forgotten port is noticed with the next renewal, a minute later at most.
const RENEWAL: Duration = Duration::from_secs(90);

async fn house(outside: Ipv4Addr, manner: Manner) -> Option<(House, Router, Gatehouse)> {
    if !parts(&[Part::Machines, Part::Router, Part::OpenClaw, Part::Program]) {
        return None;
    }
    let house = House::with_gateway().await;
    let router = house.router(outside, manner).await;
    let gatehouse = house.serve().await;
    Some((house, router, gatehouse))
}

async fn opened(gatehouse: &Gatehouse) {
    let mut arguments = OPEN.to_vec();
    arguments.push("--yes");
    let ran = gatehouse.run(&arguments).await;
    assert_eq!(ran.json()["state"], "committed", "{ran:?}");
}

/// The status of a request from the internet to the router's address; `None` = nobody lets it in.
async fn asks(client: &Https) -> Option<u16> {
    let stream = client.tls(OUTSIDE.into(), NAME, &["http/1.1"]).await.ok()?;
    Some(Line::over(stream).get(NAME, "/healthz", &[]).await.status)
}

async fn is_reachable(client: &Https, what: &str) {
    eventually(what, RENEWAL, async || (asks(client).await == Some(200)).then_some(())).await;
}

#[tokio::test]
async fn an_address_is_reachable_through_the_router_while_it_is_open_and_survives_its_reboot() {
    let Some((_house, mut router, mut gatehouse)) = house(OUTSIDE, Manner::Obliging).await else { return };
    let refused = gatehouse.run(&OPEN).await.ends_with(4);
    assert!(refused.text().contains("open port 443 to the internet"), "{refused:?}");
    assert!(router.open_ports().is_empty(), "nothing happens without a yes");

    opened(&gatehouse).await;
    let client = router.internet.https(&gatehouse.ca().await);
    assert_eq!(asks(&client).await, Some(200));
    assert_eq!(router.open_ports(), [443]);
    let status = gatehouse.status().await;
    assert_eq!(status["mapping"]["state"], "open", "{status}");
    assert_eq!(status["mapping"]["external"], "44.55.66.77:443");
    assert_eq!(status["mapping"]["protocol"], "PCP");
    let network = gatehouse.run(&["network", "--renew", "--json"]).await.json();
    assert_eq!(network["public"][0]["address"], "44.55.66.77", "{network}");
    assert_eq!(network["router"], "192.168.77.20", "{network}");

    router.reboot().await;
    assert_eq!(asks(&client).await, None, "it has forgotten the port");
    is_reachable(&client, "the router is told again by itself").await;

    // Closing gives it back; so does the end of the program, and the next start asks for it again.
    gatehouse.run(&["close"]).await.succeeds();
    assert!(router.open_ports().is_empty());
    assert!(gatehouse.status().await["mapping"].is_null());
    gatehouse.run(&["undo"]).await.succeeds();
    is_reachable(&client, "undo opens it again").await;
    assert!(gatehouse.interrupt().await.success());
    assert!(router.open_ports().is_empty(), "the end gives it back");
    gatehouse.serve(&[]).await;
    is_reachable(&client, "the next start asks for it").await;

    // A power cut gives nothing back: the next start takes it up.
    gatehouse.dies().await;
    assert_eq!(router.open_ports(), [443]);
    gatehouse.serve(&[]).await;
    is_reachable(&client, "the next start takes it up").await;
    gatehouse.status_when("it is told as open", |status| status["mapping"]["state"] == "open").await;

    // Open to fewer people: nobody needs the router.
    gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
    assert!(router.open_ports().is_empty());
}

#[tokio::test]
async fn another_port_of_the_router_leads_to_ours_and_is_in_the_address() {
    let Some((house, router, gatehouse)) = house(OUTSIDE, Manner::UpnpAlone).await else { return };
    let arguments = ["open", "--to", "internet", "--host", NAME, "--port", "8443", "--map-port=443", "--yes"];
    gatehouse.run(&arguments).await.succeeds();
    let client = router.internet.https(&gatehouse.ca().await);
    assert_eq!(asks(&client).await, Some(200));
    let status = gatehouse.status().await;
    assert_eq!(status["addresses"][0]["url"], format!("https://{NAME}"), "{status}");
    assert_eq!(status["mapping"]["protocol"], "UPnP");
    assert_eq!(status["mapping"]["to"], 8443);
    let origins = house.gateway.config_value().to_string();
    assert!(origins.contains(&format!("\"https://{NAME}\"")), "{origins}");
    gatehouse.run(&["undo"]).await.succeeds();
    assert!(router.open_ports().is_empty());
}

#[tokio::test]
async fn a_router_that_refuses_rolls_the_opening_back_with_its_reason() {
    let Some((house, router, gatehouse)) = house(OUTSIDE, Manner::Refusing).await else { return };
    let before = house.gateway.config_bytes();
    let mut arguments = OPEN.to_vec();
    arguments.push("--yes");
    let ran = gatehouse.run(&arguments).await;
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.text().contains("The router refuses by UPnP"), "{ran:?}");
    assert_eq!(gatehouse.status().await["actual"]["state"], "off");
    assert_eq!(house.gateway.config_bytes(), before, "the gateway's file is as it was");
    assert!(router.open_ports().is_empty());
    // Without the router it opens.
    gatehouse.run(&["open", "--to", "internet", "--host", NAME, "--yes"]).await.succeeds();
}

#[tokio::test]
async fn behind_carrier_grade_nat_the_reason_and_what_helps_are_told() {
    let shared = Ipv4Addr::new(100, 64, 0, 9);
    let Some((_house, router, gatehouse)) = house(shared, Manner::Obliging).await else { return };
    let mut arguments = OPEN.to_vec();
    arguments.push("--yes");
    let ran = gatehouse.run(&arguments).await.ends_with(8);
    assert!(ran.text().contains("Ask the provider for a public IPv4 address"), "{ran:?}");
    assert!(router.open_ports().is_empty());
    let asked = gatehouse.run(&["network", "--ask", "--json"]).await.json();
    let of_router =
        asked["public"].as_array().and_then(|all| all.iter().find(|one| one["source"] == "router"));
    assert!(of_router.is_some_and(|one| one["problem"].is_string()), "{asked}");
}

#[tokio::test]
async fn a_router_that_falls_silent_is_a_problem_with_its_remedy_until_it_answers_again() {
    let Some((_house, mut router, gatehouse)) = house(OUTSIDE, Manner::Obliging).await else { return };
    opened(&gatehouse).await;
    router.stop().await;
    let ran = gatehouse.run(&["network", "--renew"]).await;
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.text().contains("answers neither PCP, NAT-PMP nor UPnP"), "{ran:?}");
    let status = gatehouse.status().await;
    assert_eq!(status["mapping"]["state"], "failed", "{status}");
    assert_eq!(status["actual"]["state"], "degraded", "{status}");
    assert!(status["mapping"]["retry_at"].is_string());
    router.reboot().await;
    gatehouse.run(&["network", "--renew"]).await;
    gatehouse.status_when("it is open again", |status| status["mapping"]["state"] == "open").await;
}
