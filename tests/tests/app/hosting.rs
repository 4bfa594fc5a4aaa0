//! Where the core runs: in the app, or in a `serve` that was there before; and what is left when either of them dies.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{House, Screen, eventually, words, words_with};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_app_shows_a_core_that_runs_already_and_survives_its_restart() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_gateway().await;
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let mut served = house.open_to_lan().await;
    let mut app = house.gatehouse();

    app.appear(&screen).await;
    let tray = screen.tray().await;
    tray.says(words("menu.quit-elsewhere")).await;
    assert_eq!(app.status().await["pid"], served.pid());
    served.interrupt().await;
    tray.says(words("core.start")).await;
    assert!(app.is_running(), "the app went with the core");
    served.serve(&[]).await;
    let on = words_with("menu.state-on", &[("scope", words("scope.address.lan"))]);
    tray.says(&on).await;
    screen.settled().await.keep("hosting-attached-again");

    assert_eq!(app.status().await["pid"], served.pid());
    tray.activate(words("menu.quit-elsewhere")).await;
    assert_eq!(app.ends().await.code(), Some(0));
    let client = house.there.https(&served.ca().await);
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 200, "HTTPS went with the menu");
}

#[tokio::test]
async fn an_app_that_dies_in_the_middle_of_a_change_repairs_it_at_its_next_start() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_gateway().await;
    let before = house.gateway.config_value();
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let mut app = house.gatehouse().dying_at("configure:after-apply");
    app.appear(&screen).await;
    let ran = app.run(&["open", "--to", "lan", "--yes"]).await;
    assert_ne!(ran.code, 0, "the step was not passed: {ran:?}");
    app.ends().await;
    assert_ne!(house.gateway.config_value(), before, "nothing was left to repair");

    app.is_sound_again();
    app.appear(&screen).await;

    app.status_when("the change is rolled back", |status| status["actual"]["state"] == "off").await;
    assert_eq!(house.gateway.config_value(), before);
    screen.tray().await.says(words("menu.state-off")).await;
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err(), "the address is still open");
}

#[tokio::test]
async fn an_app_that_is_killed_while_it_turns_https_on_repairs_it_at_its_next_start() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_gateway().await;
    let before = house.gateway.config_value();
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let mut app = house.gatehouse();
    app.appear(&screen).await;
    let opening = house.gatehouse();
    let opening = tokio::spawn(async move { opening.run(&["open", "--to", "lan", "--yes"]).await });
    eventually("a change is under way", PATIENCE, async || {
        let preparing = app.status().await["actual"]["state"] == "preparing";
        (preparing || opening.is_finished()).then_some(())
    })
    .await;

    app.dies().await;
    opening.await.expect("the command ends");
    app.appear(&screen).await;

    let settled =
        app.status_when("recovery has ended", |status| status["actual"]["state"] != "preparing").await;
    if settled["desired"]["state"] == "off" {
        assert_eq!(house.gateway.config_value(), before);
    } else {
        app.run(&["undo", "--yes"]).await.succeeds();
        assert_eq!(house.gateway.config_value(), before);
    }
}

#[tokio::test]
async fn a_second_start_shows_the_window_of_the_first() {
    if !need::parts(&[Part::Machines, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let mut first = house.gatehouse();
    first.appear(&screen).await;
    let seen = async |count: usize| {
        eventually(&format!("{count} windows"), PATIENCE, async || {
            (screen.windows("Gatehouse").await == count).then_some(())
        })
        .await;
    };
    seen(1).await;
    screen.press("alt+F4").await;
    seen(0).await;

    let mut second = house.gatehouse();
    second.start_app(&screen);

    assert_eq!(second.ends().await.code(), Some(0));
    seen(1).await;
    assert!(first.is_running());
}
