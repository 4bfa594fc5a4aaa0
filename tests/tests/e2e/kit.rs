//! The kit itself, against the real gateway: what the other tests rely on.

use std::net::SocketAddr;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{House, Net, TOKEN};

#[tokio::test]
async fn a_connection_really_comes_from_the_machine_that_opens_it() {
    if !need::parts(&[Part::Machines]) {
        return;
    }
    let net = Net::new();
    for (at, from) in [
        (SocketAddr::from((net.here.v4, 443)), net.there.v4.into()),
        (SocketAddr::from((net.here.v6, 443)), std::net::IpAddr::from(net.there.v6)),
    ] {
        let listener = net.here.listen(at).await.expect("the port is free");

        let (connected, accepted) = tokio::join!(net.there.connect(at), listener.accept());

        connected.expect("the other machine gets through");
        assert_eq!(accepted.expect("it arrives").1.ip(), from);
    }
}

#[tokio::test]
async fn nothing_is_left_of_two_machines() {
    if !need::parts(&[Part::Machines]) {
        return;
    }
    let net = Net::new();
    let folder = net.folder.clone();
    let mut sleeper = net.here.command("sleep").arg("1000").spawn().expect("a program starts");

    drop(net);

    assert!(!sleeper.wait().await.expect("it ends").success());
    assert!(!folder.exists());
}

#[tokio::test]
async fn the_real_gateway_lets_its_operator_in_and_knows_no_device() {
    if !need::parts(&[Part::Machines, Part::OpenClaw]) {
        return;
    }
    let mut house = House::with_gateway().await;
    let before = house.gateway.config_value();

    let devices = house.gateway.devices().await;

    assert_eq!(devices["paired"], serde_json::json!([]));
    assert_eq!(before["gateway"]["auth"]["token"], TOKEN);
    house.gateway.stops().await;
    assert!(house.here.connect(([127, 0, 0, 1], 18789).into()).await.is_err());
}
