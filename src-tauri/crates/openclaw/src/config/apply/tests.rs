use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Edit, Expected, KeyPath, OnDrift};
use super::{apply, at};

fn add(path: &str, values: &[&str]) -> Edit {
    Edit::AddToArray { path: path.into(), values: values.iter().map(|v| (*v).to_owned()).collect() }
}

fn take(path: &str, values: &[&str]) -> Edit {
    Edit::RemoveFromArray { path: path.into(), values: values.iter().map(|v| (*v).to_owned()).collect() }
}

fn set(path: &str, value: Value) -> Edit {
    Edit::Set { path: path.into(), value }
}

fn refused(config: &Value, edit: Edit) -> String {
    let refusal = apply(config, &[edit], OnDrift::Leave).unwrap_err();
    format!("{}: {}", refusal.at, refusal.because)
}

const ORIGINS: &str = "gateway.controlUi.allowedOrigins";

#[test]
fn adding_makes_what_is_missing_and_the_inverse_removes_it_again() {
    let before = json!({"gateway": {"port": 1}});

    let applied = apply(&before, &[add(ORIGINS, &["a", "b"])], OnDrift::Leave).unwrap();
    let undone = apply(&applied.after, &applied.inverse, OnDrift::Leave).unwrap();

    assert_eq!(at(&applied.after, &ORIGINS.into()), Some(&json!(["a", "b"])));
    assert_eq!(undone.after, before);
    assert!(undone.drift.is_empty());
}

#[test]
fn an_entry_that_was_there_before_is_not_ours() {
    let before = json!({"gateway": {"controlUi": {"allowedOrigins": ["theirs"]}}});

    let applied = apply(&before, &[add(ORIGINS, &["theirs", "ours"])], OnDrift::Leave).unwrap();

    assert_eq!(
        applied.inverse,
        [Edit::RemoveFromArray { path: ORIGINS.into(), values: vec!["ours".to_owned()] }]
    );
}

#[test]
fn nothing_to_do_changes_nothing_and_has_no_inverse() {
    let before = json!({"gateway": {"bind": "loopback", "controlUi": {"allowedOrigins": ["a"]}}});
    let edits = [
        add(ORIGINS, &["a"]),
        take(ORIGINS, &["b"]),
        take("gateway.trustedProxies", &["::1"]),
        set("gateway.bind", json!("loopback")),
        Edit::Remove { path: "gateway.tls".into() },
    ];

    let applied = apply(&before, &edits, OnDrift::Leave).unwrap();

    assert_eq!((applied.after, applied.operations.len(), applied.inverse.len()), (before, 0, 0));
}

#[test]
fn a_list_that_got_a_foreign_entry_meanwhile_keeps_it() {
    let before = json!({});
    let applied = apply(&before, &[add(ORIGINS, &["ours"])], OnDrift::Leave).unwrap();
    let meanwhile = json!({"gateway": {"controlUi": {"allowedOrigins": ["ours", "theirs"]}}});

    let undone = apply(&meanwhile, &applied.inverse, OnDrift::Leave).unwrap();

    assert_eq!(undone.after, json!({"gateway": {"controlUi": {"allowedOrigins": ["theirs"]}}}));
}

#[test]
fn a_value_that_somebody_changed_is_left_alone_and_reported() {
    let applied = apply(
        &json!({"gateway": {"bind": "lan"}}),
        &[set("gateway.bind", json!("loopback"))],
        OnDrift::Leave,
    )
    .unwrap();
    let meanwhile = json!({"gateway": {"bind": "tailnet"}});

    let undone = apply(&meanwhile, &applied.inverse, OnDrift::Leave).unwrap();

    assert_eq!(undone.after, meanwhile);
    assert_eq!(undone.drift.len(), 1);
    assert_eq!(
        (undone.drift[0].ours.as_str(), undone.drift[0].now.as_str()),
        ("\"loopback\"", "\"tailnet\"")
    );
}

#[test]
fn a_changed_value_is_restored_when_that_is_asked_for() {
    let applied = apply(
        &json!({"gateway": {"bind": "lan"}}),
        &[set("gateway.bind", json!("loopback"))],
        OnDrift::Leave,
    )
    .unwrap();

    let undone =
        apply(&json!({"gateway": {"bind": "tailnet"}}), &applied.inverse, OnDrift::Overwrite).unwrap();

    assert_eq!(undone.after, json!({"gateway": {"bind": "lan"}}));
    assert_eq!(undone.drift.len(), 1);
}

