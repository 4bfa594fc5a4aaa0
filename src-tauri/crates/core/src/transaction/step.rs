//! What a step is, and what takes one back.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ChangeKind, ErrorEnvelope, StepId, Text};
use serde_json::Value;

use super::draft::Draft;
use super::ledger::Ledger;

/// One step of a change. It is asked in order: [`Step::prepare`] reads and says what it would do; then, once that is
/// in the journal, [`Step::apply`] does it.
#[async_trait]
pub(crate) trait Step: Send {
    /// Which.
    fn id(&self) -> StepId;

    /// What it does, as a sentence for the time before it knows more.
    fn title(&self) -> Text;

    /// How long [`Step::prepare`] and [`Step::apply`] may take, each.
    fn limit(&self) -> Duration;

    /// Whether [`Step::apply`] may be dropped half way when the user cancels. A step that writes says no.
    fn interruptible(&self) -> bool {
        false
    }

    /// Reads, and changes nothing.
    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope>;

    /// Does what [`Step::prepare`] announced; the sentence says what came of it.
    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope>;
}

/// What a step would do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Prepared {
    /// What, as a sentence.
    pub(crate) title: Text,
    /// Values before and after, a line each.
    pub(crate) details: Vec<Text>,
    /// Whether it changes anything. What changes nothing is not journaled and has no inverse.
    pub(crate) changes: bool,
    /// Whether it runs also where it changes nothing: a check.
    pub(crate) always: bool,
    /// What takes it back.
    pub(crate) inverse: Value,
    /// A file as it was before, kept beside the journal.
    pub(crate) backup: Option<Vec<u8>>,
    /// What Gatehouse owns afterwards, where that changes.
    pub(crate) ledger: Option<Ledger>,
    /// Whether the gateway restarts.
    pub(crate) restarts_gateway: bool,
    /// Whether open connections to the gateway are dropped once.
    pub(crate) drops_connections: bool,
    /// What the user should know.
    pub(crate) warnings: Vec<Text>,
}

/// A change, ready to be planned or made.
pub(crate) struct Script {
    /// What kind.
    pub(crate) kind: ChangeKind,
    /// What it does, in one line.
    pub(crate) title: Text,
    /// How.
    pub(crate) steps: Vec<Box<dyn Step>>,
    /// What the steps share.
    pub(crate) draft: Draft,
    /// Revert unless confirmed within so many seconds.
    pub(crate) confirm_within: Option<u32>,
    /// Whether it can be undone.
    pub(crate) undoable: bool,
}

/// A step to be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Revert {
    /// Which.
    pub(crate) step: StepId,
    /// Its inverse as it stands in the journal.
    pub(crate) inverse: Value,
    /// The file as it was before.
    pub(crate) backup: Option<Vec<u8>>,
    /// Whether the edge serves; at start it does not yet, and is brought up from the settings afterwards.
    pub(crate) live: bool,
    /// Whether to take back also what somebody else changed since.
    pub(crate) force_drift: bool,
}

/// What taking a step back does, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reverted {
    /// A line each.
    pub(crate) details: Vec<Text>,
    /// What somebody else changed since, a line each.
    pub(crate) drift: Vec<Text>,
    /// Whether the gateway restarts.
    pub(crate) restarts_gateway: bool,
}

/// Takes steps back. Every inverse is safe to run when its step never ran, ran in part, or was taken back already.
#[async_trait]
pub(crate) trait Reverter: Send + Sync {
    /// Takes it back.
    async fn revert(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope>;

    /// Says what [`Reverter::revert`] would do. Changes nothing.
    async fn preview(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope>;
}
