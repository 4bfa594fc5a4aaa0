//! Texts in JSON for programs: `title` stays an English string, and `title_key` beside it says which text it is.
//!
//! Guarantees: a field that holds words is a string, or a list of strings, whether or not they are the catalogue's;
//! its `_key` (for a list `_keys`) is there only where the catalogue's are.

use serde_json::{Map, Value};

/// The same value with every text as a string.
pub(crate) fn flat(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut flattened = Map::new();
            for (name, value) in fields {
                match value {
                    Value::Array(items) if items.iter().any(|item| key(item).is_some()) => {
                        let keys =
                            items.iter().map(|item| key(item).map_or(Value::Null, Value::from)).collect();
                        let items = items.into_iter().map(english).collect();
                        flattened.insert(format!("{name}_keys"), keys);
                        flattened.insert(name, Value::Array(items));
                    }
                    value => {
                        let key = key(&value).map(Value::from);
                        flattened.insert(name.clone(), english(value));
                        if let Some(key) = key {
                            flattened.insert(format!("{name}_key"), key);
                        }
                    }
                }
            }
            Value::Object(flattened)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(english).collect()),
        other => other,
    }
}

/// A text's English; any other value with its texts flattened.
fn english(value: Value) -> Value {
    match key(&value) {
        Some(_) => value.get("text").cloned().unwrap_or_default(),
        None => flat(value),
    }
}

/// The key of what is a text of the catalogue on the wire: `{key, args?, text}`.
fn key(value: &Value) -> Option<&str> {
    let fields = value.as_object()?;
    let is_text = fields.keys().all(|name| matches!(name.as_str(), "key" | "args" | "text"));
    fields.get("text").filter(|text| is_text && text.is_string())?;
    fields.get("key")?.as_str()
}

#[cfg(test)]
mod tests {
    use gatehouse_api::{Code, ErrorEnvelope, say};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_stays_a_string_and_its_key_stands_beside_it() {
        let error = ErrorEnvelope::new(Code::Busy, say!("core.busy.title"), "somebody's own words")
            .evidence("a line")
            .evidence(say!("core.and", first = "x", next = "y"))
            .fix(say!("core.try-again"));

        let expected = json!({
            "error": {
                "code": "busy",
                "title": "Another change is under way",
                "title_key": "core.busy.title",
                "because": "somebody's own words",
                "evidence": ["a line", "x; y"],
                "evidence_keys": [null, "core.and"],
                "fix": {"text": "Try again.", "text_key": "core.try-again"},
            }
        });
        assert_eq!(flat(json!({"error": error})), expected);
    }

    #[test]
    fn what_only_looks_like_a_text_is_left_alone() {
        let value =
            json!({"key": "a", "text": 1, "list": [{"key": "b"}], "more": {"key": "c", "text": "d", "e": 1}});
        assert_eq!(flat(value.clone()), value);
    }
}