#[test]
fn a_list_that_became_something_else_is_drift_and_no_error() {
    let applied = apply(&json!({}), &[add(ORIGINS, &["ours"])], OnDrift::Leave).unwrap();
    let meanwhile = json!({"gateway": {"controlUi": {"allowedOrigins": "https://one.example"}}});

    let undone = apply(&meanwhile, &applied.inverse, OnDrift::Leave).unwrap();

    assert_eq!((undone.after, undone.drift.len()), (meanwhile, 1));
}

#[test]
fn an_include_on_or_above_or_below_the_path_is_refused() {
    let above = json!({"gateway": {"$include": "./gateway.json5"}});
    let on = json!({"gateway": {"controlUi": {"allowedOrigins": {"$include": "./list.json5"}}}});
    let below = json!({"gateway": {"tls": {"deep": {"$include": "./tls.json5"}}}});
    let root = json!({"$include": "./all.json5"});

    assert!(refused(&above, add(ORIGINS, &["a"])).starts_with("gateway: it comes from another file"));
    assert!(refused(&on, add(ORIGINS, &["a"])).contains("another file"));
    assert!(refused(&below, Edit::Remove { path: "gateway.tls".into() }).contains("another file"));
    assert!(refused(&root, set("gateway.bind", json!("loopback"))).contains("another file"));
}

#[test]
fn shapes_that_are_not_what_they_should_be_are_refused() {
    assert!(refused(&json!({"gateway": 1}), set("gateway.bind", json!("x"))).contains("no object"));
    assert!(refused(&json!({"gateway": null}), set("gateway.bind", json!("x"))).contains("no object"));
    assert!(refused(&json!({"l": ["a", 1]}), add("l", &["b"])).contains("no text"));
    assert!(refused(&json!({"l": {}}), add("l", &["b"])).contains("no list"));
}

#[test]
fn a_variable_is_never_replaced_and_never_added() {
    let config = json!({"l": ["${ORIGIN}", "b"], "v": "${NAME}"});

    assert!(refused(&config, take("l", &["${ORIGIN}"])).contains("${…}"));
    assert!(refused(&config, set("v", json!("x"))).contains("${…}"));
    assert!(refused(&config, add("l", &["${X}"])).contains("${…}"));
    assert!(apply(&config, &[take("l", &["b"])], OnDrift::Leave).is_ok());
}

#[test]
fn a_secret_that_is_there_is_never_replaced_because_the_journal_would_hold_it() {
    let config = json!({"gateway": {"auth": {"token": "very-secret"}}});

    for edit in [
        set("gateway.auth.token", json!("other")),
        Edit::Remove { path: "gateway.auth".into() },
        set("gateway.auth", json!({"mode": "none"})),
    ] {
        assert!(refused(&config, edit).contains("secret"));
    }
}

#[test]
fn a_secret_that_we_add_is_in_no_inverse_no_change_and_no_debug_text() {
    let edit = set("gateway.auth", json!({"mode": "token", "token": "very-secret"}));

    let applied = apply(&json!({}), std::slice::from_ref(&edit), OnDrift::Leave).unwrap();

    let told = format!("{:?} {:?} {edit:?}", applied.changes, applied.inverse);
    let journaled = serde_json::to_string(&applied.inverse).unwrap();
    assert!(!told.contains("very-secret") && !journaled.contains("very-secret"), "{told} {journaled}");
    assert!(matches!(&applied.inverse[0], Edit::Restore { ours: Expected::Digest(_), .. }));
    assert_eq!(apply(&applied.after, &applied.inverse, OnDrift::Leave).unwrap().after, json!({}));
}

const PATHS: [&str; 6] = ["a", "b", "a.list", "b.list", "a.deep.list", "b.deep.value"];

fn arbitrary_config() -> impl Strategy<Value = Value> {
    let list = proptest::collection::vec("[w-z]", 0..4).prop_map(|items| json!(items));
    let leaf = prop_oneof![Just(json!(1)), Just(json!("text")), Just(json!({})), list.clone()];
    let deep = proptest::option::of((proptest::option::of(list.clone()), proptest::option::of(leaf.clone())))
        .prop_map(|deep| {
            deep.map(|(list, value)| {
                let mut map = serde_json::Map::new();
                list.map(|list| map.insert("list".to_owned(), list));
                value.map(|value| map.insert("value".to_owned(), value));
                Value::Object(map)
            })
        });
    let branch = (proptest::option::of(list), deep).prop_map(|(list, deep)| {
        let mut map = serde_json::Map::new();
        list.map(|list| map.insert("list".to_owned(), list));
        deep.map(|deep| map.insert("deep".to_owned(), deep));
        Value::Object(map)
    });
    (proptest::option::of(branch.clone()), proptest::option::of(branch), leaf).prop_map(|(a, b, c)| {
        let mut map = serde_json::Map::new();
        a.map(|a| map.insert("a".to_owned(), a));
        b.map(|b| map.insert("b".to_owned(), b));
        map.insert("c".to_owned(), c);
        Value::Object(map)
    })
}

