//! What goes on while things change: renewal, edits, restarts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Answer, ConnectAs, Device, DeviceKey, Gatehouse, House, Socket, TOKEN, eventually};
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_secs(90);
/// What takes longer than this was held by the edge.
const WAITED: Duration = Duration::from_millis(1_500);

async fn open_house() -> Option<(House, Gatehouse)> {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return None;
    }
    let house = House::with_gateway().await;
    let gatehouse = house.open_to_lan().await;
    Some((house, gatehouse))
}

/// A device on the other machine that is paired and connected through the edge.
async fn connected_phone(house: &House, gatehouse: &Gatehouse) -> Device {
    let client = house.there.https(&gatehouse.ca().await);
    let key = DeviceKey::number(1);
    let knock = async || -> Socket { client.websocket(house.here.v4, &[]).await.expect("it is upgraded") };
    let phone = ConnectAs::phone(TOKEN);
    assert_eq!(Device::connect(knock().await, &phone, Some(&key)).await.refused_with(), "PAIRING_REQUIRED");
    gatehouse.run(&["devices", "approve", &key.id(), "--yes"]).await.succeeds();
    Device::connect(knock().await, &phone, Some(&key)).await.let_in()
}

#[tokio::test]
async fn a_new_certificate_an_origin_and_a_reload_drop_no_websocket() {
    let Some((house, gatehouse)) = open_house().await else { return };
    let mut phone = connected_phone(&house, &gatehouse).await;
    let client = house.there.https(&gatehouse.ca().await);
    let before = client.fingerprint(house.here.v4).await;

    gatehouse.run(&["origins", "add", "https://panel.example"]).await.succeeds();
    assert!(phone.socket().is_alive().await, "an origin edit dropped the connection");

    let new_address = Ipv4Addr::new(192, 168, 77, 11);
    house.here.gain_address(new_address.into());
    eventually("the certificate names the new address", PATIENCE, async || {
        (client.fingerprint(house.here.v4).await != before).then_some(())
    })
    .await;
    assert_eq!(client.get(IpAddr::from(new_address), "/healthz").await.status, 200);
    assert!(phone.socket().is_alive().await, "a new certificate dropped the connection");

    gatehouse.run(&["origins", "remove", "https://panel.example"]).await.succeeds();
    assert!(phone.socket().is_alive().await, "an origin edit dropped the connection");
    let health = phone.call("health", serde_json::json!({})).await.expect("the gateway still answers it");
    assert_eq!(health["ok"], true);
}

/// `scripts/swaps` is the long form: 200 swaps under 1000 sockets.
#[tokio::test]
async fn certificate_after_certificate_drops_no_socket_and_no_request_and_is_shown_at_once() {
    const SOCKETS: usize = 30;
    const SWAPS: usize = 15;
    let Some((house, gatehouse)) = open_house().await else { return };
    let client = house.there.https(&gatehouse.ca().await);
    let mut phones = vec![connected_phone(&house, &gatehouse).await];
    while phones.len() < SOCKETS {
        let socket = client.websocket(house.here.v4, &[]).await.expect("it is upgraded");
        let key = DeviceKey::number(1);
        phones.push(Device::connect(socket, &ConnectAs::phone(TOKEN), Some(&key)).await.let_in());
    }
    let mut kept = client.h1(house.here.v4).await;
    let mut seen = client.fingerprint(house.here.v4).await;

    for swap in 1..=SWAPS {
        gatehouse.run(&["cert", "renew", "--yes"]).await.succeeds();
        let now = client.fingerprint(house.here.v4).await;
        assert_ne!(now, seen, "swap {swap}: a fresh handshake shows the old certificate");
        seen = now;
        assert_eq!(
            kept.get("192.168.77.10", "/healthz", &[]).await.status,
            200,
            "swap {swap}: a kept connection"
        );
        assert_eq!(
            client.get(house.here.v4, "/healthz").await.status,
            200,
            "swap {swap}: a fresh connection"
        );
    }

    for (number, phone) in phones.iter_mut().enumerate() {
        assert!(phone.socket().is_alive().await, "socket {number} was dropped");
    }
}

#[tokio::test]
async fn an_address_that_comes_and_goes_is_followed_within_seconds_and_drops_nobody_on_the_other_one() {
    let Some((house, gatehouse)) = open_house().await else { return };
    let mut phone = connected_phone(&house, &gatehouse).await;
    let extra = Ipv4Addr::new(192, 168, 77, 12);
    let url = format!("https://{extra}");
    let advertised = |status: &serde_json::Value| {
        let addresses = status["addresses"].as_array().cloned().unwrap_or_default();
        addresses.iter().any(|address| address["url"] == *url)
    };
    let gets_in =
        async || gatehouse.run(&["origins", "test", &url, "--json"]).await.json()["verdict"].clone();

    let begun = Instant::now();
    house.here.gain_address(extra.into());
    gatehouse.status_when("the new address is advertised", advertised).await;
    let noticed = begun.elapsed();
    assert!(noticed < Duration::from_secs(20), "it took {noticed:?}");
    let client = house.there.https(&gatehouse.ca().await);
    eventually("the new address answers with a certificate of its own", PATIENCE, async || {
        client.tls(extra.into(), &extra.to_string(), &["http/1.1"]).await.ok().map(drop)
    })
    .await;
    // The gateway has a rule of its own for private addresses.
    assert_eq!(gets_in().await, "private-same-origin");
    assert!(phone.socket().is_alive().await, "an address more dropped the connection");

    house.here.lose_address(extra.into());
    gatehouse.status_when("the address is advertised no longer", |status| !advertised(status)).await;
    assert!(phone.socket().is_alive().await, "an address less dropped the connection on another one");
    let health = phone.call("health", serde_json::json!({})).await.expect("the gateway still answers it");
    assert_eq!(health["ok"], true);
}

