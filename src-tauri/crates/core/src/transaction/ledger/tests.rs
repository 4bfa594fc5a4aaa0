use gatehouse_openclaw::config::{Edit, Expected, KeyPath, Removed};
use serde_json::json;

use super::Ledger;

const ORIGINS: &str = "gateway.controlUi.allowedOrigins";

fn added(values: &[&str]) -> Edit {
    Edit::RemoveFromArray { path: ORIGINS.into(), values: values.iter().map(|v| (*v).to_owned()).collect() }
}

fn removed(value: &str) -> Edit {
    Edit::Reinsert { path: ORIGINS.into(), removed: vec![Removed { index: 0, value: value.to_owned() }] }
}

fn set(ours: &str, before: Option<&str>) -> Edit {
    Edit::Restore {
        path: "gateway.publicOrigin".into(),
        ours: Expected::Value(json!(ours)),
        before: before.map(|text| json!(text)),
    }
}

fn prune(path: &str) -> Edit {
    Edit::Prune { path: path.into() }
}

fn origins(ledger: &Ledger) -> Vec<String> {
    ledger.values(&KeyPath::from(ORIGINS)).map(str::to_owned).collect()
}

fn of(inverse: &[Edit]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.absorb(inverse);
    ledger
}

#[test]
fn owns_a_value_once_however_often_it_was_added() {
    let mut ledger = of(&[added(&["https://a", "https://b"])]);
    ledger.absorb(&[added(&["https://a"])]);
    assert_eq!(origins(&ledger), ["https://a", "https://b"]);
}

#[test]
fn forgets_a_value_of_ours_that_was_removed_on_purpose() {
    let mut ledger = of(&[added(&["https://a", "https://b"])]);
    ledger.absorb(&[removed("https://a")]);
    assert_eq!(origins(&ledger), ["https://b"]);
}

#[test]
fn does_not_own_what_it_removed_for_the_user() {
    assert_eq!(of(&[removed("https://theirs")]), Ledger::default());
}

#[test]
fn remembers_the_first_value_before_a_key_was_set_twice() {
    let mut ledger = of(&[set("https://one", Some("https://theirs"))]);
    ledger.absorb(&[set("https://two", Some("https://one"))]);
    assert_eq!(ledger.removal(|_| true), [set("https://two", Some("https://theirs"))]);
}

#[test]
fn takes_values_away_before_the_containers_made_for_them_and_inner_ones_first() {
    let ledger =
        of(&[prune("gateway.controlUi"), added(&["https://a"]), prune(ORIGINS), set("https://a", None)]);
    assert_eq!(
        ledger.removal(|_| true),
        [added(&["https://a"]), set("https://a", None), prune(ORIGINS), prune("gateway.controlUi")]
    );
}

#[test]
fn leaves_out_what_is_to_be_kept_and_keeps_owning_it() {
    let ledger = of(&[added(&["https://a"]), set("https://a", None)]);
    let arrays = |path: &KeyPath| *path == KeyPath::from(ORIGINS);
    assert_eq!(ledger.removal(arrays), [added(&["https://a"])]);
    assert_eq!(ledger.retained(arrays), of(&[set("https://a", None)]));
}

#[test]
fn undoing_an_older_change_leaves_what_newer_ones_added() {
    let before = Ledger::default();
    let after = of(&[added(&["https://a"]), prune(ORIGINS)]);
    let mut now = after.clone();
    now.absorb(&[added(&["https://b"])]);
    assert_eq!(now.without(&before, &after), of(&[added(&["https://b"])]));
}

#[test]
fn undoing_a_removal_owns_the_value_again() {
    let before = of(&[added(&["https://a"])]);
    let mut after = before.clone();
    after.absorb(&[removed("https://a")]);
    assert_eq!(after.without(&before, &after), before);
}

#[test]
fn survives_a_round_trip_through_the_journal() {
    let ledger = of(&[added(&["https://a"]), set("x", None), prune(ORIGINS)]);
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
}
