//! Makes changes, takes them back, and repairs what a crash left.
//!
//! Guarantees: a step runs only after its inverse is on disk; a failure at any point takes back every step that was
//! announced, newest first, and goes on with the others where one cannot be taken back; what is left open is found and
//! retried; nothing is kept before every step, the verification included, said yes.

mod defect;
mod outcome;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehouse_api::{
    Change, ChangeKind, ChangeState, Code, ErrorEnvelope, Plan, PlanStep, Progress, StepId, StepState, Text,
    say,
};
use tokio::sync::{broadcast, watch};

use self::outcome::{Unwound, rolled_back, stopped, storage, undone};
use super::history::Changes;
use super::journal::{Entry, Journal, Record, step_name, step_text};
use super::step::{Prepared, Revert, Reverted, Reverter, Script, Step};
use crate::context::{Checkpoint, Clock};
use crate::errors;

const REVERT_LIMIT: Duration = Duration::from_secs(90);

/// See the module.
pub(crate) struct Engine {
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) checkpoint: Arc<dyn Checkpoint>,
    pub(crate) reverter: Arc<dyn Reverter>,
    pub(crate) progress: broadcast::Sender<Progress>,
    /// The change that is being made.
    pub(crate) running: watch::Sender<Option<String>>,
    /// Set while the running change is to stop.
    pub(crate) cancelled: watch::Sender<bool>,
    /// Whether the running change can be stopped: its steps are being made, not taken back.
    pub(crate) stoppable: AtomicBool,
}

/// A change under way.
struct Run<'a> {
    id: String,
    of: u8,
    number: u8,
    engine: &'a Engine,
    began: bool,
    warnings: Vec<Text>,
}

impl Engine {
    /// What the journal says now.
    pub(crate) fn changes(&self) -> Changes {
        Changes::new(self.journal.newest_first(), self.running.borrow().clone())
    }

    /// What the script would do.
    pub(crate) async fn plan(&self, mut script: Script) -> Result<Plan, ErrorEnvelope> {
        script.draft.ledger = self.changes().ledger();
        let mut plan = Plan {
            title: script.title,
            steps: Vec::new(),
            restarts_gateway: false,
            drops_connections: false,
            addresses: Vec::new(),
            warnings: Vec::new(),
        };
        for step in &mut script.steps {
            let prepared = within(step.limit(), step.prepare(&mut script.draft)).await?;
            plan.restarts_gateway |= prepared.restarts_gateway;
            plan.drops_connections |= prepared.drops_connections;
            plan.warnings.extend(prepared.warnings);
            plan.steps.push(PlanStep {
                id: step.id(),
                title: prepared.title,
                details: prepared.details,
                changes: prepared.changes,
            });
            if let Some(ledger) = prepared.ledger {
                script.draft.ledger = ledger;
            }
        }
        plan.addresses = script.draft.urls();
        Ok(plan)
    }

    /// Makes the change, or leaves everything as it was.
    pub(crate) async fn run(&self, mut script: Script) -> Result<Change, ErrorEnvelope> {
        let before = self.changes().ledger();
        script.draft.ledger = before.clone();
        let begin = Record::Begin {
            kind: script.kind,
            title: script.title.clone(),
            undoes: None,
            ledger: before,
            force_drift: false,
        };
        let mut run = Run {
            id: self.journal.next_id(self.clock.now()),
            of: u8::try_from(script.steps.len()).unwrap_or(u8::MAX),
            number: 0,
            engine: self,
            began: false,
            warnings: Vec::new(),
        };
        let at_work = self.at_work(&run.id);
        self.stoppable.store(true, Ordering::SeqCst);
        let outcome = run.steps(&mut script, begin).await;
        self.stoppable.store(false, Ordering::SeqCst);
        let result = match outcome {
            Ok(()) if !run.began => Ok(Change {
                id: None,
                title: script.title,
                state: None,
                warnings: run.warnings,
                confirm_by: None,
            }),
            Ok(()) => self.commit(&run, script).await,
            Err((step, cause)) => Err(self.give_up(&run, &script.title, step, cause).await),
        };
        drop(at_work);
        self.prune();
        result
    }

