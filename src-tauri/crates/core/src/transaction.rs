//! Every change is a transaction: plan, journal, apply, verify, commit, or roll back everything.
//!
//! Guarantees: one change at a time; a plan changes nothing; every step is on disk with its inverse before it runs; a
//! change that did not prove itself is taken back; what a crash leaves is repaired before anything else is changed;
//! only the newest change in effect can be undone, so that inverses always meet the state they were made for.

mod configuration;
mod draft;
mod engine;
mod history;
mod inverse;
mod journal;
mod ledger;
mod serve;
mod step;
mod steps;
mod takeback;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehouse_api::{
    Change, Code, ConfigEdit, ErrorEnvelope, HistoryEntry, LastChange, OpenRequest, Plan, Progress, Text,
    TokenEdit, say,
};
use gatehouse_openclaw::config::KeyPath;
use time::OffsetDateTime;
use tokio::sync::{OwnedMutexGuard, broadcast, watch};

pub(crate) use self::configuration::{request_restart, restarted};
pub(crate) use self::serve::{off_thread, ports};
pub use self::steps::Bringing;
pub(crate) use self::steps::{PROXIES, checked, find, fresh, no_token, store_name};

/// What the fuzzer drives: a journal's bytes read and written again.
#[cfg(fuzzing)]
#[must_use]
pub fn rewritten_journal(bytes: &[u8]) -> Vec<u8> {
    journal::rewritten(bytes)
}

use self::engine::{Engine, undo_title};
use self::journal::{Entry, Journal, Record};
use self::takeback::TakeBack;
use crate::context::Context;
use crate::errors;
use crate::settings::AcmeSettings;

const PROGRESS: usize = 256;
/// A deadline is looked at this often: the wall clock may jump, and a machine may sleep.
const LOOK: Duration = Duration::from_secs(1);

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Open an address, or open it differently.
    Open(OpenRequest),
    /// Close the address and take back what was added to the gateway's configuration.
    Close {
        /// Also forget certificates and the certificate authority. This cannot be undone.
        purge: bool,
    },
    /// Allow a browser origin.
    AddOrigin {
        /// As a user types it.
        origin: String,
    },
    /// Stop allowing a browser origin.
    RemoveOrigin {
        /// As it stands in the list.
        origin: String,
    },
    /// Bring a certificate or a rule about certificates of clients, or take one away.
    Bring(Bringing),
    /// Change how public certificates are got.
    PublicCertificates {
        /// How; `None` = not at all.
        acme: Option<Box<AcmeSettings>>,
        /// What that is, in one line.
        title: Text,
    },
    /// Replace the gateway's token, or move it.
    Token(TokenEdit),
    /// Change settings of the edge.
    ConfigureEdge {
        /// Which, to what.
        edits: Vec<ConfigEdit>,
        /// Whether everything else goes back to its default.
        replace: bool,
    },
}

