//! Changes: what would be done, what is being done, what was done.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Text;

/// A step of a transaction, in the order of `design.md` §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// Find the gateway and read its configuration.
    FindGateway,
    /// Make sure that the gateway asks for a secret.
    Authentication,
    /// Make sure that the gateway listens on loopback only.
    Loopback,
    /// Make or reuse a certificate for the addresses.
    Certificate,
    /// Listen, and prove that the port is ours on every address.
    Listen,
    /// Have the router pass a port of its own on to this machine, or take that back.
    MapPort,
    /// Get the certificates of public names from their authority, which looks at the open address.
    Issue,
    /// One configuration patch: allowed origins, trusted proxies.
    Configure,
    /// Reach every address from outside, and try what must be refused.
    Verify,
    /// Remember the new desired state.
    Commit,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlanStep {
    /// Which.
    pub id: StepId,
    /// What it will do, as a sentence.
    pub title: Text,
    /// Details, a line each: values, before and after.
    pub details: Vec<Text>,
    /// Whether it changes anything; `false` = already as it should be.
    pub changes: bool,
}

/// What a request would do. Making it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Plan {
    /// What, in one line.
    pub title: Text,
    /// The steps in order.
    pub steps: Vec<PlanStep>,
    /// Whether the gateway restarts.
    pub restarts_gateway: bool,
    /// Whether open WebSocket connections to the gateway are dropped once (a change of trusted proxies does that).
    pub drops_connections: bool,
    /// The addresses that will be opened.
    pub addresses: Vec<String>,
    /// What the user should know before saying yes.
    pub warnings: Vec<Text>,
}

/// How far a step got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Runs now.
    Running,
    /// Done.
    Done,
    /// There was nothing to do.
    Skipped,
    /// Failed.
    Failed,
    /// Was done and is undone.
    RolledBack,
}

/// What kind of change it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// An address was opened, or opened differently.
    Open,
    /// The address was closed.
    Close,
    /// An origin was added or removed.
    Origins,
    /// Settings of the edge were changed.
    Settings,
    /// How public certificates are got was changed.
    Certificates,
    /// The gateway's token was replaced or moved.
    Token,
    /// An earlier change was undone.
    Undo,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeState {
    /// Under way.
    Running,
    /// Done, and kept unless it is confirmed in time.
    AwaitingConfirmation,
    /// Done.
    Committed,
    /// Failed, and everything was rolled back.
    RolledBack,
    /// Failed, and something could not be rolled back; it is tried again at the next start.
    RollbackPending,
    /// Was committed and has been undone.
    Undone,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryEntry {
    /// Its id, as `undo` takes it.
    pub id: String,
    /// What kind.
    pub kind: ChangeKind,
    /// What it did, in one line.
    pub title: Text,
    /// How it ended.
    pub state: ChangeState,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub at: OffsetDateTime,
    /// Until when it is offered for undo.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub undo_until: Option<OffsetDateTime>,
    /// What it changed in the gateway's configuration and in the settings of the edge, a line each.
    pub details: Vec<Text>,
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Change {
    /// Its id, as `undo` takes it; `None` = there was nothing to do.
    pub id: Option<String>,
    /// What it did, in one line.
    pub title: Text,
    /// How it ended.
    pub state: Option<ChangeState>,
    /// What the user should know: drift that was left alone, a port that is not 443.
    pub warnings: Vec<Text>,
    /// When it reverts by itself unless confirmed.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub confirm_by: Option<OffsetDateTime>,
}