    async fn commit(&self, run: &Run<'_>, script: Script) -> Result<Change, ErrorEnvelope> {
        let confirm_by = script
            .confirm_within
            .map(|seconds| self.clock.now().saturating_add(time::Duration::seconds(i64::from(seconds))));
        let record = Record::Committed { ledger: script.draft.ledger, confirm_by, undoable: script.undoable };
        self.checkpoint.reached("end", "before-journal");
        if let Err(error) = self.append(&run.id, record) {
            return Err(self.give_up(run, &script.title, StepId::Commit, error).await);
        }
        self.checkpoint.reached("end", "after-journal");
        let state = match confirm_by {
            Some(_) => ChangeState::AwaitingConfirmation,
            None => ChangeState::Committed,
        };
        Ok(Change {
            id: Some(run.id.clone()),
            title: script.title,
            state: Some(state),
            warnings: run.warnings.clone(),
            confirm_by,
        })
    }

    async fn give_up(
        &self,
        run: &Run<'_>,
        title: &Text,
        step: StepId,
        cause: ErrorEnvelope,
    ) -> ErrorEnvelope {
        run.tell(step, StepState::Failed, errors::both(&cause));
        if !run.began {
            return cause;
        }
        let because = errors::both(&cause);
        self.note(&run.id, Record::Failed { step, code: cause.code, because });
        let unwound = match self.journal.get(&run.id) {
            Some(entry) => self.unwind(&entry, &entry, true, false).await,
            None => Unwound::default(),
        };
        if unwound.failures.is_empty() {
            self.note(&run.id, Record::RolledBack);
        }
        rolled_back(title, step, cause, unwound)
    }

    /// Takes back what a crash or a failed inverse left open, newest first. `live` = the edge serves.
    pub(crate) async fn recover(&self, live: bool) -> Vec<Change> {
        let mut repaired = Vec::new();
        for entry in self.changes().open() {
            let Some(begun) = entry.beginning() else { continue };
            let title = begun.title.clone();
            let (state, unwound) = match begun.undoes.map(str::to_owned) {
                Some(original) => {
                    let force = begun.force_drift;
                    self.finish_undo(&entry.id, &original, live, force).await
                }
                None => {
                    let unwound = self.unwind(&entry, &entry, live, false).await;
                    let state = match unwound.failures.is_empty() {
                        true => {
                            self.note(&entry.id, Record::RolledBack);
                            ChangeState::RolledBack
                        }
                        false => ChangeState::RollbackPending,
                    };
                    (state, unwound)
                }
            };
            tracing::info!(change = entry.id, ?state, "a change that was left open was repaired");
            let mut warnings = unwound.drift;
            warnings.extend(unwound.failures);
            repaired.push(Change {
                id: Some(entry.id.clone()),
                title,
                state: Some(state),
                warnings,
                confirm_by: None,
            });
        }
        if !repaired.is_empty() {
            self.prune();
        }
        repaired
    }

    /// What taking a change back would do, or why it cannot be.
    pub(crate) async fn preview(&self, entry: &Entry, force_drift: bool) -> Result<Plan, ErrorEnvelope> {
        let mut plan = Plan {
            title: undo_title(entry),
            steps: Vec::new(),
            restarts_gateway: false,
            drops_connections: false,
            addresses: Vec::new(),
            warnings: Vec::new(),
        };
        for announced in entry.announced().rev() {
            let revert = self.revert(&entry.id, announced.step, announced.inverse, true, force_drift)?;
            let would = within(REVERT_LIMIT, self.reverter.preview(&revert)).await?;
            plan.restarts_gateway |= would.restarts_gateway;
            plan.warnings.extend(would.drift);
            plan.steps.push(PlanStep {
                id: announced.step,
                title: say!("core.undo.step", step = step_text(announced.step)),
                changes: !would.details.is_empty(),
                details: would.details,
            });
        }
        Ok(plan)
    }

