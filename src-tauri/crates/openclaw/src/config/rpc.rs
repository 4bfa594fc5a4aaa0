//! Edits of the configuration through the running gateway: one `config.patch` for all of them.
//!
//! What is sent and what takes it back are computed from the file's own text as the gateway parsed it, so that defaults
//! and resolved variables never get into the file. A change elsewhere in the file meanwhile is no conflict; a change of
//! what we touch is. The gateway rewrites the file as plain JSON and adds a `meta` key of its own.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::apply::{Applied, apply, at};
use super::secret::holds_redaction;
use super::{ConfigError, Drift, Edit, KeyPath, OnDrift, View};
use crate::client::{CallError, GatewayClient};

/// A write that the gateway answers takes about 0.3 s; one that changes only empty objects is never answered.
const WRITE_LIMIT: Duration = Duration::from_secs(12);
const ATTEMPTS: u32 = 4;

/// A patch, ready to be sent. Making it changed nothing.
pub struct PreparedPatch {
    record: PatchRecord,
    edits: Vec<Edit>,
    on_drift: OnDrift,
    touched: Vec<(KeyPath, Option<Value>)>,
    noop: bool,
}

/// What a journal needs to take a patch back. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatchRecord {
    /// The gateway's hash of the configuration that this was computed from.
    pub base_hash: String,
    /// The file that the gateway writes.
    pub config_path: Option<String>,
    /// The edits that remove what this one added.
    pub inverse: Vec<Edit>,
    /// What changes, a line each.
    pub changes: Vec<String>,
    /// What was left alone because somebody changed it (inverses only).
    pub drift: Vec<Drift>,
}

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Paths that the gateway says have changed; empty = nothing to do.
    pub changed_paths: Vec<String>,
    /// Whether the gateway restarts because of it.
    pub restarts: bool,
    /// The gateway's hash of the configuration afterwards.
    pub hash: Option<String>,
}

/// Computes a patch from what the gateway has now. Changes nothing.
///
/// # Errors
/// [`ConfigError::Unsupported`], [`ConfigError::Refused`] when the configuration is invalid already,
/// [`ConfigError::Call`].
pub async fn prepare(client: &GatewayClient, edits: &[Edit]) -> Result<PreparedPatch, ConfigError> {
    prepare_with(client, edits, OnDrift::Leave).await
}

/// [`prepare`] with a say in what happens to values that somebody changed.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_with(
    client: &GatewayClient,
    edits: &[Edit],
    on_drift: OnDrift,
) -> Result<PreparedPatch, ConfigError> {
    let now = Snapshot::read(client).await?;
    now.editable()?;
    let applied = apply(&now.parsed, edits, on_drift)?;
    let touched = touched(&now.parsed, &applied);
    Ok(PreparedPatch {
        touched,
        noop: applied.operations.is_empty(),
        record: PatchRecord {
            base_hash: now.hash,
            config_path: now.path,
            inverse: applied.inverse,
            changes: applied.changes,
            drift: applied.drift,
        },
        edits: edits.to_vec(),
        on_drift,
    })
}

impl PreparedPatch {
    /// What a journal needs.
    #[must_use]
    pub fn record(&self) -> &PatchRecord {
        &self.record
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.noop
    }

    /// Sends the patch. Where the configuration changed meanwhile elsewhere than at our paths, it is computed again and
    /// sent again. An answer that never came is settled by reading what the gateway has.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] when a touched value changed meanwhile; [`ConfigError::Refused`],
    /// [`ConfigError::RateLimited`], [`ConfigError::Call`].
    pub async fn commit(&self, client: &GatewayClient) -> Result<Committed, ConfigError> {
        if self.noop {
            let hash = Some(self.record.base_hash.clone());
            return Ok(Committed { changed_paths: Vec::new(), restarts: false, hash });
        }
        for _ in 0..ATTEMPTS {
            let now = Snapshot::read(client).await?;
            now.editable()?;
            if self.touched.iter().any(|(path, before)| at(&now.parsed, path) != before.as_ref()) {
                return Err(ConfigError::Conflict);
            }
            let applied = apply(&now.parsed, &self.edits, self.on_drift)?;
            let patch = Patch::between(&now.parsed, &applied.after);
            match send(client, &patch, &now.hash).await {
                Ok(committed) => return Ok(committed),
                Err(Sent::Stale) => {}
                Err(Sent::Unknown(error)) => return settle(client, &applied, &self.touched, error).await,
                Err(Sent::Failed(error)) => return Err(error),
            }
        }
        Err(ConfigError::Conflict)
    }
}

