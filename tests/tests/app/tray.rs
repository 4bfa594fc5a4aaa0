//! The icon in a real tray: the menu opened with a click and read from the screen, and what its items do.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{House, Screen, eventually, words, words_with};

const PATIENCE: Duration = Duration::from_secs(60);
const ADDRESS: &str = "https://192.168.77.10";

#[tokio::test]
async fn the_menu_is_opened_with_a_click_read_from_the_screen_and_its_items_do_what_they_say() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_gateway().await;
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let mut gatehouse = house.gatehouse();
    gatehouse.appear(&screen).await;
    let tray = screen.tray().await;
    tray.says(words("menu.state-off")).await;
    seen(&screen, 1).await;
    screen.press("alt+F4").await;
    seen(&screen, 0).await;
    assert!(gatehouse.is_running(), "closing the window ends the app");
    let off = screen.settled().await;
    off.keep("tray-1-off");

    gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
    let on = words_with("menu.state-on", &[("scope", words("scope.address.lan"))]);
    tray.says(&on).await;
    let icon = tray.place().await;
    eventually("the icon has another shape", PATIENCE, async || {
        screen.settled().await.difference(&off, Some(icon)).await
    })
    .await;

    let (picture, menu) = tray.opened().await;
    picture.keep("tray-2-menu-on");
    let lines = picture.read(menu).await;
    let line = |wanted: &str| {
        lines.iter().find(|line| line.text.contains(wanted)).unwrap_or_else(|| {
            panic!(
                "the menu does not show \"{wanted}\": {:?}",
                lines.iter().map(|line| &line.text).collect::<Vec<_>>()
            )
        })
    };
    for wanted in [words("scope.address.lan"), "192.168.77.10", words("menu.window")] {
        line(wanted);
    }
    screen.click(line(words("menu.copy-link")).at).await;
    eventually("the address is on the clipboard", PATIENCE, async || {
        (screen.clipboard().await == ADDRESS).then_some(())
    })
    .await;

    tray.activate(words("menu.pause-15")).await;
    gatehouse.status_when("access is paused", |status| status["actual"]["state"] == "paused").await;
    tray.says(words("menu.resume")).await;
    let client = house.there.https(&gatehouse.ca().await);
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 503);
    screen.settled().await.keep("tray-3-paused");
    tray.activate(words("menu.resume")).await;
    gatehouse.status_when("access is resumed", |status| status["actual"]["state"] == "on").await;
    tray.says(&on).await;

    // As a person does: a menu that was drawn anew under the pointer is opened again.
    eventually("the window comes up", 2 * PATIENCE, async || {
        screen.press("Escape").await;
        let (picture, menu) = tray.opened().await;
        picture.keep("tray-4-menu-again");
        let lines = picture.read(menu).await;
        let open = lines.iter().find(|line| line.text.contains(words("menu.window")))?;
        screen.click(open.at).await;
        screen.settled().await.keep("tray-5-clicked");
        (screen.windows("Gatehouse").await == 1).then_some(())
    })
    .await;
    screen.settled().await.keep("tray-6-window");

    tray.activate(words("menu.quit-stops")).await;
    assert_eq!(gatehouse.ends().await.code(), Some(0));
    assert!(!screen.has_icon().await, "the icon is still there");
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err(), "the address is still open");
}

/// Waits until so many windows can be seen.
async fn seen(screen: &Screen, windows: usize) {
    eventually(&format!("{windows} windows can be seen"), PATIENCE, async || {
        (screen.windows("Gatehouse").await == windows).then_some(())
    })
    .await;
}
