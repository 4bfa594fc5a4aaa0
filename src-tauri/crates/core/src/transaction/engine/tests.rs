use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ChangeKind, ChangeState, Code, ErrorEnvelope, StepId, Text};
use gatehouse_openclaw::config::Edit;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::sync::{broadcast, watch};

use super::Engine;
use crate::context::{Checkpoint, Clock};
use crate::transaction::draft::Draft;
use crate::transaction::journal::{Journal, step_name};
use crate::transaction::step::{Prepared, Revert, Reverted, Reverter, Script, Step};

const STEPS: [StepId; 5] =
    [StepId::Authentication, StepId::Loopback, StepId::Listen, StepId::Configure, StepId::Commit];

/// A world of switches: a step turns its own on, its inverse turns it off.
#[derive(Debug, Default)]
struct World {
    on: BTreeSet<&'static str>,
    stuck: BTreeSet<&'static str>,
    reverts: Vec<&'static str>,
}

type Shared = Arc<Mutex<World>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Prepare,
    BeforeEffect,
    AfterEffect,
    Hangs,
}

struct Scripted {
    id: StepId,
    world: Shared,
    changes: bool,
    trouble: Option<Trouble>,
}

#[async_trait]
impl Step for Scripted {
    fn id(&self) -> StepId {
        self.id
    }