impl fmt::Debug for PreparedPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedPatch").field("record", &self.record).finish_non_exhaustive()
    }
}

/// Reads the keys that Gatehouse looks at, with variables resolved.
///
/// # Errors
/// [`ConfigError::Call`], [`ConfigError::Answer`].
pub async fn read_view(client: &GatewayClient) -> Result<View, ConfigError> {
    let answer = client.ask("config.get", json!({})).await?;
    let resolved = answer.get("resolved").or_else(|| answer.get("sourceConfig"));
    let parsed = answer.get("parsed").unwrap_or(&Value::Null);
    let mut view = View::of(resolved.unwrap_or(parsed));
    view.token_is_plain = View::of(parsed).token_is_plain;
    Ok(view)
}

/// Replaces the shared token. Its old value is hidden by the gateway, so this has no inverse.
pub(crate) async fn replace_token(client: &GatewayClient, token: &SecretString) -> Result<(), ConfigError> {
    let patch =
        Patch { merge: json!({"gateway": {"auth": {"token": token.expose_secret()}}}), replace: Vec::new() };
    for _ in 0..ATTEMPTS {
        let now = Snapshot::read(client).await?;
        match send(client, &patch, &now.hash).await {
            Ok(_) => return Ok(()),
            Err(Sent::Stale) => {}
            Err(Sent::Unknown(error)) => return Err(error.into()),
            Err(Sent::Failed(error)) => return Err(error),
        }
    }
    Err(ConfigError::Conflict)
}

/// What `config.get` says.
struct Snapshot {
    parsed: Value,
    hash: String,
    path: Option<String>,
    problem: Option<String>,
}

impl Snapshot {
    async fn read(client: &GatewayClient) -> Result<Self, ConfigError> {
        let answer = client.ask("config.get", json!({})).await?;
        let hash = answer.get("hash").and_then(Value::as_str).ok_or(ConfigError::Answer { what: "hash" })?;
        let parsed = match answer.get("parsed") {
            Some(parsed) if parsed.is_object() => parsed.clone(),
            Some(Value::Null) | None => Value::Object(Map::new()),
            Some(_) => return Err(ConfigError::Answer { what: "parsed" }),
        };
        let valid = answer.get("valid").and_then(Value::as_bool) != Some(false);
        Ok(Self {
            parsed,
            hash: hash.to_owned(),
            path: answer.get("path").and_then(Value::as_str).map(str::to_owned),
            problem: (!valid).then(|| issues(answer.get("issues"))),
        })
    }

    /// The gateway keeps running with the last good configuration while its file is invalid: not ours to repair.
    fn editable(&self) -> Result<(), ConfigError> {
        match &self.problem {
            Some(because) => Err(ConfigError::Refused { because: because.clone() }),
            None => Ok(()),
        }
    }
}

/// A merge patch (RFC 7386) and the arrays that it replaces or removes.
#[derive(Debug, PartialEq)]
struct Patch {
    merge: Value,
    replace: Vec<String>,
}

impl Patch {
    fn between(before: &Value, after: &Value) -> Self {
        let mut replace = Vec::new();
        let merge = difference(&KeyPath::new(Vec::<String>::new()), before, after, &mut replace)
            .unwrap_or_else(|| Value::Object(Map::new()));
        Self { merge, replace }
    }
}

fn difference(path: &KeyPath, before: &Value, after: &Value, replace: &mut Vec<String>) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        arrays(path, before, replace);
        return Some(after.clone());
    };
    let mut merge = Map::new();
    for (key, value) in old {
        match new.get(key) {
            None => {
                arrays(&path.child(key), value, replace);
                merge.insert(key.clone(), Value::Null);
            }
            Some(now) => {
                if let Some(inner) = difference(&path.child(key), value, now, replace) {
                    merge.insert(key.clone(), inner);
                }
            }
        }
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        merge.insert(key.clone(), value.clone());
    }
    Some(Value::Object(merge))
}