    /// Takes a committed change back, as a change of its own.
    pub(crate) async fn undo(
        &self,
        entry: &Entry,
        title: Text,
        force_drift: bool,
        live: bool,
    ) -> Result<Change, ErrorEnvelope> {
        let id = self.journal.next_id(self.clock.now());
        let at_work = self.at_work(&id);
        let begin = Record::Begin {
            kind: ChangeKind::Undo,
            title: title.clone(),
            undoes: Some(entry.id.clone()),
            ledger: self.changes().ledger(),
            force_drift,
        };
        self.checkpoint.reached("undo", "before-journal");
        let begun = self.append(&id, begin);
        let result = match begun {
            Err(error) => Err(error),
            Ok(()) => {
                self.checkpoint.reached("undo", "after-journal");
                let (state, unwound) = self.finish_undo(&id, &entry.id, live, force_drift).await;
                undone(id, title, state, unwound)
            }
        };
        drop(at_work);
        self.prune();
        result
    }

    async fn finish_undo(&self, id: &str, original: &str, live: bool, force: bool) -> (ChangeState, Unwound) {
        let (Some(marks), Some(entry)) = (self.journal.get(id), self.journal.get(original)) else {
            let failures = vec![say!("core.undo.journal-gone", original = original)];
            return (ChangeState::RollbackPending, Unwound { failures, ..Unwound::default() });
        };
        let mut unwound = self.unwind(&entry, &marks, live, force).await;
        if !unwound.failures.is_empty() {
            return (ChangeState::RollbackPending, unwound);
        }
        let now = marks.beginning().map(|begun| begun.ledger.clone()).unwrap_or_default();
        let ledger = match (entry.beginning(), entry.commitment()) {
            (Some(begun), Some(kept)) => now.without(begun.ledger, kept.ledger),
            (_, _) => now,
        };
        self.checkpoint.reached("end", "before-journal");
        if let Err(error) = self.append(id, Record::Committed { ledger, confirm_by: None, undoable: false }) {
            unwound.failures.push(error.because);
            return (ChangeState::RollbackPending, unwound);
        }
        self.checkpoint.reached("end", "after-journal");
        (ChangeState::Committed, unwound)
    }

    /// Takes the announced steps of `entry` back, newest first, except those that `marks` says are; marks them there.
    async fn unwind(&self, entry: &Entry, marks: &Entry, live: bool, force_drift: bool) -> Unwound {
        let mut unwound = Unwound::default();
        let steps: Vec<_> = entry.announced().collect();
        let of = u8::try_from(steps.len()).unwrap_or(u8::MAX);
        for (number, announced) in (1..=of).rev().zip(steps.iter().rev()) {
            let step = announced.step;
            if marks.reverted(step) {
                continue;
            }
            self.checkpoint.reached(step_name(step), "before-revert");
            let taken_back = match self.revert(&entry.id, step, announced.inverse, live, force_drift) {
                Ok(revert) => within(REVERT_LIMIT, self.reverter.revert(&revert)).await,
                Err(error) => Err(error),
            };
            self.checkpoint.reached(step_name(step), "after-revert");
            let (record, state, text) = match taken_back {
                Ok(Reverted { drift, .. }) => {
                    unwound.drift.extend(drift);
                    (Record::Reverted { step }, StepState::RolledBack, say!("core.undo.taken-back"))
                }
                Err(error) => {
                    let because = errors::both(&error);
                    unwound.failures.push(say!(
                        "core.undo.not-taken-back",
                        step = step_text(step),
                        because = because
                    ));
                    (Record::NotReverted { step, because: because.clone() }, StepState::Failed, because)
                }
            };
            // The same again, try after try, says nothing new and would fill the disk.
            let known = matches!(&record, Record::NotReverted { step, because }
                if marks.lines.iter().any(|line| matches!(&line.record,
                    Record::NotReverted { step: other, because: before } if other == step && before == because)));
            if !known {
                self.note(&marks.id, record);
            }
            let change = marks.id.clone();
            let _ = self.progress.send(Progress { change, step, number, of, state, text });
        }
        unwound
    }

    fn revert(
        &self,
        id: &str,
        step: StepId,
        inverse: &serde_json::Value,
        live: bool,
        force_drift: bool,
    ) -> Result<Revert, ErrorEnvelope> {
        let backup = self.journal.backup(id, step).map_err(storage)?;
        Ok(Revert { step, inverse: inverse.clone(), backup, live, force_drift })
    }

