//! The JSON schema of a file of settings, made from what the core says that can be set.

use gatehouse_api::{ConfigEntry, ConfigKind, Configuration};
use serde_json::{Map, Value, json};

/// The schema.
pub(super) fn of(configuration: &Configuration) -> Value {
    let properties: Map<String, Value> =
        configuration.entries.iter().map(|entry| (entry.key.clone(), property(entry))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of Gatehouse's edge",
        "type": "object",
        "properties": properties,
        "additionalProperties": true,
    })
}

fn property(entry: &ConfigEntry) -> Value {
    let (least, most) = (entry.least.clone().unwrap_or_default(), entry.most.clone().unwrap_or_default());
    let about = match entry.least {
        Some(_) => format!("{} From {least} to {most}.", entry.about),
        None => entry.about.to_string(),
    };
    let mut property = match entry.kind {
        ConfigKind::Time => json!({"type": "string", "pattern": "^[0-9]+ ?(ms|s|m|h|d)$"}),
        ConfigKind::TimeOrNone => json!({"type": "string", "pattern": "^([0-9]+ ?(ms|s|m|h|d)|none)$"}),
        ConfigKind::Count => {
            json!({"type": "integer", "minimum": number(&least), "maximum": number(&most)})
        }
        ConfigKind::Size => {
            json!({"type": ["string", "integer"], "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)?$"})
        }
        ConfigKind::Switch => json!({"type": "boolean"}),
        ConfigKind::PortOrNone => json!({"type": ["string", "integer"], "pattern": "^([0-9]+|none)$"}),
        ConfigKind::Networks | ConfigKind::Urls | ConfigKind::Text => json!({"type": "string"}),
    };
    let default = super::json(&ConfigEntry { value: entry.default.clone(), ..entry.clone() });
    if let Some(property) = property.as_object_mut() {
        property.insert("description".to_owned(), Value::String(about));
        property.insert("default".to_owned(), default);
    }
    property
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}