pub(in crate::config) fn arbitrary_edits() -> impl Strategy<Value = Vec<Edit>> {
    let values = proptest::collection::vec("[w-z]|ours[12]", 0..3);
    let edit = (0..6_usize, 0..4_u8, values).prop_map(|(path, kind, values)| {
        let path = PATHS[path].into();
        match kind {
            0 => Edit::AddToArray { path, values },
            1 => Edit::RemoveFromArray { path, values },
            2 => Edit::Set { path, value: json!({"made": values}) },
            _ => Edit::Remove { path },
        }
    });
    proptest::collection::vec(edit, 0..5)
}

proptest! {
    #[test]
    fn the_inverse_gives_the_value_back(before in arbitrary_config(), edits in arbitrary_edits()) {
        if let Ok(applied) = apply(&before, &edits, OnDrift::Leave) {
            let undone = apply(&applied.after, &applied.inverse, OnDrift::Leave).unwrap();
            prop_assert_eq!(&undone.after, &before);
            prop_assert!(undone.drift.is_empty());
            let redone = apply(&undone.after, &undone.inverse, OnDrift::Leave).unwrap();
            prop_assert_eq!(redone.after, applied.after);
        }
    }

    #[test]
    fn what_somebody_else_changed_meanwhile_stays(
        before in arbitrary_config(),
        ours in proptest::collection::vec("ours[1-4]", 1..4),
        theirs in proptest::collection::vec("theirs[1-4]", 0..4),
        removed in any::<bool>(),
    ) {
        let edits = [
            Edit::AddToArray { path: "a.list".into(), values: ours.clone() },
            Edit::AddToArray { path: "b.deep.list".into(), values: ours.clone() },
            Edit::Set { path: "mode".into(), value: json!("ours") },
        ];
        let applied = apply(&before, &edits, OnDrift::Leave).unwrap();
        let mut meanwhile = applied.after.clone();
        let mut expected = before.clone();
        for value in [&mut meanwhile, &mut expected] {
            value["foreign"] = json!({"key": 1});
            value["mode"] = json!("theirs");
            for (path, key) in [("/a/list", "list"), ("/b/deep/list", "deep")] {
                if removed && key == "list" {
                    continue;
                }
                if let Some(list) = value.pointer_mut(path).and_then(Value::as_array_mut) {
                    list.extend(theirs.iter().map(|text| json!(text)));
                }
            }
        }
        let undone = apply(&meanwhile, &applied.inverse, OnDrift::Leave).unwrap();
        prop_assert_eq!(&undone.after["foreign"], &json!({"key": 1}));
        prop_assert_eq!(&undone.after["mode"], &json!("theirs"));
        prop_assert_eq!(undone.drift.len(), 1);
        for path in ["/a/list", "/b/deep/list"] {
            let kept = undone.after.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default();
            prop_assert!(!kept.iter().any(|item| item.as_str().is_some_and(|text| text.starts_with("ours"))));
            if let Some(list) = expected.pointer(path).and_then(Value::as_array) {
                prop_assert_eq!(&kept, list);
            }
        }
    }
}

#[test]
fn a_secret_is_replaced_and_written_down_nowhere() {
    let before = json!({"gateway": {"auth": {"token": "hunter2-hunter2"}}});
    let reference = json!({"source": "exec", "provider": "gatehouse", "id": "gateway-token"});
    let path = KeyPath::from("gateway.auth.token");

    let there = apply(
        &before,
        &[Edit::Replace { path: path.clone(), value: Some(reference.clone()) }],
        OnDrift::Leave,
    );
    let there = there.unwrap();
    let back = [Edit::Replace { path: path.clone(), value: Some(json!("hunter3-hunter3")) }];
    let gone = apply(&before, &[Edit::Replace { path: path.clone(), value: None }], OnDrift::Leave).unwrap();
    let again = apply(&there.after, &back, OnDrift::Leave).unwrap();

    assert_eq!(at(&there.after, &path), Some(&reference));
    assert_eq!(there.inverse, Vec::new());
    assert_eq!(at(&again.after, &path), Some(&json!("hunter3-hunter3")));
    assert_eq!(gone.after, json!({"gateway": {"auth": {}}}));
    let told = format!("{:?} {:?} {:?} {:?}", there.changes, again.changes, gone.changes, back);
    assert!(!told.contains("hunter"), "{told}");
}