    /// Writes a record that must be on disk before anything else happens.
    pub(crate) fn append(&self, id: &str, record: Record) -> Result<(), ErrorEnvelope> {
        self.journal.append(id, self.clock.now(), record).map_err(storage)
    }

    /// Writes a record that only saves work: without it, an inverse runs once more.
    fn note(&self, id: &str, record: Record) {
        if let Err(error) = self.journal.append(id, self.clock.now(), record) {
            tracing::warn!(%error, change = id, "the journal could not be written");
        }
    }

    fn prune(&self) {
        let changes = self.changes();
        self.journal.prune(|entry| changes.must_keep(entry));
        self.journal.forget_backups(|entry| changes.may_be_taken_back(entry));
    }

    async fn cancellation(&self) {
        let mut cancelled = self.cancelled.subscribe();
        if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Run<'_> {
    async fn steps(&mut self, script: &mut Script, begin: Record) -> Result<(), (StepId, ErrorEnvelope)> {
        let mut begin = Some(begin);
        for step in &mut script.steps {
            let id = step.id();
            self.number += 1;
            self.tell(id, StepState::Running, step.title());
            let prepare = within(step.limit(), step.prepare(&mut script.draft));
            let prepared = tokio::select! {
                biased;
                () = self.engine.cancellation() => Err(stopped()),
                prepared = prepare => prepared,
            }
            .map_err(|error| (id, error))?;
            self.warnings.extend(prepared.warnings.iter().cloned());
            if prepared.changes {
                self.announce(id, &prepared, &mut begin).map_err(|error| (id, error))?;
            }
            if !prepared.changes && !prepared.always {
                self.tell(id, StepState::Skipped, prepared.title);
                continue;
            }
            let text = self.apply(step.as_mut(), &mut script.draft).await.map_err(|error| (id, error))?;
            self.engine.checkpoint.reached(step_name(id), "after-apply");
            if prepared.changes {
                self.engine.note(&self.id, Record::Done { step: id });
            }
            if let Some(ledger) = prepared.ledger {
                script.draft.ledger = ledger;
            }
            self.tell(id, StepState::Done, text);
        }
        self.warnings.append(&mut script.draft.warnings);
        Ok(())
    }

    fn announce(
        &mut self,
        step: StepId,
        prepared: &Prepared,
        begin: &mut Option<Record>,
    ) -> Result<(), ErrorEnvelope> {
        let engine = self.engine;
        engine.checkpoint.reached(step_name(step), "before-journal");
        if let Some(begin) = begin.take() {
            engine.append(&self.id, begin)?;
            self.began = true;
        }
        if let Some(bytes) = &prepared.backup {
            engine.journal.back_up(&self.id, step, bytes).map_err(storage)?;
        }
        let details = prepared.details.clone();
        engine.append(&self.id, Record::Step { step, inverse: prepared.inverse.clone(), details })?;
        engine.checkpoint.reached(step_name(step), "after-journal");
        Ok(())
    }

    async fn apply(
        &self,
        step: &mut dyn Step,
        draft: &mut super::draft::Draft,
    ) -> Result<Text, ErrorEnvelope> {
        let interruptible = step.interruptible();
        let apply = within(step.limit(), step.apply(draft));
        tokio::select! {
            biased;
            () = self.engine.cancellation(), if interruptible => Err(stopped()),
            applied = apply => applied,
        }
    }

    fn tell(&self, step: StepId, state: StepState, text: Text) {
        let (change, number, of) = (self.id.clone(), self.number, self.of);
        let _ = self.engine.progress.send(Progress { change, step, number, of, state, text });
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, ErrorEnvelope>>,
) -> Result<T, ErrorEnvelope> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(ErrorEnvelope::new(
            Code::Failed,
            say!("core.slow.title"),
            say!("core.slow.because", seconds = limit.as_secs()),
        )),
    }
}

/// How the undo of a change is called.
pub(crate) fn undo_title(entry: &Entry) -> Text {
    let title = entry.beginning().map(|begun| begun.title.clone()).unwrap_or_default();
    say!("core.undo.title", title = title)
}

#[cfg(test)]
mod tests;
