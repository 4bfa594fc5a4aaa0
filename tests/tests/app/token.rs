//! The gateway's token on a real clipboard.

use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{House, Screen, TOKEN, eventually};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_token_is_on_the_clipboard_for_a_while_hidden_from_histories_and_what_came_after_it_stays() {
    if !need::parts(&[Part::Machines, Part::TrayApp, Part::Screen]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let screen = Screen::on(&house.here, &house.folder("screen")).await;
    let gatehouse = house.serve().await;

    let copied = gatehouse.run_on(&screen, &["--json", "token", "copy", "--for", "4s"]);
    let looked = async {
        eventually("the token is on the clipboard", PATIENCE, async || {
            (screen.clipboard().await == TOKEN).then_some(())
        })
        .await;
        screen.clipboard_kinds().await
    };
    let (copied, kinds) = tokio::join!(copied, looked);
    assert!(kinds.contains("x-kde-passwordManagerHint"), "{kinds}");
    assert_eq!(copied.clone().succeeds().json()["taken_away"], true);
    assert!(!copied.text().contains(TOKEN));
    assert_eq!(screen.clipboard().await, "");

    let copied = gatehouse.run_on(&screen, &["--json", "token", "copy", "--for", "4s"]);
    let changed = async {
        eventually("the token is on the clipboard", PATIENCE, async || {
            (screen.clipboard().await == TOKEN).then_some(())
        })
        .await;
        screen.copy("something else").await;
    };
    let (copied, ()) = tokio::join!(copied, changed);
    assert_eq!(copied.succeeds().json()["taken_away"], false);
    assert_eq!(screen.clipboard().await, "something else");
}
