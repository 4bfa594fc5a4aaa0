//! The frames of protocol version 4.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Hello;

/// What the gateway sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Frame {
    Res {
        id: String,
        #[serde(default)]
        ok: bool,
        #[serde(default)]
        payload: Value,
        #[serde(default)]
        error: Option<RpcError>,
    },
    Event {
        event: String,
        #[serde(default)]
        payload: Value,
    },
    #[serde(other)]
    Other,
}

/// The `error` of an answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RpcError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) details: Value,
    pub(super) retry_after_ms: Option<u64>,
}

impl RpcError {
    pub(super) fn detail_code(&self) -> &str {
        self.details.get("code").and_then(Value::as_str).unwrap_or(&self.code)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms
            .or_else(|| self.details.get("retryAfterMs").and_then(Value::as_u64))
            .map(Duration::from_millis)
    }
}

/// The text of a request.
pub(super) fn request(id: &str, method: &str, params: &Value) -> String {
    json!({"type": "req", "id": id, "method": method, "params": params}).to_string()
}

/// What `hello-ok` says.
pub(super) fn hello(payload: &Value) -> Hello {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let list = |pointer: &str| -> Vec<String> {
        let items = payload.pointer(pointer).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let tick = payload.pointer("/policy/tickIntervalMs").and_then(Value::as_u64).unwrap_or(30_000);
    Hello {
        version: text("/server/version").unwrap_or_default(),
        boot_id: text("/server/bootId").unwrap_or_default(),
        config_path: text("/snapshot/configPath"),
        state_dir: text("/snapshot/stateDir"),
        auth_mode: text("/snapshot/authMode"),
        auth_method: text("/auth/method"),
        scopes: list("/auth/scopes"),
        methods: list("/features/methods"),
        tick: Duration::from_millis(tick.max(1)),
    }
}
