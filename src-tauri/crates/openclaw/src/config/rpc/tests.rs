use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{ConfigError, OnDrift, apply::apply};
use super::{Patch, Sent, refused, seconds_in};
use crate::client::CallError;

/// RFC 7386, as the gateway does it.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().shift_remove(key);
        } else {
            merge(&mut target[key.as_str()], value);
        }
    }
}

#[test]
fn a_new_entry_sends_the_whole_list_and_names_it() {
    let before = json!({"gateway": {"port": 1, "controlUi": {"allowedOrigins": ["a"], "other": 1}}});
    let after = json!({"gateway": {"port": 1, "controlUi": {"allowedOrigins": ["a", "b"], "other": 1}}});

    let patch = Patch::between(&before, &after);

    assert_eq!(patch.merge, json!({"gateway": {"controlUi": {"allowedOrigins": ["a", "b"]}}}));
    assert_eq!(patch.replace, ["gateway.controlUi.allowedOrigins"]);
}

#[test]
fn an_object_that_goes_away_is_one_null_and_names_the_lists_in_it() {
    let before = json!({"gateway": {"controlUi": {"allowedOrigins": ["a"]}}});

    let patch = Patch::between(&before, &json!({"gateway": {}}));

    assert_eq!(patch.merge, json!({"gateway": {"controlUi": null}}));
    assert_eq!(patch.replace, ["gateway.controlUi.allowedOrigins"]);
}

#[test]
fn errors_that_the_gateway_tells_only_in_words_are_told_apart() {
    let refusal = |message: &str| CallError::Refused {
        method: "config.patch".into(),
        code: "INVALID_REQUEST".into(),
        message: message.into(),
        details: Box::default(),
    };
    let limited = CallError::Unavailable {
        message: "rate limit exceeded for config.patch; retry after 35s".into(),
        retry_after: None,
    };

    assert!(matches!(refused(refusal("config changed since last load; re-run")), Sent::Stale));
    assert!(matches!(refused(refusal("invalid config")), Sent::Failed(ConfigError::Refused { .. })));
    assert!(matches!(
        refused(limited),
        Sent::Failed(ConfigError::RateLimited { retry_after: Some(wait) }) if wait == Duration::from_secs(35)
    ));
    assert_eq!(seconds_in("later"), None);
}

proptest! {
    #[test]
    fn merging_the_patch_gives_the_edited_value(edits in super::super::apply::tests::arbitrary_edits()) {
        let before = json!({
            "a": {"list": ["w", "x"], "deep": {"list": ["y"]}}, "b": {"list": [], "deep": {}}, "c": {"k": [1]},
        });
        if let Ok(applied) = apply(&before, &edits, OnDrift::Leave) {
            let mut merged = before.clone();
            merge(&mut merged, &Patch::between(&before, &applied.after).merge);
            prop_assert_eq!(merged, applied.after);
        }
    }
}