    fn title(&self) -> Text {
        "Turning a switch on".into()
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn interruptible(&self) -> bool {
        self.trouble == Some(Trouble::Hangs)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        if self.trouble == Some(Trouble::Prepare) {
            return Err(trouble());
        }
        let mut ledger = draft.ledger.clone();
        ledger.absorb(&[owned(self.id)]);
        Ok(Prepared {
            title: "Turn it on.".into(),
            changes: self.changes,
            inverse: json!(step_name(self.id)),
            ledger: self.changes.then_some(ledger),
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        if self.trouble == Some(Trouble::BeforeEffect) {
            return Err(trouble());
        }
        self.world.lock().unwrap().on.insert(step_name(self.id));
        match self.trouble {
            Some(Trouble::AfterEffect) => Err(trouble()),
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::Prepare | Trouble::BeforeEffect) | None => Ok("It is on.".into()),
        }
    }
}

struct Switches(Shared);

#[async_trait]
impl Reverter for Switches {
    async fn revert(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope> {
        assert_eq!(what.inverse, json!(step_name(what.step)));
        let name = step_name(what.step);
        let mut world = self.0.lock().unwrap();
        if world.stuck.contains(name) {
            return Err(trouble());
        }
        world.on.remove(name);
        world.reverts.push(name);
        Ok(Reverted::default())
    }

    async fn preview(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope> {
        Ok(Reverted { details: vec![step_name(what.step).into()], ..Reverted::default() })
    }
}

#[derive(Clone)]
struct At(Arc<Mutex<OffsetDateTime>>);

impl Clock for At {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

/// Panics at one checkpoint: to the journal that is the same as a crash.
#[derive(Default)]
struct CrashAt(Option<(String, String)>);

impl Checkpoint for CrashAt {
    fn reached(&self, step: &str, point: &str) {
        if let Some((at, when)) = &self.0
            && at == step
            && when == point
        {
            panic!("crashed at {step}:{point}");
        }
    }
}

/// Counts what passes.
#[derive(Default)]
struct Record(Mutex<Vec<(String, String)>>);

impl Checkpoint for Record {
    fn reached(&self, step: &str, point: &str) {
        self.0.lock().unwrap().push((step.to_owned(), point.to_owned()));
    }
}

fn trouble() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::PortTaken, "Port 443 is taken", "nginx has it.").fix("Stop nginx.")
}

fn owned(step: StepId) -> Edit {
    Edit::RemoveFromArray { path: "owned".into(), values: vec![step_name(step).to_owned()] }
}

fn engine_with(folder: &Path, world: &Shared, checkpoint: Arc<dyn Checkpoint>) -> Engine {
    Engine {
        journal: Journal::open(folder).unwrap(),
        clock: Arc::new(At(Arc::new(Mutex::new(datetime!(2026-11-20 12:00 UTC))))),
        checkpoint,
        reverter: Arc::new(Switches(world.clone())),
        progress: broadcast::channel(64).0,
        running: watch::channel(None).0,
        cancelled: watch::channel(false).0,
        stoppable: Default::default(),
    }
}

fn engine(folder: &Path, world: &Shared) -> Engine {
    engine_with(folder, world, Arc::new(CrashAt::default()))
}

fn script(world: &Shared, troubles: &BTreeMap<usize, Trouble>, idle: &BTreeSet<usize>) -> Script {
    let steps = STEPS.iter().enumerate().map(|(number, id)| {
        let step = Scripted {
            id: *id,
            world: world.clone(),
            changes: !idle.contains(&number),
            trouble: troubles.get(&number).copied(),
        };
        Box::new(step) as Box<dyn Step>
    });
    Script {
        kind: ChangeKind::Open,
        title: "Open".into(),
        steps: steps.collect(),
        draft: Draft::default(),
        confirm_within: None,
        undoable: true,
    }
}

fn smooth(world: &Shared) -> Script {
    script(world, &BTreeMap::new(), &BTreeSet::new())
}

fn troubled(world: &Shared, at: usize, trouble: Trouble) -> Script {
    script(world, &BTreeMap::from([(at, trouble)]), &BTreeSet::new())
}

fn on(world: &Shared) -> Vec<&'static str> {
    world.lock().unwrap().on.iter().copied().collect()
}

fn owns(engine: &Engine) -> usize {
    engine.changes().ledger().values(&"owned".into()).count()
}

#[tokio::test]
async fn a_change_that_succeeds_is_kept_with_everything_it_owns() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let change = engine.run(smooth(&world)).await.unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    assert_eq!(on(&world).len(), STEPS.len());
    assert_eq!(owns(&engine), STEPS.len());
    assert_eq!(engine.changes().history(9)[0].state, ChangeState::Committed);
}

#[tokio::test]
async fn a_plan_changes_nothing_and_leaves_no_trace() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let plan = engine.plan(smooth(&world)).await.unwrap();
    assert_eq!(plan.steps.len(), STEPS.len());
    assert!(on(&world).is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_change_with_nothing_to_do_leaves_no_trace() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let idle = (0..STEPS.len()).collect();
    let change = engine.run(script(&world, &BTreeMap::new(), &idle)).await.unwrap();
    assert_eq!((change.id, change.state), (None, None));
    assert!(engine.changes().history(9).is_empty());
}

#[tokio::test]
async fn a_failure_takes_back_every_step_newest_first_and_names_step_cause_and_fix() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let error = engine.run(troubled(&world, 2, Trouble::AfterEffect)).await.unwrap_err();
    assert_eq!(world.lock().unwrap().reverts, ["listen", "loopback", "authentication"]);
    assert!(on(&world).is_empty());
    assert_eq!(error.code, Code::RolledBack);
    assert!(error.title.contains("“Listen”") && error.because.contains("nginx has it"), "{error:?}");
    assert!(error.evidence.iter().any(|line| *line == "cause: port-taken"), "{error:?}");
    assert_eq!(error.fix.unwrap().text, "Stop nginx.");
    assert_eq!(engine.changes().history(9)[0].state, ChangeState::RolledBack);
    assert_eq!(owns(&engine), 0);
}

