//! The Control UI in Chromium through our TLS, its authority installed in the browser's store.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Browser, TOKEN, eventually};
use serde_json::Value;

use crate::shared::{OpenHouse, open_house};

const PATIENCE: Duration = Duration::from_secs(90);
/// What the Control UI shows once it is connected to a gateway without a model.
const CONNECTED: &str = "Use an installed agent Choose a model";

async fn open_house_with_browser() -> Option<&'static OpenHouse> {
    if !need::parts(&[Part::Chromium]) {
        return None;
    }
    open_house().await
}

async fn waiting_from(open: &OpenHouse, address: &str, platform: &str) -> Option<Value> {
    let list = open.gatehouse.run(&["--json", "devices", "list"]).await.succeeds().json();
    let pending = list["pending"].as_array()?;
    pending.iter().find(|one| one["remote_ip"] == address && one["platform"] == platform).cloned()
}

#[tokio::test]
async fn the_control_ui_opens_on_this_machine_without_an_approval() {
    let Some(open) = open_house_with_browser().await else { return };
    let browser = Browser::start(&open.house.here, &open.house.folder("browser-here"), open.ca()).await;

    let page = browser.open(&format!("https://127.0.0.1/#token={TOKEN}")).await;

    page.reads(CONNECTED, PATIENCE).await;
    page.picture("this-machine-connected").await;
    assert_eq!(page.eval("isSecureContext").await, true);
    assert_eq!(page.eval("location.hash").await, "");
}

#[tokio::test]
async fn a_browser_on_another_machine_waits_is_approved_with_one_command_and_comes_up_by_itself() {
    let Some(open) = open_house_with_browser().await else { return };
    let browser = Browser::start(&open.house.there, &open.house.folder("browser-there"), open.ca()).await;

    let page = browser.open(&format!("https://192.168.77.10/#token={TOKEN}")).await;
    page.reads("Approve this browser", PATIENCE).await;
    page.picture("another-machine-waits").await;
    let waiting = eventually("the browser waits for approval", PATIENCE, async || {
        waiting_from(open, "192.168.77.20", "Linux x86_64").await
    })
    .await;
    let id = waiting["device_id"].as_str().expect("a device id");
    open.gatehouse.run(&["devices", "approve", id, "--yes"]).await.succeeds();

    page.reads(CONNECTED, PATIENCE).await;
    page.picture("another-machine-connected").await;
    assert_eq!(waiting["via_edge"]["client"], "192.168.77.20");
    assert_eq!(waiting["via_edge"]["host"], "192.168.77.10");
    let device = open.house.gateway.paired(id).await.expect("the device is paired");
    assert_eq!(device["approvedVia"], "owner");
}

#[tokio::test]
async fn a_browser_without_our_authority_does_not_get_in() {
    let Some(open) = open_house_with_browser().await else { return };
    let other =
        std::fs::read_to_string("/etc/ssl/certs/ISRG_Root_X1.pem").expect("an authority that is not ours");
    let browser = Browser::start(&open.house.there, &open.house.folder("browser-stranger"), &other).await;

    let page = browser.open("about:blank").await;

    assert_eq!(page.go("https://192.168.77.10/").await, "net::ERR_CERT_AUTHORITY_INVALID");
}

#[tokio::test]
async fn a_browser_of_this_machine_trusts_the_address_after_cert_trust_and_refuses_it_after_untrust() {
    let Some(open) = open_house_with_browser().await else { return };
    let home = open.house.gateway.home();
    // Only this place: the machine's own store is not for tests.
    let store = home.join(".pki/nssdb");
    let place = store.to_str().expect("a path of letters");
    let tried = async || {
        let browser = Browser::untouched(&open.house.here, home).await;
        browser.open("about:blank").await.go("https://127.0.0.1/").await
    };

    assert_eq!(tried().await, "net::ERR_CERT_AUTHORITY_INVALID");
    let trusted = open.gatehouse.run(&["--json", "cert", "trust", "--place", place]).await.succeeds().json();
    let places = trusted["places"].as_array().expect("places");
    let ours = places.iter().find(|found| found["path"] == place).expect("the browser's store");
    assert_eq!((&ours["state"], &ours["changed"]), (&"trusted".into(), &true.into()));
    let system = places.iter().find(|found| found["kind"] == "system-store").expect("the system's store");
    assert_eq!((&system["state"], &system["changed"]), (&"not-trusted".into(), &false.into()));
    assert_eq!(tried().await, "");
    open.gatehouse.run(&["cert", "untrust", "--place", place]).await.succeeds();
    assert_eq!(tried().await, "net::ERR_CERT_AUTHORITY_INVALID");
}

#[tokio::test]
async fn a_browser_reaches_the_address_over_ipv6_and_is_asked_to_wait() {
    let Some(open) = open_house_with_browser().await else { return };
    let browser = Browser::start(&open.house.there, &open.house.folder("browser-v6"), open.ca()).await;

    let page = browser.open(&format!("https://[fd77::10]/#token={TOKEN}")).await;

    page.reads("Approve this browser", PATIENCE).await;
    eventually("the gateway knows its address", PATIENCE, async || {
        waiting_from(open, "fd77::20", "Linux x86_64").await
    })
    .await;
}
