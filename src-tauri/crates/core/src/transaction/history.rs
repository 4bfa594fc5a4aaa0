//! What the journal says happened: pure functions over its entries.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatehouse_api::{ChangeKind, ChangeState, HistoryEntry, LastChange, StepId, Text};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::journal::{Entry, Record};
use super::ledger::Ledger;

/// How long a change is offered for undo.
pub(crate) const UNDO_WINDOW: Duration = Duration::hours(24);

/// How a change began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning<'a> {
    pub(crate) kind: ChangeKind,
    pub(crate) title: &'a Text,
    pub(crate) undoes: Option<&'a str>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) force_drift: bool,
    pub(crate) at: OffsetDateTime,
}

/// How a change was kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commitment<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) confirm_by: Option<OffsetDateTime>,
    pub(crate) undoable: bool,
    pub(crate) at: OffsetDateTime,
}

/// A step that was announced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announced<'a> {
    pub(crate) step: StepId,
    pub(crate) inverse: &'a Value,
    pub(crate) details: &'a [Text],
}

impl Entry {
    /// How it began; `None` = the file is damaged.
    pub(crate) fn beginning(&self) -> Option<Beginning<'_>> {
        self.lines.iter().find_map(|line| match &line.record {
            Record::Begin { kind, title, undoes, ledger, force_drift } => Some(Beginning {
                kind: *kind,
                title,
                undoes: undoes.as_deref(),
                ledger,
                force_drift: *force_drift,
                at: line.at,
            }),
            _ => None,
        })
    }

    /// How it was kept, if it was.
    pub(crate) fn commitment(&self) -> Option<Commitment<'_>> {
        self.lines.iter().find_map(|line| match &line.record {
            Record::Committed { ledger, confirm_by, undoable } => {
                Some(Commitment { ledger, confirm_by: *confirm_by, undoable: *undoable, at: line.at })
            }
            _ => None,
        })
    }

    /// The steps that were announced, in order.
    pub(crate) fn announced(&self) -> impl DoubleEndedIterator<Item = Announced<'_>> {
        self.lines.iter().filter_map(|line| match &line.record {
            Record::Step { step, inverse, details } => Some(Announced { step: *step, inverse, details }),
            _ => None,
        })
    }

    /// Whether the step was taken back.
    pub(crate) fn reverted(&self, step: StepId) -> bool {
        self.has(|record| matches!(record, Record::Reverted { step: at } if *at == step))
    }

    /// Whether nothing is left to do for it: it was kept, or everything was taken back.
    pub(crate) fn is_closed(&self) -> bool {
        self.beginning().is_none()
            || self.has(|record| matches!(record, Record::Committed { .. } | Record::RolledBack))
    }

    /// When it reverts unless it is confirmed; `None` = it does not.
    pub(crate) fn awaits(&self) -> Option<OffsetDateTime> {
        let deadline = self.commitment()?.confirm_by?;
        (!self.has(|record| matches!(record, Record::Confirmed))).then_some(deadline)
    }

    fn has(&self, what: impl Fn(&Record) -> bool) -> bool {
        self.lines.iter().any(|line| what(&line.record))
    }
}

/// All changes, and what follows from them together.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    newest_first: Vec<Arc<Entry>>,
    undone: BTreeSet<String>,
    running: Option<String>,
}

impl Changes {
    /// From the journal; `running` is the change that is being made now.
    pub(crate) fn new(newest_first: Vec<Arc<Entry>>, running: Option<String>) -> Self {
        let undone = newest_first
            .iter()
            .filter(|entry| entry.commitment().is_some())
            .filter_map(|entry| entry.beginning()?.undoes.map(str::to_owned))
            .collect();
        Self { newest_first, undone, running }
    }

    /// What Gatehouse owns now.
    pub(crate) fn ledger(&self) -> Ledger {
        self.newest_first
            .iter()
            .find_map(|entry| entry.commitment().map(|kept| kept.ledger.clone()))
            .unwrap_or_default()
    }

    /// Changes that a crash or a failed inverse left open, newest first.
    pub(crate) fn open(&self) -> Vec<Arc<Entry>> {
        let running = self.running.as_deref();
        self.newest_first
            .iter()
            .filter(|entry| !entry.is_closed() && running != Some(entry.id.as_str()))
            .cloned()
            .collect()
    }

    /// The newest change that is in effect, is no undo itself, and could be undone: the only one that may be.
    pub(crate) fn newest_in_effect(&self) -> Option<&Arc<Entry>> {
        self.newest_first.iter().find(|entry| self.in_effect(entry))
    }