#[tokio::test]
async fn a_failure_before_anything_was_changed_is_told_as_what_it_is() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let error = engine.run(troubled(&world, 0, Trouble::Prepare)).await.unwrap_err();
    assert_eq!(error, trouble());
    assert!(engine.changes().history(9).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long_is_taken_back() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let error = engine.run(troubled(&world, 3, Trouble::Hangs)).await.unwrap_err();
    assert!(error.because.contains("5 s"), "{error:?}");
    assert!(on(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_change_is_taken_back() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let cancelled = engine.cancelled.clone();
    let when_on = async {
        while !on(&world).contains(&"configure") {
            tokio::task::yield_now().await;
        }
        cancelled.send_replace(true);
    };
    let (outcome, ()) = tokio::join!(engine.run(troubled(&world, 3, Trouble::Hangs)), when_on);
    assert!(outcome.unwrap_err().because.contains("stopped"));
    assert!(on(&world).is_empty());
}

#[tokio::test]
async fn what_cannot_be_taken_back_does_not_keep_the_rest_and_is_tried_again() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    world.lock().unwrap().stuck.insert("loopback");
    let first = engine(folder.path(), &world);
    let error = first.run(troubled(&world, 3, Trouble::AfterEffect)).await.unwrap_err();
    assert!(error.title.contains("not everything"), "{error:?}");
    assert_eq!(on(&world), ["loopback"]);
    assert_eq!(first.changes().history(9)[0].state, ChangeState::RollbackPending);

    let second = engine(folder.path(), &world);
    assert_eq!(second.recover(false).await[0].state, Some(ChangeState::RollbackPending));
    world.lock().unwrap().stuck.clear();
    world.lock().unwrap().reverts.clear();
    assert_eq!(second.recover(false).await[0].state, Some(ChangeState::RolledBack));
    assert_eq!(world.lock().unwrap().reverts, ["loopback"]);
    assert!(on(&world).is_empty());
    assert!(second.recover(false).await.is_empty());
}

#[tokio::test]
async fn an_undo_takes_everything_back_and_owns_nothing_afterwards() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let id = engine.run(smooth(&world)).await.unwrap().id.unwrap();
    let entry = engine.journal.get(&id).unwrap();
    engine.undo(&entry, "Undo".into(), false, true).await.unwrap();
    assert!(on(&world).is_empty());
    assert_eq!(owns(&engine), 0);
    let states: Vec<ChangeState> = engine.changes().history(9).iter().map(|line| line.state).collect();
    assert_eq!(states, [ChangeState::Committed, ChangeState::Undone]);
    assert!(engine.changes().newest_in_effect().is_none());
}

/// Runs in a task of its own, so that a panic at a checkpoint is the crash.
async fn crash(folder: &Path, world: &Shared, at: &(String, String), undo: Option<String>) {
    let engine = engine_with(folder, world, Arc::new(CrashAt(Some(at.clone()))));
    let script = smooth(world);
    let task = tokio::spawn(async move {
        match undo {
            None => engine.run(script).await.map(|_| ()),
            Some(id) => {
                let entry = engine.journal.get(&id).unwrap();
                engine.undo(&entry, "Undo".into(), false, true).await.map(|_| ())
            }
        }
    });
    assert!(task.await.unwrap_err().is_panic(), "{at:?} was not reached");
}

async fn points(undo: bool) -> Vec<(String, String)> {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let seen = Arc::new(Record::default());
    let engine = engine_with(folder.path(), &world, seen.clone());
    let id = engine.run(smooth(&world)).await.unwrap().id.unwrap();
    if undo {
        seen.0.lock().unwrap().clear();
        let entry = engine.journal.get(&id).unwrap();
        engine.undo(&entry, "Undo".into(), false, true).await.unwrap();
    }
    seen.0.lock().unwrap().clone()
}

#[tokio::test]
async fn a_crash_at_any_point_of_a_change_is_repaired_at_the_next_start() {
    let points = points(false).await;
    assert_eq!(points.len(), 3 * STEPS.len() + 2);
    for at in points {
        let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
        crash(folder.path(), &world, &at, None).await;
        let engine = engine(folder.path(), &world);
        engine.recover(false).await;
        let kept = at == ("end".to_owned(), "after-journal".to_owned());
        let expected = if kept { STEPS.len() } else { 0 };
        assert_eq!((on(&world).len(), owns(&engine)), (expected, expected), "{at:?}");
        assert!(engine.changes().open().is_empty(), "{at:?}");
        assert!(engine.recover(false).await.is_empty(), "{at:?}");
    }
}

