//! What came of reaching one address, stage by stage.

use serde::{Deserialize, Serialize};

/// A stage on the way from a device to the gateway, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TestStage {
    /// A TCP connection.
    Tcp,
    /// The TLS handshake: name, chain, and the certificate that is served now.
    Tls,
    /// `GET /healthz`, answered by the gateway.
    Health,
    /// A WebSocket, up to the gateway's challenge.
    Websocket,
}

/// How a stage came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum StageOutcome {
    /// As it must.
    Passed,
    /// Otherwise.
    Failed,
    /// It was not tried, because an earlier one failed.
    Skipped,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StageResult {
    /// Which.
    pub stage: TestStage,
    /// How it came out.
    pub outcome: StageOutcome,
    /// How long it took, in milliseconds; `None` = it was not tried.
    pub ms: Option<u64>,
    /// What was measured: addresses, versions, or why it failed.
    pub saw: String,
}

/// What came of reaching one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AddressTest {
    /// The address, as a user types it.
    pub url: String,
    /// Whether every stage passed.
    pub works: bool,
    /// The stages, in order; always all four.
    pub stages: Vec<StageResult>,
    /// What the failure means and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<crate::ErrorEnvelope>,
}
