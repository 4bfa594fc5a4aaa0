//! Public names and addresses with certificates of a real authority that comes from another machine.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Authority, Gatehouse, House, Line, eventually};
use serde_json::Value;

const NAME: &str = "home.gatehouse-story.org";
/// Nobody's here: an address of the internet that only these two machines use.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(9, 9, 9, 20);

fn ready() -> bool {
    need::parts(&[Part::Machines, Part::OpenClaw, Part::Program, Part::Pebble])
}

async fn open(gatehouse: &Gatehouse, more: &[&str]) -> gatehouse_tests::Ran {
    let mut words = vec!["open", "--to", "internet", "--yes"];
    words.extend(more);
    gatehouse.run(&words).await
}

fn public_certificates(status: &Value) -> Vec<Value> {
    let all = status["certificates"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| one["kind"] == "acme").collect()
}

#[tokio::test]
async fn a_public_name_is_opened_with_a_certificate_of_its_authority_and_renewed_under_a_live_websocket() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::start(&house).await;
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;

    // Without an authority nothing is opened, and no certificate of the local one is made for a public name.
    let refused = open(&gatehouse, &["--host", NAME]).await.ends_with(1);
    assert!(refused.text().contains("gatehouse cert acme setup"), "{}", refused.text());
    assert_eq!(gatehouse.status().await["actual"]["state"], "off");

    authority.set_up(&gatehouse, &[]).await.succeeds();
    open(&gatehouse, &["--host", NAME]).await.succeeds();

    let status = gatehouse.status_when("it is proven", |status| status["actual"]["state"] == "on").await;
    assert_eq!(status["addresses"][0]["url"], format!("https://{NAME}"));
    assert_eq!(status["addresses"][0]["trusted_by"], "public");
    assert_eq!(public_certificates(&status)[0]["state"], "valid");
    let client = house.there.https(&authority.root().await);
    let here = IpAddr::from(house.here.v4);
    let stream = client.tls(here, NAME, &["http/1.1"]).await.expect("the authority's certificate is shown");
    assert_eq!(Line::over(stream).get(NAME, "/healthz", &[]).await.status, 200);

    let local = house.here.https(&gatehouse.ca().await);
    let mut socket = local.websocket(Ipv4Addr::LOCALHOST, &[]).await.expect("it is upgraded");
    let before = public_certificates(&gatehouse.status().await)[0]["sha256"].clone();
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.succeeds();
    let after = public_certificates(&gatehouse.status().await)[0]["sha256"].clone();
    assert_ne!(before, after);
    client.tls(here, NAME, &["http/1.1"]).await.expect("the new one is shown");
    assert!(socket.is_alive().await, "a renewal dropped the connection");

    // What was added to the gateway's configuration goes with the change, and so does the wish.
    gatehouse.run(&["undo", "--yes"]).await.succeeds();
    assert!(!house.gateway.config_value().to_string().contains(NAME));
    assert_eq!(public_certificates(&gatehouse.status().await), Vec::<Value>::new());
}

#[tokio::test]
async fn a_name_by_port_80_an_address_and_a_wildcard_by_dns_all_get_their_certificates() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::start(&house).await;
    house.here.gain_address(PUBLIC.into());
    house.there.gain_address(Ipv4Addr::new(9, 9, 9, 30).into());
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &["--way", "http-01"]).await.succeeds();

    open(&gatehouse, &["--host", NAME, "--ip", &PUBLIC.to_string()]).await.succeeds();
    let root = authority.root().await;
    let client = house.there.https(&root);
    // A client of an address sends no name; the certificate for that address is found by the address.
    assert_eq!(client.get(PUBLIC, "/healthz").await.status, 200);
    client.tls(house.here.v4.into(), NAME, &["http/1.1"]).await.expect("the name has its own");

    let hook = authority.hook();
    let words = ["*.gatehouse-story.org", "--way", "dns-01", "--dns", "hook", "--dns-hook", &hook];
    authority.set_up(&gatehouse, &[&words[..], &["--dns-settle", "5s"]].concat()).await.succeeds();
    client.tls(house.here.v4.into(), "any.gatehouse-story.org", &["http/1.1"]).await.expect("the wildcard");
    let log = gatehouse.run(&["cert", "acme", "log", "--json"]).await.succeeds().json();
    assert!(log["attempts"].as_array().unwrap().iter().all(|one| one["problem"].is_null()), "{log}");
}

#[tokio::test]
async fn an_order_that_a_power_cut_ends_leaves_nothing_open_and_is_taken_up_again() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::that_takes(&house, 4).await;
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &[]).await.succeeds();
    let before = std::fs::read(house.gateway.config_path()).unwrap();

    let cut = async {
        eventually("an order is placed", Duration::from_secs(60), async || {
            (authority.orders() > 0).then_some(())
        })
        .await;
        gatehouse.loses_power();
    };
    let (opened, ()) = tokio::join!(open(&gatehouse, &["--host", NAME]), cut);
    assert_ne!(opened.code, 0);
    gatehouse.ends().await;
    assert_eq!(std::fs::read(house.gateway.config_path()).unwrap(), before);

    gatehouse.serve(&[]).await;
    assert_eq!(gatehouse.status().await["actual"]["state"], "off");
    open(&gatehouse, &["--host", NAME]).await.succeeds();
    assert!(authority.orders() <= 2, "{} orders", authority.orders());
}

#[tokio::test]
async fn while_the_authority_is_away_the_old_certificate_stays_and_the_status_says_so() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let mut authority = Authority::start(&house).await;
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;
    authority.set_up(&gatehouse, &[]).await.succeeds();
    open(&gatehouse, &["--host", NAME]).await.succeeds();
    let root = authority.root().await;
    let before = public_certificates(&gatehouse.status().await)[0]["sha256"].clone();

    authority.dies().await;
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.ends_with(1);

    let status = gatehouse.status().await;
    let one = &public_certificates(&status)[0];
    assert_eq!((&one["sha256"], &one["state"]), (&before, &"valid".into()));
    assert!(one["problem"]["because"].as_str().unwrap().contains("cannot be reached"), "{one}");
    assert!(status["problems"].as_array().unwrap().contains(&one["problem"]), "{status}");
    house.there.https(&root).tls(house.here.v4.into(), NAME, &["http/1.1"]).await.expect("it is served");

    authority.comes_back().await;
    // It does not know the account any more: a new one is made.
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.succeeds();
    assert!(public_certificates(&gatehouse.status().await)[0]["problem"].is_null());
}