    /// The change that waits for confirmation.
    pub(crate) fn awaiting(&self) -> Option<(&Arc<Entry>, OffsetDateTime)> {
        self.newest_first
            .iter()
            .filter(|entry| self.in_effect(entry))
            .find_map(|entry| Some((entry, entry.awaits()?)))
    }

    /// How a change ended.
    pub(crate) fn state(&self, entry: &Entry) -> ChangeState {
        if self.undone.contains(&entry.id) {
            return ChangeState::Undone;
        }
        if entry.commitment().is_some() {
            return match entry.awaits() {
                Some(_) => ChangeState::AwaitingConfirmation,
                None => ChangeState::Committed,
            };
        }
        if entry.is_closed() {
            return ChangeState::RolledBack;
        }
        match self.running.as_deref() {
            Some(id) if id == entry.id => ChangeState::Running,
            Some(_) | None => ChangeState::RollbackPending,
        }
    }

    /// What was done, newest first.
    pub(crate) fn history(&self, limit: usize) -> Vec<HistoryEntry> {
        self.newest_first.iter().filter_map(|entry| self.line(entry)).take(limit).collect()
    }

    /// The newest change, where it is still offered for undo.
    pub(crate) fn last_change(&self, now: OffsetDateTime) -> Option<LastChange> {
        let entry = self.newest_in_effect()?;
        let kept = entry.commitment()?;
        let undo_until = kept.at.saturating_add(UNDO_WINDOW);
        (kept.undoable && now < undo_until).then(|| LastChange {
            id: entry.id.clone(),
            title: entry.beginning().map(|begun| begun.title.clone()).unwrap_or_default(),
            at: kept.at,
            undo_until: Some(undo_until),
            confirm_by: entry.awaits(),
        })
    }

    /// Whether the journal of a change must not be pruned.
    pub(crate) fn must_keep(&self, entry: &Entry) -> bool {
        let newest_kept = self.newest_first.iter().find(|entry| entry.commitment().is_some());
        let id = entry.id.as_str();
        !entry.is_closed()
            || newest_kept.is_some_and(|kept| kept.id == id)
            || self.newest_in_effect().is_some_and(|newest| newest.id == id)
            || self.open().iter().any(|open| open.beginning().and_then(|begun| begun.undoes) == Some(id))
    }

    /// Inverses of the changes that a person may still want undone, and of those that are under way.
    pub(crate) fn may_be_undone(&self, now: OffsetDateTime) -> Vec<Value> {
        let young =
            |entry: &Entry| entry.commitment().is_none_or(|kept| now < kept.at.saturating_add(UNDO_WINDOW));
        self.newest_first
            .iter()
            .filter(|entry| self.may_be_taken_back(entry) && young(entry))
            .flat_map(|entry| entry.announced().map(|one| one.inverse.clone()).collect::<Vec<_>>())
            .collect()
    }

    /// Whether the change may still be taken back, and so needs the copies that it made of files. They hold the user's
    /// secrets: of a token that was replaced, the old one.
    pub(crate) fn may_be_taken_back(&self, entry: &Entry) -> bool {
        let undoable = entry.commitment().is_none_or(|kept| kept.undoable);
        !entry.is_closed() || (undoable && self.in_effect(entry))
    }

    fn in_effect(&self, entry: &Entry) -> bool {
        entry.commitment().is_some()
            && !self.undone.contains(&entry.id)
            && entry.beginning().is_some_and(|begun| begun.kind != ChangeKind::Undo)
    }

    fn line(&self, entry: &Entry) -> Option<HistoryEntry> {
        let begun = entry.beginning()?;
        let state = self.state(entry);
        let newest = self.newest_in_effect().is_some_and(|newest| newest.id == entry.id);
        let undo_until = entry
            .commitment()
            .filter(|kept| newest && kept.undoable)
            .map(|kept| kept.at.saturating_add(UNDO_WINDOW));
        Some(HistoryEntry {
            id: entry.id.clone(),
            kind: begun.kind,
            title: begun.title.clone(),
            state,
            at: begun.at,
            undo_until,
            details: entry
                .announced()
                .filter(|announced| is_told(announced.step))
                .flat_map(|announced| announced.details.iter().cloned())
                .collect(),
        })
    }
}

/// Whether its details are about a configuration: the gateway's, or that of the edge.
fn is_told(step: StepId) -> bool {
    match step {
        StepId::Authentication | StepId::Loopback | StepId::Configure | StepId::Commit => true,
        StepId::FindGateway
        | StepId::Certificate
        | StepId::Listen
        | StepId::MapPort
        | StepId::Issue
        | StepId::Verify => false,
    }
}
