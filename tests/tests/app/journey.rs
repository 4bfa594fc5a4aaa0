//! From nothing to a device that is let in, and back, with clicks alone: the real window, the real gateway, and a
//! browser on another machine.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Browser, House, Screen, TOKEN, Window, eventually, words, words_with};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
/// What the Control UI shows once it is connected to a gateway without a model.
const CONNECTED: &str = "Use an installed agent Choose a model";
const ADDRESS: &str = "https://192.168.77.10";
const ORIGIN: &str = "https://mini.example.net";

#[tokio::test]
async fn clicks_lead_from_the_first_start_to_a_device_that_is_let_in_and_back_to_nothing() {
    let parts =
        [Part::Machines, Part::OpenClaw, Part::Chromium, Part::TrayApp, Part::Screen, Part::WindowDriver];
    if !need::parts(&parts) {
        return;
    }
    let house = House::with_gateway().await;
    let before = house.gateway.config_value();
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let window = Window::first_start(&house.gatehouse(), &screen).await;

    turns_https_on(&window, &house).await;
    let browser = lets_a_device_in(&window, &house, &screen).await;
    adds_an_origin_and_takes_it_back(&window, &house).await;
    turns_https_off(&window, &house, &before).await;
    drop(browser);
}

async fn turns_https_on(window: &Window, house: &House) {
    window.reads(words("welcome.title")).await;
    let status = house
        .gatehouse()
        .status_when("the gateway is found", |status| status["gateway"]["version"].is_string())
        .await;
    let version = status["gateway"]["version"].as_str().expect("the gateway has a version");
    window.reads(&words_with("gateway.found", &[("version", version)])).await;
    window.picture("journey-1-first-start").await;
    window.click_button(words("overview.open-button")).await;
    window.choose(words("scope.lan")).await;
    window.click_button(words("open.review")).await;
    window.reads(words("open.addresses")).await;
    window.picture("journey-2-review").await;
    window.click_button(words("open.turn-on")).await;
    window.reads(words("open.done")).await;
    window.reads(ADDRESS).await;
    window.picture("journey-3-open").await;
    window.click_button(words("sheet.done")).await;
    window.reads(words("actual.on")).await;

    let client = house.there.https(&house.gatehouse().ca().await);
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 200);
}

async fn lets_a_device_in(window: &Window, house: &House, screen: &Screen) -> Browser {
    let gatehouse = house.gatehouse();
    let browser = Browser::start(&house.there, &house.folder("browser"), &gatehouse.ca().await).await;
    {
        let page = browser.open(&format!("{ADDRESS}/#token={TOKEN}")).await;
        page.reads("Approve this browser", PATIENCE).await;

        window.reads(&words_with("overview.review.one", &[("count", "1")])).await;
        let tray = screen.tray().await;
        eventually("the tray counts who waits", PATIENCE, async || (tray.label().await == "1").then_some(()))
            .await;
        window.picture("journey-4-waiting").await;
        window.click_button(&words_with("overview.review.one", &[("count", "1")])).await;
        let device = gatehouse.run(&["--json", "devices", "list"]).await.json()["pending"][0].clone();
        let name = device["name"].as_str().expect("the device has a name");
        window
            .reads(&words_with("devices.from", &[("ip", "192.168.77.20"), ("host", "192.168.77.10")]))
            .await;
        window.picture("journey-5-approval").await;
        window.click_button(&words_with("devices.approve-name", &[("name", name)])).await;

        page.reads(CONNECTED, PATIENCE).await;
        page.picture("journey-6-control-ui").await;
        let id = device["device_id"].as_str().expect("the device has an id");
        let paired = house.gateway.paired(id).await.expect("the gateway knows the device");
        assert_eq!(paired["approvedVia"], "owner");
        window.reads(words("overview.nobody-waits")).await;
    }
    browser
}

async fn adds_an_origin_and_takes_it_back(window: &Window, house: &House) {
    window.go(words("page.access")).await;
    window.type_into("origin", ORIGIN).await;
    window.click_button(words("access.add")).await;
    window.reads(&format!("{ORIGIN} {}", words("owner.gatehouse"))).await;
    lists_origin(house, true).await;
    window.picture("journey-7-origin").await;

    window.go(words("page.overview")).await;
    window.click_button(words("overview.undo")).await;
    window.click_button(words("undo.verb")).await;

    lists_origin(house, false).await;
    window.reads(words("actual.on")).await;
}

async fn lists_origin(house: &House, wanted: bool) {
    eventually(&format!("the gateway lists the origin: {wanted}"), PATIENCE, async || {
        let listed = house.gateway.config_value()["gateway"]["controlUi"]["allowedOrigins"].clone();
        let is_listed = listed.as_array().is_some_and(|origins| origins.contains(&json!(ORIGIN)));
        (is_listed == wanted).then_some(())
    })
    .await;
}

async fn turns_https_off(window: &Window, house: &House, before: &Value) {
    window.click_button(words("overview.turn-off")).await;
    window.click_button(words("close.verb")).await;
    window.reads(words("overview.off")).await;
    window.picture("journey-8-closed").await;
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
    assert_eq!(&house.gateway.config_value(), before);
}
