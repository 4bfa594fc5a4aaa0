//! Which values of a configuration are secrets, and how to speak of them without showing them.

use serde_json::{Map, Value};

use super::KeyPath;
use crate::digest::sha256_hex;

/// What the gateway shows instead of a secret.
pub(super) const REDACTED: &str = "__OPENCLAW_REDACTED__";

/// Whether the value at `path` is a secret or has one in it. A `${VAR}` or a reference is none.
pub(super) fn holds_secret(path: &KeyPath, value: &Value) -> bool {
    match value {
        Value::String(text) => path.is_secret() && !text.contains("${"),
        Value::Object(map) => map.iter().any(|(key, inner)| holds_secret(&path.child(key), inner)),
        Value::Array(items) => items.iter().any(|item| holds_secret(path, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether the gateway has hidden something in the value.
pub(super) fn holds_redaction(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(REDACTED),
        Value::Object(map) => map.values().any(holds_redaction),
        Value::Array(items) => items.iter().any(holds_redaction),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value for people: secrets replaced by `(secret)`.
pub(super) fn shown(path: &KeyPath, value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value) => masked(path, value).to_string(),
    }
}

fn masked(path: &KeyPath, value: &Value) -> Value {
    match value {
        Value::String(_) if holds_secret(path, value) => Value::from("(secret)"),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, v)| (key.clone(), masked(&path.child(key), v))).collect())
        }
        Value::Array(items) => items.iter().map(|item| masked(path, item)).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A digest of the value that does not depend on the order of its keys.
pub(super) fn fingerprint(value: &Value) -> String {
    sha256_hex(sorted(value).to_string().as_bytes())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            Value::Object(
                keys.into_iter().filter_map(|key| Some((key.clone(), sorted(map.get(key)?)))).collect::<Map<
                    String,
                    Value,
                >>(
                ),
            )
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
