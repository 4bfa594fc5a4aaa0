//! Devices that may stay for a time only, and what is told of the rest of the way.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{ConnectAs, Device, DeviceKey, Gatehouse, House, TOKEN, eventually};
use serde_json::{Value, json};

use crate::shared::open_house;

const PATIENCE: Duration = Duration::from_secs(90);

async fn devices(gatehouse: &Gatehouse) -> Value {
    gatehouse.run(&["--json", "devices", "list"]).await.succeeds().json()
}

fn of<'v>(devices: &'v Value, list: &str, key: &DeviceKey) -> Option<&'v Value> {
    devices[list].as_array()?.iter().find(|device| device["device_id"] == key.id())
}

/// Sets back by two hours when the devices' time began, as if so much had passed while nothing ran.
fn two_hours_pass(gatehouse: &Gatehouse) {
    let path = gatehouse.home.join("settings.json");
    let mut settings: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("the settings are kept")).expect("they are JSON");
    let expiries = settings["expiries"].as_object_mut().expect("devices with a time are kept");
    assert_eq!(expiries.len(), 1);
    for expiry in expiries.values_mut() {
        *expiry = json!({"set_at": "2020-01-01T00:00:00Z", "at": "2020-01-01T01:00:00Z"});
    }
    std::fs::write(&path, settings.to_string()).expect("the settings can be written");
}

#[tokio::test]
async fn a_device_whose_time_ended_while_nothing_ran_is_thrown_out_at_the_next_start() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let mut gatehouse = house.open_to_lan().await;
    let client = house.there.https(&gatehouse.ca().await);
    let (key, phone) = (DeviceKey::number(1), ConnectAs::phone(TOKEN));
    let knock = async || {
        let socket = client.websocket(house.here.v4, &[]).await.expect("it is upgraded");
        Device::connect(socket, &phone, Some(&key)).await
    };
    assert_eq!(knock().await.refused_with(), "PAIRING_REQUIRED");
    gatehouse.run(&["devices", "approve", &key.id(), "--yes", "--expires", "1h"]).await.succeeds();
    let _in = knock().await.let_in();

    gatehouse.interrupt().await;
    two_hours_pass(&gatehouse);
    gatehouse.serve(&[]).await;

    let told = eventually("the device is revoked", PATIENCE, async || {
        let devices = devices(&gatehouse).await;
        of(&devices, "expired", &key).is_some().then_some(devices)
    })
    .await;
    assert!(of(&told, "paired", &key).is_none(), "{told}");
    assert_eq!(of(&told, "expired", &key).expect("it is told")["can_return"], false, "{told}");
    gatehouse.status_when("the address is open again", |status| status["actual"]["state"] == "on").await;
    assert_eq!(knock().await.refused_with(), "PAIRING_REQUIRED");
}

#[tokio::test]
async fn a_time_is_set_at_the_approval_and_changed_later() {
    let Some(open) = open_house().await else { return };
    let (key, phone) = (DeviceKey::number(31), ConnectAs::phone(TOKEN));
    let socket = open.there().websocket(open.house.here.v4, &[]).await.expect("it is upgraded");
    assert_eq!(Device::connect(socket, &phone, Some(&key)).await.refused_with(), "PAIRING_REQUIRED");
    let id = key.id();

    open.gatehouse.run(&["devices", "approve", &id, "--yes", "--expires", "7d"]).await.succeeds();
    assert!(
        of(&devices(&open.gatehouse).await, "paired", &key).expect("it is paired")["expires_at"].is_string()
    );

    open.gatehouse.run(&["devices", "expire", &id, "never"]).await.succeeds();
    assert!(
        of(&devices(&open.gatehouse).await, "paired", &key).expect("it is paired")["expires_at"].is_null()
    );
    open.gatehouse.run(&["devices", "expire", &id, "5s"]).await.ends_with(2);
}

#[tokio::test]
async fn an_address_is_tested_stage_by_stage() {
    let Some(open) = open_house().await else { return };

    let test = open.gatehouse.run(&["--json", "test"]).await.succeeds().json();

    assert_eq!(test["works"], true, "{test}");
    let stages: Vec<_> =
        test["stages"].as_array().expect("stages").iter().map(|stage| &stage["stage"]).collect();
    assert_eq!(stages, ["tcp", "tls", "health", "websocket"]);
    open.gatehouse.run(&["test", "https://nobody.example"]).await.ends_with(1);
}

#[tokio::test]
async fn what_probes_ask_in_a_made_up_name_is_not_told_as_somebodys() {
    let Some(open) = open_house().await else { return };

    let seen = open.gatehouse.run(&["--json", "origins", "seen"]).await;

    assert!(!seen.text().contains("gatehouse-probe"), "{}", seen.text());
}