#[tokio::test]
async fn while_the_gateway_restarts_requests_and_upgrades_wait_for_it() {
    let Some((house, gatehouse)) = open_house().await else { return };
    let client = house.there.https(&gatehouse.ca().await);
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 200);

    house.gateway.restarts();
    // One before it goes is taken at once; while it says goodbye the gateway itself refuses them; then they wait.
    let (waited, upgraded) = eventually("an upgrade waits until it is back", PATIENCE, async || {
        let begun = Instant::now();
        let upgrades =
            async { client.websocket(house.here.v4, &[]).await.ok().filter(|_| begun.elapsed() > WAITED) };
        let (waited, upgraded) = tokio::join!(client.get(house.here.v4, "/healthz"), upgrades);
        upgraded.map(|upgraded| (waited, upgraded))
    })
    .await;

    assert_eq!((waited.status, waited.edge_error()), (200, ""), "{waited:?}");
    let mut upgraded = upgraded;
    assert!(upgraded.is_alive().await, "what waited is a connection");
    house.gateway.is_ready().await;
}

/// What is asked again and again, on new connections and on a kept one, while the gateway restarts in earnest.
#[tokio::test]
async fn of_the_questions_that_come_while_the_gateway_restarts_the_edge_fails_none() {
    const ASKING: usize = 3;
    const RESTARTS: usize = 2;
    let Some((house, gatehouse)) = open_house().await else { return };
    let client = house.there.https(&gatehouse.ca().await);
    let over = Cell::new(false);
    let answers = RefCell::new(BTreeMap::<(u16, String), usize>::new());
    let note = |answer: &Answer| {
        let said = (answer.status, answer.edge_error().to_owned());
        *answers.borrow_mut().entry(said).or_default() += 1;
    };
    let asks_on_new_ones = async || {
        while !over.get() {
            note(&client.get(house.here.v4, "/healthz").await);
            // No more than a client may open.
            sleep(Duration::from_millis(400)).await;
        }
    };
    let asks_on_one = async || {
        let mut kept = client.h2(house.here.v4).await;
        while !over.get() {
            note(&kept.get("192.168.77.10", "/healthz", &[]).await);
            sleep(Duration::from_millis(5)).await;
        }
    };

    let restarts = async {
        for _ in 0..RESTARTS {
            sleep(Duration::from_millis(300)).await;
            house.gateway.restarts();
            sleep(WAITED).await;
            house.gateway.is_ready().await;
        }
        over.set(true);
    };
    let on_new_ones = join_all((0..ASKING).map(|_| asks_on_new_ones()));
    tokio::join!(restarts, on_new_ones, asks_on_one());

    let answers = answers.into_inner();
    assert!(answers.keys().all(|(_, ours)| ours.is_empty()), "{answers:?}");
    assert!(answers.values().sum::<usize>() > 100, "{answers:?}");
}

#[tokio::test]
async fn a_gateway_that_dies_in_the_middle_of_a_request_ends_it_with_an_error_of_ours() {
    let Some((mut house, gatehouse)) = open_house().await else { return };
    let mut phone = connected_phone(&house, &gatehouse).await;
    let client = house.there.https(&gatehouse.ca().await);
    let mut line = client.h1(house.here.v4).await;
    line.send(format!(
        "POST /tools/invoke HTTP/1.1\r\nHost: 192.168.77.10\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{\"tool\":\""
    ))
    .await;
    assert!(phone.socket().is_alive().await);

    house.gateway.dies().await;

    let answer = gatehouse_tests::within("an end of the request", PATIENCE, line.answer()).await;
    let answer = answer.expect("an answer, not a torn connection");
    assert!([502, 503, 504].contains(&answer.status), "{answer:?}");
    assert!(!answer.edge_error().is_empty(), "{answer:?}");
    let (_, _) = phone.socket().end(Duration::from_secs(20)).await;
    gatehouse
        .status_when("the status says so", |status| {
            status["gateway"]["verdict"] == "stopped" && status["actual"]["state"] == "degraded"
        })
        .await;

    house.gateway.start().await;

    gatehouse.status_when("it recovers by itself", |status| status["actual"]["state"] == "on").await;
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 200);
}