/// The one place where changes are made. Cheap to clone; one change runs at a time, and it runs to its end also when
/// the caller goes away.
#[derive(Clone)]
pub struct Transactions {
    context: Context,
    engine: Arc<Engine>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Transactions {
    /// Reads the journal. Repairs nothing: call [`Self::recover`] once the parts are up.
    ///
    /// # Errors
    /// `storage` or `permission` where the journal folder cannot be read.
    pub fn new(context: Context) -> Result<Self, ErrorEnvelope> {
        let journal = Journal::open(&context.journal)
            .map_err(|error| errors::file(say!("core.doing.read-journal"), &error.path, &error.source))?;
        let engine = Engine {
            journal,
            clock: context.clock.clone(),
            checkpoint: context.checkpoint.clone(),
            reverter: Arc::new(TakeBack::new(&context)),
            progress: broadcast::channel(PROGRESS).0,
            running: watch::channel(None).0,
            cancelled: watch::channel(false).0,
            stoppable: AtomicBool::new(false),
        };
        Ok(Self { context, engine: Arc::new(engine), turn: Arc::default() })
    }

    /// What the intent would do. Changes nothing.
    ///
    /// # Errors
    /// What would stop the first step that cannot go on.
    pub async fn plan(&self, intent: &Intent) -> Result<Plan, ErrorEnvelope> {
        self.engine.plan(steps::script(&self.context, intent)?).await
    }

    /// Makes the change. Ends when it is committed and, for [`Intent::Open`], proven from outside.
    ///
    /// # Errors
    /// `busy`; `needs-confirmation` while another change waits for its confirmation; otherwise the cause, after
    /// everything was rolled back.
    pub async fn run(&self, intent: Intent) -> Result<Change, ErrorEnvelope> {
        let turn = self.take_turn()?;
        if let Some((id, deadline)) = self.awaiting() {
            return Err(awaits(&id, deadline));
        }
        let script = steps::script(&self.context, &intent)?;
        self.in_background(turn, |this| async move {
            this.repaired().await?;
            this.engine.run(script).await
        })
        .await
    }

    /// Stops the running change; it rolls back. `false` = none is running that can be stopped: what is being taken back
    /// is taken back to its end.
    pub fn cancel(&self) -> bool {
        let stoppable = self.engine.stoppable.load(Ordering::SeqCst);
        if stoppable {
            self.engine.cancelled.send_replace(true);
        }
        stoppable
    }

    /// Rolls back whatever a crash left open, reverts what was not confirmed in time, and retries what could not be
    /// rolled back. Call it once at start, after discovery and before anything listens; then call [`Self::resume`].
    pub async fn recover(&self) -> Vec<Change> {
        let _turn = self.turn.lock().await;
        let mut repaired = self.engine.recover(false).await;
        // One that is half undone is not begun anew: it was tried just now, and is tried again with the next change.
        if self.engine.changes().open().is_empty()
            && let Some((entry, deadline)) = self.due(None)
        {
            match self.engine.undo(&entry, not_confirmed(&entry, deadline), false, false).await {
                Ok(change) => repaired.push(change),
                Err(error) => {
                    tracing::error!(%error, "a change that was not confirmed could not be reverted")
                }
            }
        }
        repaired
    }

    /// Makes edge and certificate agree with the settings: at start after [`Self::recover`], and when addresses
    /// changed. Not a change of its own: what it does follows from what was committed. Waits for a running change.
    ///
    /// # Errors
    /// `port-taken`, `permission`, `no-address`, `certificate`.
    pub async fn resume(&self) -> Result<(), ErrorEnvelope> {
        let _turn = self.turn.lock().await;
        serve::follow_settings(&self.context).await
    }

    /// What [`Self::undo`] would do.
    ///
    /// # Errors
    /// `not-found`, and `drift` where a newer change stands on it.
    pub async fn plan_undo(&self, id: Option<&str>) -> Result<Plan, ErrorEnvelope> {
        let entry = self.undoable(id)?;
        self.engine.preview(&entry, false).await
    }

    /// Undoes the newest change in effect; `id` says which one that is meant to be. A value that somebody else changed
    /// meanwhile is named in the warnings and left alone, unless `force_drift`.
    ///
    /// # Errors
    /// `busy`, `not-found`, `drift` where a newer change stands on it, or what stopped it.
    pub async fn undo(&self, id: Option<&str>, force_drift: bool) -> Result<Change, ErrorEnvelope> {
        let turn = self.take_turn()?;
        let entry = self.undoable(id)?;
        self.in_background(turn, move |this| async move {
            this.repaired().await?;
            this.engine.preview(&entry, force_drift).await?;
            this.engine.undo(&entry, undo_title(&entry), force_drift, true).await
        })
        .await
    }

    /// Keeps the change that waits for confirmation.
    ///
    /// # Errors
    /// `not-found` where none waits.
    pub async fn confirm(&self) -> Result<Change, ErrorEnvelope> {
        let _turn = self.take_turn()?;
        if let Some(open) = self.engine.changes().open().into_iter().next() {
            return Err(unrepaired(&open));
        }
        let Some((id, _)) = self.awaiting() else {
            return Err(ErrorEnvelope::new(
                Code::NotFound,
                say!("core.confirm.none"),
                say!("core.confirm.none-because"),
            )
            .fix_with(say!("core.look.history"), "gatehouse history"));
        };
        self.engine.append(&id, Record::Confirmed)?;
        let entry = self.engine.journal.get(&id);
        let title = entry.as_deref().and_then(Entry::beginning).map(|begun| begun.title.clone());
        Ok(Change {
            id: Some(id),
            title: title.unwrap_or_default(),
            state: Some(gatehouse_api::ChangeState::Committed),
            warnings: Vec::new(),
            confirm_by: None,
        })
    }

    /// Waits until a change was not confirmed in time, and reverts it; waits for ever while none has to be. Each call
    /// ends with one change: call it in a loop.
    ///
    /// # Errors
    /// What kept it from being reverted; it is tried again with the next call.
    pub async fn expired(&self) -> Result<Change, ErrorEnvelope> {
        let mut fuse = None;
        loop {
            fuse = self.fuse(fuse);
            if self.due(fuse.as_ref()).is_some() {
                let turn = self.turn.clone().lock_owned().await;
                if let Some((entry, deadline)) = self.due(fuse.as_ref()) {
                    let title = not_confirmed(&entry, deadline);
                    return self
                        .in_background(turn, move |this| async move {
                            // What the last try left half undone is finished, not begun anew.
                            this.repaired().await?;
                            match this.awaiting() {
                                Some((id, _)) if id == entry.id => {
                                    this.engine.undo(&entry, title, false, true).await
                                }
                                _ => Ok(Change {
                                    id: Some(entry.id.clone()),
                                    title,
                                    state: Some(gatehouse_api::ChangeState::Undone),
                                    warnings: Vec::new(),
                                    confirm_by: None,
                                }),
                            }
                        })
                        .await;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The change that waits for confirmation, and until when.
    #[must_use]
    pub fn awaiting(&self) -> Option<(String, OffsetDateTime)> {
        let changes = self.engine.changes();
        changes.awaiting().map(|(entry, deadline)| (entry.id.clone(), deadline))
    }

    /// What was done, newest first.
    #[must_use]
    pub fn history(&self, limit: usize) -> Vec<HistoryEntry> {
        self.engine.changes().history(limit)
    }

    /// The newest change that can be undone.
    #[must_use]
    pub fn last_change(&self) -> Option<LastChange> {
        self.engine.changes().last_change(self.context.clock.now())
    }

    /// Origins in the gateway's list that Gatehouse put there.
    #[must_use]
    pub fn owned_origins(&self) -> Vec<String> {
        let path = KeyPath::from(steps::ORIGINS);
        self.engine.changes().ledger().values(&path).map(str::to_owned).collect()
    }

    /// Copies of the user's certificates that a change needs which may still be undone.
    pub(crate) fn copies(&self) -> Vec<String> {
        let now = self.context.clock.now();
        let changes = self.engine.changes();
        let inverses = changes.may_be_undone(now).into_iter();
        let ids = |inverse: serde_json::Value| match serde_json::from_value(inverse) {
            Ok(inverse::Inverse::Brought { imported, .. }) => crate::brought::copies(&imported),
            _ => Vec::new(),
        };
        inverses.flat_map(ids).collect()
    }

    /// Steps as they move on.
    #[must_use]
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.engine.progress.subscribe()
    }

    /// Origins aside: the values of another array that Gatehouse put there.
    pub(crate) fn owned(&self, array: &str) -> Vec<String> {
        let path = KeyPath::from(array);
        self.engine.changes().ledger().values(&path).map(str::to_owned).collect()
    }

    /// Keeps changes from being made until the guard is dropped: the gateway is about to go away.
    pub(crate) fn hold(&self) -> Result<OwnedMutexGuard<()>, ErrorEnvelope> {
        self.take_turn()
    }

    fn take_turn(&self) -> Result<OwnedMutexGuard<()>, ErrorEnvelope> {
        self.turn.clone().try_lock_owned().map_err(|_| {
            ErrorEnvelope::new(Code::Busy, say!("core.busy.title"), say!("core.busy.because"))
                .fix_with(say!("core.busy.fix"), "gatehouse status --watch")
        })
    }

    /// Runs to the end also when the caller goes away. What a defect interrupts is taken back before anybody else has the
    /// turn.
    async fn in_background<F>(
        &self,
        turn: OwnedMutexGuard<()>,
        work: impl FnOnce(Self) -> F,
    ) -> Result<Change, ErrorEnvelope>
    where
        F: Future<Output = Result<Change, ErrorEnvelope>> + Send + 'static,
    {
        self.engine.cancelled.send_replace(false);
        let work = work(self.clone());
        let engine = Arc::clone(&self.engine);
        let task = tokio::spawn(async move {
            let _turn = turn;
            let ended = tokio::spawn(work).await;
            if ended.is_err() {
                engine.recover(true).await;
            }
            ended
        });
        task.await.flatten().unwrap_or_else(|error| {
            Err(ErrorEnvelope::new(
                Code::Failed,
                say!("core.ended-early.title"),
                say!("core.ended-early.because", error = error.to_string()),
            ))
        })
    }

    /// Nothing is changed on top of something that is half taken back.
    async fn repaired(&self) -> Result<(), ErrorEnvelope> {
        self.engine.recover(true).await;
        match self.engine.changes().open().into_iter().next() {
            Some(entry) => Err(unrepaired(&entry)),
            None => Ok(()),
        }
    }

    /// A clock that is set back must not keep a change for longer than its time: that is measured here as well.
    fn fuse(&self, burning: Option<Fuse>) -> Option<Fuse> {
        let changes = self.engine.changes();
        let (entry, deadline) = changes.awaiting()?;
        if let Some(fuse) = burning.filter(|fuse| fuse.id == entry.id) {
            return Some(fuse);
        }
        let whole = deadline - entry.commitment()?.at;
        let left = (deadline - self.context.clock.now()).min(whole);
        let ends = tokio::time::Instant::now() + Duration::try_from(left).unwrap_or_default();
        Some(Fuse { id: entry.id.clone(), ends })
    }

    fn due(&self, fuse: Option<&Fuse>) -> Option<(Arc<Entry>, OffsetDateTime)> {
        let changes = self.engine.changes();
        let (entry, deadline) = changes.awaiting()?;
        let burnt = fuse.is_some_and(|fuse| fuse.id == entry.id && tokio::time::Instant::now() >= fuse.ends);
        (burnt || self.context.clock.now() >= deadline).then(|| (entry.clone(), deadline))
    }

    fn undoable(&self, id: Option<&str>) -> Result<Arc<Entry>, ErrorEnvelope> {
        let changes = self.engine.changes();
        let newest = changes.newest_in_effect().cloned();
        if let Some(id) = id {
            let known = self.engine.journal.get(id).is_some();
            let is_newest = newest.as_ref().is_some_and(|newest| newest.id == id);
            match (known, is_newest, &newest) {
                (false, _, _) => return Err(no_such_change(id)),
                (true, true, _) => {}
                (true, false, Some(newest)) if newest.id.as_str() > id => return Err(newer(id, newest)),
                (true, false, _) => return Err(not_in_effect(id)),
            }
        }
        let entry = newest.ok_or_else(nothing_to_undo)?;
        match entry.commitment().is_some_and(|kept| kept.undoable) {
            true => Ok(entry),
            false => Err(final_change(&entry)),
        }
    }
}

/// When a change that waits for its confirmation reverts, whatever the clock on the wall says.
struct Fuse {
    id: String,
    ends: tokio::time::Instant,
}

/// What cannot be taken back, and why, as it was found last.
fn unrepaired(entry: &Entry) -> ErrorEnvelope {
    let title = entry.beginning().map(|begun| begun.title.clone()).unwrap_or_default();
    let because = say!("core.unrepaired.because", title = title, id = &entry.id);
    let mut error = ErrorEnvelope::new(Code::Failed, say!("core.unrepaired.title"), because)
        .fix_with(say!("core.unrepaired.fix"), "gatehouse history");
    let why = entry.lines.iter().rev().find_map(|line| match &line.record {
        Record::NotReverted { step, because } => {
            Some(say!("core.both", title = journal::step_text(*step), because = because))
        }
        _ => None,
    });
    error.evidence = why.into_iter().collect();
    error
}

fn not_confirmed(entry: &Entry, deadline: OffsetDateTime) -> Text {
    let at = deadline.time();
    let time = format!("{:02}:{:02} UTC", at.hour(), at.minute());
    say!("core.undo.not-confirmed", title = undo_title(entry), time = time)
}

fn awaits(id: &str, deadline: OffsetDateTime) -> ErrorEnvelope {
    let time = format!("{:02}:{:02}:{:02} UTC", deadline.hour(), deadline.minute(), deadline.second());
    ErrorEnvelope::new(
        Code::NeedsConfirmation,
        say!("core.awaits.title"),
        say!("core.awaits.because", id = id, time = time),
    )
    .fix_with(say!("core.awaits.fix"), "gatehouse confirm")
}

fn no_such_change(id: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.change.none", id = id), say!("core.change.none-because"))
        .fix_with(say!("core.look.history"), "gatehouse history")
}

fn newer(id: &str, newest: &Entry) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::Drift,
        say!("core.change.not-newest", id = id),
        say!("core.change.not-newest-because", newer = newest.id),
    )
    .fix_with(say!("core.change.not-newest-fix"), format!("gatehouse undo {}", newest.id))
}

fn not_in_effect(id: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::NotFound,
        say!("core.change.not-in-effect", id = id),
        say!("core.change.not-in-effect-because"),
    )
    .fix_with(say!("core.look.history"), "gatehouse history")
}

fn nothing_to_undo() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.change.nothing"), say!("core.change.nothing-because"))
        .fix_with(say!("core.look.history"), "gatehouse history")
}

fn final_change(entry: &Entry) -> ErrorEnvelope {
    let title = entry.beginning().map(|begun| begun.title.clone()).unwrap_or_default();
    ErrorEnvelope::new(
        Code::NotFound,
        say!("core.change.final", title = title),
        say!("core.change.final-because"),
    )
    .fix_with(say!("core.open-again"), "gatehouse open --to lan")
}

#[cfg(test)]
pub(crate) mod tests;
