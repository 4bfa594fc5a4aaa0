//! Devices from the gateway's answers. What lacks an id or a role is left out; everything else is optional.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Paired, Pending, TokenFacts};

impl Pending {
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let yes = |key: &str| value.get(key).and_then(Value::as_bool) == Some(true);
        let role = text("role").or_else(|| strings(value, "roles").into_iter().next())?;
        Some(Self {
            request_id: text("requestId")?,
            device_id: text("deviceId")?,
            display_name: text("displayName"),
            platform: text("platform"),
            device_family: text("deviceFamily"),
            client_id: text("clientId"),
            client_mode: text("clientMode"),
            roles: roles(value, &role),
            role,
            scopes: strings(value, "scopes"),
            remote_ip: text("remoteIp"),
            silent: yes("silent"),
            is_repair: yes("isRepair"),
            asked_at: time(value, "ts"),
        })
    }
}

impl Paired {
    pub(crate) fn from_value(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let role = text("role").or_else(|| strings(value, "roles").into_iter().next())?;
        let tokens = value.get("tokens").and_then(Value::as_array);
        Some(Self {
            device_id: text("deviceId")?,
            display_name: text("displayName"),
            label: text("operatorLabel"),
            platform: text("platform"),
            device_family: text("deviceFamily"),
            client_id: text("clientId"),
            client_mode: text("clientMode"),
            roles: roles(value, &role),
            role,
            scopes: strings(value, "scopes"),
            remote_ip: text("remoteIp"),
            approved_via: text("approvedVia"),
            created_at: time(value, "createdAtMs"),
            approved_at: time(value, "approvedAtMs"),
            last_seen_at: time(value, "lastSeenAtMs"),
            connected: value.get("connected").and_then(Value::as_bool) == Some(true),
            tokens: tokens.into_iter().flatten().map(TokenFacts::from_value).collect(),
        })
    }
}

impl TokenFacts {
    fn from_value(value: &Value) -> Self {
        Self {
            role: value.get("role").and_then(Value::as_str).unwrap_or_default().to_owned(),
            scopes: strings(value, "scopes"),
            created_at: time(value, "createdAtMs"),
            rotated_at: time(value, "rotatedAtMs"),
            revoked_at: time(value, "revokedAtMs"),
        }
    }
}

fn roles(value: &Value, role: &str) -> Vec<String> {
    let roles = strings(value, "roles");
    if roles.is_empty() { vec![role.to_owned()] } else { roles }
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    let items = value.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn time(value: &Value, key: &str) -> Option<OffsetDateTime> {
    let milliseconds = i128::from(value.get(key)?.as_i64()?);
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).ok()
}
