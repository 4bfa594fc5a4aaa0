//! A native device on another machine, from its first knock to its end.

use std::net::Ipv4Addr;
use std::time::Duration;

use gatehouse_tests::{Admission, ConnectAs, Device, DeviceKey, Gatehouse, TOKEN};
use serde_json::{Value, json};

use crate::shared::{OpenHouse, open_house};

async fn knock(open: &OpenHouse, key: &DeviceKey, as_: &ConnectAs) -> Admission {
    let socket = open.there().websocket(open.house.here.v4, &[]).await.expect("it is upgraded");
    Device::connect(socket, as_, Some(key)).await
}

async fn listed(gatehouse: &Gatehouse, list: &str, key: &DeviceKey) -> Option<Value> {
    let devices = gatehouse.run(&["--json", "devices", "list"]).await.succeeds().json();
    devices[list].as_array()?.iter().find(|device| device["device_id"] == key.id()).cloned()
}

#[tokio::test]
async fn a_device_is_approved_by_its_key_and_comes_back_with_its_own_token() {
    let Some(open) = open_house().await else { return };
    let key = DeviceKey::number(1);
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
    // A client that waits asks again and again; the approval is for the key, not for one of its requests.
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
    let waiting = listed(&open.gatehouse, "pending", &key).await.expect("the device waits");

    open.gatehouse.run(&["devices", "approve", &key.id()[..12], "--yes"]).await.succeeds();

    assert_eq!(waiting["name"], "Kitchen phone");
    assert_eq!(waiting["role"], "operator");
    assert_eq!(waiting["remote_ip"], "192.168.77.20");
    assert_eq!(waiting["via_edge"]["client"], "192.168.77.20");
    assert!(
        waiting["request_id"].is_string() && waiting["scopes"].is_array() && waiting["platform"] == "ios"
    );
    let token = knock(open, &key, &ConnectAs::phone(TOKEN)).await.let_in().token();
    let mut device = knock(open, &key, &ConnectAs::paired_phone(&token)).await.let_in();
    assert!(device.call("system.info", json!({})).await.is_ok());
    let paired = listed(&open.gatehouse, "paired", &key).await.expect("the device is paired");
    assert_eq!(paired["remote_ip"], "192.168.77.20");
    assert!(listed(&open.gatehouse, "pending", &key).await.is_none());
}

#[tokio::test]
async fn a_device_that_is_denied_does_not_get_in() {
    let Some(open) = open_house().await else { return };
    let key = DeviceKey::number(2);
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");

    open.gatehouse.run(&["devices", "deny", &key.id(), "--yes"]).await.succeeds();

    assert!(listed(&open.gatehouse, "pending", &key).await.is_none());
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
}

#[tokio::test]
async fn a_device_on_another_machine_that_is_revoked_is_thrown_out_and_would_have_to_ask_again() {
    let Some(open) = open_house().await else { return };
    let key = DeviceKey::number(3);
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
    open.gatehouse.run(&["devices", "approve", &key.id(), "--yes"]).await.succeeds();
    let mut device = knock(open, &key, &ConnectAs::phone(TOKEN)).await.let_in();
    let token = device.token();

    let report =
        open.gatehouse.run(&["--json", "devices", "revoke", &key.id(), "--yes"]).await.succeeds().json();

    assert_eq!(device.socket().end(Duration::from_secs(20)).await, (4001, "device removed".into()));
    assert_eq!(report["can_return"], false, "{report}");
    assert!(listed(&open.gatehouse, "paired", &key).await.is_none());
    let _ = knock(open, &key, &ConnectAs::paired_phone(&token)).await.refused_with();
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
}

#[tokio::test]
async fn a_program_on_this_machine_that_is_revoked_could_return_and_the_user_hears_it() {
    let Some(open) = open_house().await else { return };
    let key = DeviceKey::number(5);
    let app = ConnectAs { client: "openclaw-macos", platform: "macos", ..ConnectAs::phone(TOKEN) };
    let comes = async || {
        let socket = open.here().websocket(Ipv4Addr::LOCALHOST, &[]).await.expect("it is upgraded");
        Device::connect(socket, &app, Some(&key)).await
    };
    let _device = comes().await.let_in();

    let report =
        open.gatehouse.run(&["--json", "devices", "revoke", &key.id(), "--yes"]).await.succeeds().json();

    assert_eq!(report["can_return"], true, "{report}");
    assert!(report["note"].as_str().expect("a note").contains("token"), "{report}");
    let _returned = comes().await.let_in();
}

#[tokio::test]
async fn a_device_is_renamed() {
    let Some(open) = open_house().await else { return };
    let key = DeviceKey::number(4);
    assert_eq!(knock(open, &key, &ConnectAs::phone(TOKEN)).await.refused_with(), "PAIRING_REQUIRED");
    open.gatehouse.run(&["devices", "approve", &key.id(), "--yes"]).await.succeeds();

    open.gatehouse.run(&["devices", "rename", &key.id(), "Ada's phone"]).await.succeeds();

    assert_eq!(listed(&open.gatehouse, "paired", &key).await.expect("it is paired")["name"], "Ada's phone");
}

#[tokio::test]
async fn a_name_that_no_device_has_is_not_found() {
    let Some(open) = open_house().await else { return };

    let ran =
        open.gatehouse.run(&["--json", "devices", "approve", "ffff0000ffff", "--yes"]).await.ends_with(1);

    assert!(ran.text().contains("not-found"), "{}", ran.text());
}