/// Names the arrays in a value that goes away: the gateway wants each of them named.
fn arrays(path: &KeyPath, value: &Value, replace: &mut Vec<String>) {
    match value {
        Value::Array(_) => replace.push(path.to_string()),
        Value::Object(map) => map.iter().for_each(|(key, inner)| arrays(&path.child(key), inner, replace)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The values that the operations touch, as they are before.
fn touched(before: &Value, applied: &Applied) -> Vec<(KeyPath, Option<Value>)> {
    let mut touched: Vec<(KeyPath, Option<Value>)> = Vec::new();
    for operation in &applied.operations {
        let path = operation.path();
        if !touched.iter().any(|(known, _)| known == path) {
            touched.push((path.clone(), at(before, path).cloned()));
        }
    }
    touched
}

enum Sent {
    Stale,
    Unknown(CallError),
    Failed(ConfigError),
}

async fn send(client: &GatewayClient, patch: &Patch, base_hash: &str) -> Result<Committed, Sent> {
    let mut params = json!({"raw": patch.merge.to_string(), "baseHash": base_hash});
    if !patch.replace.is_empty() {
        params["replacePaths"] = json!(patch.replace);
    }
    let answer = client.call_within("config.patch", params, WRITE_LIMIT).await.map_err(refused)?;
    let paths = answer.get("changedPaths").and_then(Value::as_array);
    Ok(Committed {
        changed_paths: paths
            .into_iter()
            .flatten()
            .filter_map(|path| path.as_str().map(str::to_owned))
            .collect(),
        restarts: answer.pointer("/sentinel/payload/stats/requiresRestart").and_then(Value::as_bool)
            == Some(true),
        hash: answer.get("hash").and_then(Value::as_str).map(str::to_owned),
    })
}

/// The gateway tells stale hashes and its rate limit apart only in words.
fn refused(error: CallError) -> Sent {
    match error {
        CallError::Refused { message, .. }
            if message.contains("config changed since last load") || message.contains("base hash") =>
        {
            Sent::Stale
        }
        CallError::Refused { message, details, .. } => {
            let because = match details.get("issues") {
                Some(found) => format!("{message} ({})", issues(Some(found))),
                None => message,
            };
            Sent::Failed(ConfigError::Refused { because })
        }
        CallError::Unavailable { message, retry_after } if message.contains("rate limit") => {
            Sent::Failed(ConfigError::RateLimited {
                retry_after: retry_after.or_else(|| seconds_in(&message)),
            })
        }
        CallError::Lost | CallError::TimedOut { .. } => Sent::Unknown(error),
        other => Sent::Failed(other.into()),
    }
}

/// Finds out whether a patch without an answer was written.
async fn settle(
    client: &GatewayClient,
    applied: &Applied,
    touched: &[(KeyPath, Option<Value>)],
    error: CallError,
) -> Result<Committed, ConfigError> {
    if client.ready(WRITE_LIMIT).await.is_err() {
        return Err(error.into());
    }
    let now = Snapshot::read(client).await?;
    let written = touched.iter().all(|(path, _)| match (at(&now.parsed, path), at(&applied.after, path)) {
        (Some(now), Some(_)) if holds_redaction(now) => true,
        (now, meant) => now == meant,
    });
    if !written {
        return Err(error.into());
    }
    let changed_paths = touched.iter().map(|(path, _)| path.to_string()).collect();
    Ok(Committed { changed_paths, restarts: false, hash: Some(now.hash) })
}

fn issues(found: Option<&Value>) -> String {
    let items = found.and_then(Value::as_array);
    let lines: Vec<String> = items
        .into_iter()
        .flatten()
        .map(|issue| {
            let text = |key: &str| issue.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{}: {}", text("path"), text("message"))
        })
        .collect();
    if lines.is_empty() { "the configuration is invalid".to_owned() } else { lines.join("; ") }
}

fn seconds_in(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("retry after ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some(Duration::from_secs(digits.parse().ok()?))
}

#[cfg(test)]
mod tests;