#[tokio::test]
async fn a_crash_at_any_point_of_an_undo_is_finished_at_the_next_start() {
    let points = points(true).await;
    assert_eq!(points.len(), 2 * STEPS.len() + 4);
    for at in points {
        let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
        let id = engine(folder.path(), &world).run(smooth(&world)).await.unwrap().id.unwrap();
        crash(folder.path(), &world, &at, Some(id)).await;
        let engine = engine(folder.path(), &world);
        engine.recover(false).await;
        let not_begun = at == ("undo".to_owned(), "before-journal".to_owned());
        let expected = if not_begun { STEPS.len() } else { 0 };
        assert_eq!((on(&world).len(), owns(&engine)), (expected, expected), "{at:?}");
        assert!(engine.changes().open().is_empty(), "{at:?}");
    }
}

#[tokio::test]
async fn an_undo_that_is_stuck_goes_on_where_it_stopped() {
    let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
    let engine = engine(folder.path(), &world);
    let id = engine.run(smooth(&world)).await.unwrap().id.unwrap();
    world.lock().unwrap().stuck.insert("configure");
    let entry = engine.journal.get(&id).unwrap();
    engine.undo(&entry, "Undo".into(), false, true).await.unwrap_err();
    assert_eq!(on(&world), ["configure"]);
    world.lock().unwrap().stuck.clear();
    let repaired = engine.recover(true).await;
    assert_eq!(repaired[0].state, Some(ChangeState::Committed));
    assert!(on(&world).is_empty());
    assert_eq!(owns(&engine), 0);
}

fn troubles() -> impl Strategy<Value = Trouble> {
    prop_oneof![Just(Trouble::Prepare), Just(Trouble::BeforeEffect), Just(Trouble::AfterEffect)]
}

proptest! {
    /// Wherever steps fail and whichever inverses are stuck for a while: nothing stays on in the end, and only what was
    /// kept is owned.
    #[test]
    fn whatever_fails_nothing_is_left_behind(
        troubles in proptest::collection::btree_map(0..STEPS.len(), troubles(), 0..3),
        idle in proptest::collection::btree_set(0..STEPS.len(), 0..3),
        stuck in proptest::collection::btree_set(0..STEPS.len(), 0..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (folder, world) = (tempfile::tempdir().unwrap(), Shared::default());
        let changing = STEPS.len() - idle.len();
        let mut troubles = troubles;
        troubles.retain(|number, trouble| *trouble == Trouble::Prepare || !idle.contains(number));
        runtime.block_on(async {
            world.lock().unwrap().stuck = stuck.iter().map(|number| step_name(STEPS[*number])).collect();
            let first = engine(folder.path(), &world);
            let outcome = first.run(script(&world, &troubles, &idle)).await;
            drop(first);
            world.lock().unwrap().stuck.clear();
            let next = engine(folder.path(), &world);
            next.recover(false).await;
            let journaled: Vec<Value> = next
                .journal
                .newest_first()
                .iter()
                .flat_map(|entry| entry.announced().map(|a| a.inverse.clone()).collect::<Vec<_>>())
                .collect();
            assert!(next.changes().open().is_empty());
            match outcome {
                Ok(change) => {
                    assert!(troubles.is_empty());
                    assert_eq!(change.id.is_some(), changing > 0);
                    assert_eq!(owns(&next), changing);
                    assert_eq!(journaled.len(), changing);
                }
                Err(_) => {
                    assert!(!troubles.is_empty());
                    let left: Vec<&str> = on(&world).into_iter().filter(|name| {
                        journaled.contains(&json!(name))
                    }).collect();
                    assert!(left.is_empty(), "left behind: {left:?}");
                    assert_eq!(owns(&next), 0);
                }
            }
        });
    }
}
