//! Dying at every step of the journal: the next start repairs, and the user's configuration is what it was.

use std::collections::BTreeSet;

use gatehouse_tests::House;
use gatehouse_tests::need::{self, Part};

/// Where a change passes while it is made: `<step>:<point>`.
const ON_THE_WAY: &[&str] = &[
    "certificate:before-journal",
    "certificate:after-journal",
    "certificate:after-apply",
    "listen:before-journal",
    "listen:after-journal",
    "listen:after-apply",
    "configure:before-journal",
    "configure:after-journal",
    "configure:after-apply",
    "commit:before-journal",
    "commit:after-journal",
    "commit:after-apply",
    "end:before-journal",
    "end:after-journal",
];

/// Where it passes while it is taken back.
const ON_THE_WAY_BACK: &[&str] = &[
    "undo:before-journal",
    "commit:before-revert",
    "commit:after-revert",
    "configure:before-revert",
    "configure:after-revert",
    "listen:before-revert",
    "listen:after-revert",
    "undo:after-journal",
];

/// What the user sees of the configuration.
fn seen(house: &House, running: bool) -> String {
    if running {
        house.gateway.config_value().to_string()
    } else {
        String::from_utf8(house.gateway.config_bytes()).expect("text")
    }
}

/// Dies at `place` during `command`, starts again, undoes what was committed, and compares.
async fn dies_and_recovers(house: &House, running: bool, place: &str, command: &[&str], prepared: bool) {
    let before = seen(house, running);
    let mut gatehouse = house.gatehouse();
    if prepared {
        gatehouse.serve(&[]).await;
        let opened = gatehouse.run(&["open", "--to", "lan", "--yes"]).await;
        assert!([0, 3].contains(&opened.code), "{place}: {opened:?}");
        gatehouse.interrupt().await;
    }
    let mut gatehouse = gatehouse.dying_at(place);
    gatehouse.serve(&[]).await;
    let ran = gatehouse.run(command).await;
    assert!(gatehouse.run(&["--json", "status"]).await.code == 5, "{place} was not passed: {ran:?}");
    gatehouse.ends().await;

    gatehouse.is_sound_again();
    gatehouse.serve(&[]).await;

    let status =
        gatehouse.status_when("recovery has ended", |status| status["actual"]["state"] != "preparing").await;
    if status["desired"]["state"] == "off" {
        assert_eq!(seen(house, running), before, "{place}: rolled back");
    } else {
        gatehouse.run(&["undo", "--yes"]).await.succeeds();
        assert_eq!(seen(house, running), before, "{place}: committed, then undone");
    }
    let left = house.there.connect((house.here.v4, 443).into()).await;
    assert!(left.is_err(), "{place}: still open");
    gatehouse.interrupt().await;
}

async fn survives_all(house: &House, running: bool) {
    for place in ON_THE_WAY {
        dies_and_recovers(house, running, place, &["open", "--to", "lan", "--yes"], false).await;
    }
    for place in ON_THE_WAY_BACK {
        dies_and_recovers(house, running, place, &["undo", "--yes"], true).await;
    }
    let distinct: BTreeSet<_> = ON_THE_WAY.iter().chain(ON_THE_WAY_BACK).collect();
    assert_eq!(distinct.len(), ON_THE_WAY.len() + ON_THE_WAY_BACK.len());
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_the_file_as_it_was_to_the_byte() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_options(&crate::config::lived_in());
    survives_all(&house, false).await;
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_the_value_as_it_was_while_the_gateway_runs() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let mut house = House::with_options(&crate::config::lived_in());
    house.gateway.start().await;
    survives_all(&house, true).await;
}
