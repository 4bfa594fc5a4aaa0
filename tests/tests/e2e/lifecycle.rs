//! Starting, stopping, starting again.

use std::time::Duration;

use gatehouse_tests::House;
use gatehouse_tests::need::{self, Part};

#[tokio::test]
async fn of_two_starts_at_once_one_serves_and_the_other_says_so() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let mut first = house.gatehouse();
    let mut second = house.gatehouse();

    first.launch(&[]);
    second.launch(&[]);

    let (winner, loser) = loop {
        match (first.is_running(), second.is_running()) {
            (true, false) => break (first, second),
            (false, true) => break (second, first),
            (true, true) => tokio::time::sleep(Duration::from_millis(20)).await,
            (false, false) => panic!("both ended:\n{}", first.output()),
        }
    };
    let mut loser = loser;
    assert_eq!(loser.ends().await.code(), Some(6));
    assert!(loser.output().contains("already running"), "{}", loser.output());
    let status = winner.status_when("the winner answers", |status| status["pid"].is_u64()).await;
    assert_eq!(status["pid"], winner.pid());
    let mut third = house.gatehouse();
    third.launch(&[]);
    assert_eq!(third.ends().await.code(), Some(6));
    assert!(third.output().contains(&winner.pid().to_string()), "{}", third.output());
}

#[tokio::test]
async fn ctrl_c_leaves_nothing_running_and_the_address_is_back_at_the_next_start() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let mut gatehouse = house.open_to_lan().await;
    let ca = gatehouse.ca().await;
    let before = house.there.https(&ca).fingerprint(house.here.v4).await;

    let status = gatehouse.interrupt().await;

    assert!(status.code() == Some(0) || status.code() == Some(130), "{status}");
    for port in [443, 80] {
        assert!(
            house.there.connect((house.here.v4, port).into()).await.is_err(),
            "port {port} still answers"
        );
    }
    gatehouse.run(&["status"]).await.ends_with(5);
    gatehouse.serve(&[]).await;
    let status = gatehouse.status_when("it is open again", |status| status["actual"]["state"] == "on").await;
    assert!(status["addresses"][0]["verified_at"].is_string(), "{status}");
    assert_eq!(house.there.https(&ca).fingerprint(house.here.v4).await, before);
}

#[tokio::test]
async fn a_power_cut_leaves_a_state_that_the_next_start_serves_again() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let mut gatehouse = house.open_to_lan().await;
    let config = house.gateway.config_value();

    gatehouse.dies().await;
    gatehouse.serve(&[]).await;

    gatehouse.status_when("it is open again", |status| status["actual"]["state"] == "on").await;
    assert_eq!(house.gateway.config_value(), config);
}

#[tokio::test]
async fn without_a_core_every_command_says_so() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let gatehouse = house.gatehouse();
    for command in
        [&["status"][..], &["devices", "list"], &["open", "--to", "lan", "--yes"], &["close", "--yes"]]
    {
        let ran = gatehouse.run(command).await.ends_with(5);
        assert!(ran.text().contains("gatehouse serve"), "{command:?}: {}", ran.text());
    }
}

#[tokio::test]
async fn closing_takes_the_address_and_our_entries_away() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let before = house.gateway.config_value();
    let gatehouse = house.open_to_lan().await;

    gatehouse.run(&["close", "--yes"]).await.succeeds();

    assert_eq!(gatehouse.status().await["desired"]["state"], "off");
    assert_eq!(house.gateway.config_value(), before);
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
}

#[tokio::test]
async fn a_pause_answers_503_and_a_resume_ends_it() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let gatehouse = house.open_to_lan().await;
    let client = house.there.https(&gatehouse.ca().await);
    let config = house.gateway.config_bytes();

    gatehouse.run(&["pause", "--for", "1h"]).await.succeeds();
    let paused = client.get(house.here.v4, "/healthz").await;
    let upgrade = client.websocket(house.here.v4, &[]).await.err().expect("no upgrade while it is paused");
    let status = gatehouse.status().await;
    gatehouse.run(&["resume"]).await.succeeds();
    let resumed = client.get(house.here.v4, "/healthz").await;

    assert_eq!((paused.status, paused.edge_error()), (503, "paused"));
    assert_eq!((upgrade.status, &*upgrade.edge_error), (503, "paused"));
    assert_eq!(status["actual"]["state"], "paused");
    assert_eq!(resumed.status, 200);
    assert_eq!(house.gateway.config_bytes(), config);
}
