//! A proxy in front: believed once it is declared and proven, and nobody else is. The gateway is the witness.

use std::net::{IpAddr, Ipv4Addr};

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{ConnectAs, Device, DeviceKey, Gatehouse, House, Https, TOKEN};

/// A client somewhere in the world, as its tunnel names it.
const CLIENT: (&str, &str) = ("CF-Connecting-IP", "198.51.100.7");

/// A gateway open to the local network, and a client on its machine; `None` where that cannot be had here.
async fn open() -> Option<(House, Gatehouse, Https)> {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return None;
    }
    let house = House::with_gateway().await;
    let gatehouse = house.open_to_lan().await;
    let here = house.here.https(&gatehouse.ca().await);
    Some((house, gatehouse, here))
}

#[tokio::test]
async fn a_declared_tunnel_says_for_whom_it_asks_and_only_with_its_secret() {
    let Some((house, gatehouse, here)) = open().await else { return };
    let ways = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(house.here.v4)];
    let code = async |to: IpAddr, headers: &[(&str, &str)]| {
        let answer = here.get_with(to, "/readyz", headers).await;
        (answer.status, answer.edge_error().to_owned())
    };
    let undeclared = (403, "tunnel-undeclared".to_owned());
    let told = |status: &serde_json::Value| {
        let problems = status["problems"].as_array().cloned().unwrap_or_default();
        let relay = problems.iter().find(|one| one["fix"]["command"] == "gatehouse front tunnel")?;
        relay["because"].as_str().map(str::to_owned)
    };
    let tells = |part: &'static str| {
        move |status: &serde_json::Value| told(status).is_some_and(|because| because.contains(part))
    };
    for to in ways {
        assert_eq!(code(to, &[CLIENT]).await, undeclared, "{to}");
    }
    gatehouse.status_when("the status tells of it", tells("Nobody declared")).await;

    let origins = || house.gateway.config_value()["gateway"]["controlUi"]["allowedOrigins"].to_string();
    assert!(!origins().contains("https://localhost"), "{}", origins());
    let declared = gatehouse.run(&["--json", "front", "tunnel"]).await.succeeds().json();
    let (header, secret) = (declared["header"].as_str().unwrap(), declared["secret"].as_str().unwrap());
    gatehouse.status_when("a declaration is believed first", |status| told(status).is_none()).await;
    assert!(!gatehouse.run(&["config", "get", "front"]).await.out.contains(secret));
    for (key, to) in (50..).zip(ways) {
        let socket = here.websocket(to, &[CLIENT, (header, secret)]).await.expect("it is upgraded");
        let key = DeviceKey::number(key);
        let admission = Device::connect(socket, &ConnectAs::phone(TOKEN), Some(&key)).await;
        assert_eq!(admission.refused_with(), "PAIRING_REQUIRED", "{to}");
        let pending = house.gateway.pending(&key.id()).await.expect("it waits");
        assert_eq!(pending["remoteIp"], CLIENT.1, "{to}");
        assert_eq!(code(to, &[CLIENT]).await, undeclared, "without the secret, {to}");
        assert_eq!(code(to, &[CLIENT, (header, "a-guess")]).await, undeclared, "with a guess, {to}");
        assert_eq!(code(to, &[(header, secret)]).await, (403, "client-unattributable".to_owned()), "{to}");
    }
    gatehouse.status_when("the status tells of the missing secret", tells("does not show")).await;
    assert!(origins().contains("https://localhost"), "nobody is local now: {}", origins());
    let there = house.there.https(&gatehouse.ca().await);
    let answer = there.get_with(house.here.v4, "/readyz", &[CLIENT, (header, secret)]).await;
    assert_eq!(answer.json(), serde_json::json!({"ready": true}), "from another machine it is no tunnel");

    gatehouse.run(&["undo", "--yes"]).await.succeeds();
    for to in ways {
        assert_eq!(code(to, &[CLIENT, (header, secret)]).await, undeclared, "{to}");
    }
    assert!(!origins().contains("https://localhost"), "{}", origins());
    gatehouse.run(&["front", "cloudflare"]).await.succeeds();
    assert_eq!(gatehouse.run(&["config", "get", "front"]).await.out.trim(), "cloudflare");
    assert_eq!(code(ways[0], &[CLIENT]).await, undeclared, "this machine is not Cloudflare");
}

#[tokio::test]
async fn a_route_gives_a_path_another_port_at_once_and_a_wrong_one_is_named() {
    let Some((house, gatehouse, here)) = open().await else { return };
    let address = house.here.v4;
    assert_eq!(here.get(address, "/readyz").await.status, 200);

    let wrong = gatehouse.run(&["config", "set", "routes", "/readyz fast"]).await.ends_with(2);
    assert!(wrong.text().contains("neither interactive nor api"), "{wrong:?}");
    gatehouse.run(&["config", "set", "routes", "/readyz api port=1"]).await.succeeds();
    let answer = here.get(address, "/readyz").await;
    assert_eq!((answer.status, answer.edge_error()), (503, "gateway-restarting"), "nobody listens there");
    assert_eq!(here.get(address, "/healthz").await.status, 200);
    gatehouse.run(&["config", "set", "routes", "default"]).await.succeeds();
    assert_eq!(here.get(address, "/readyz").await.status, 200);
}
