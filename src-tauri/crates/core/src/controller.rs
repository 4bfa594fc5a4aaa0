//! The one task that owns all state.
//!
//! It receives [`message::Message`]s, takes facts into the state with the pure [`reduce`], publishes the pure [`view`]
//! and sets [`message::Effect`]s going, which run in tasks of their own and report back as facts.

mod collect;
mod effects;
pub(crate) mod message;
mod reduce;
pub(crate) mod state;
mod view;

use std::sync::Arc;
use std::time::Duration;

use gatehouse_api::{ErrorEnvelope, Event, Reply, Request, Snapshot};
use gatehouse_host::home::InstanceLock;
use time::OffsetDateTime;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use self::message::{Effect, Fact, Message};
use self::reduce::reduce;
use self::state::State;
use self::view::view;
use crate::context::FrontDoor;
use crate::requests::{self, Desk};

/// How long a change that is stopped may take to roll back.
const ROLLBACK: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Controller {
    pub(crate) state: State,
    pub(crate) desk: Desk,
    pub(crate) inbox: mpsc::Receiver<Message>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    /// Set when somebody asked for [`Request::Shutdown`].
    pub(crate) stopping: watch::Sender<bool>,
    /// Where secrets are kept, in the words of the api.
    pub(crate) secrets: &'static str,
    /// Followers: of traffic, addresses, the connection, progress, deadlines, time. They end with the controller.
    pub(crate) followers: JoinSet<()>,
    /// Requests, and effects that change something: waited for at the end.
    pub(crate) work: JoinSet<()>,
    /// Effects that only look: not waited for.
    pub(crate) errands: JoinSet<()>,
    /// Held until everything is put away.
    pub(crate) lock: InstanceLock,
}

/// The snapshot of a core that knows nothing yet.
pub(crate) fn first_snapshot(now: OffsetDateTime) -> Snapshot {
    view(&State::default(), now)
}

impl Controller {
    /// Runs until it is told to stop, or nobody can tell it anything any more.
    pub(crate) async fn run(mut self) {
        self.publish();
        loop {
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(Message::Fact(fact)) => self.take(fact),
                    Some(Message::Ask(request, answer)) => self.asked(*request, answer),
                    Some(Message::Stop(done)) => return self.stop(done).await,
                    None => return,
                },
                Some(ended) = self.work.join_next() => told(ended),
                Some(ended) = self.errands.join_next() => told(ended),
            }
        }
    }

    /// Takes a fact: into the state, on to views and effects.
    pub(crate) fn take(&mut self, fact: Fact) {
        self.state.collected = collect::collect(&self.desk, self.secrets);
        let effects = reduce(&mut self.state, fact, self.desk.context.clock.now());
        let (told, others): (Vec<_>, Vec<_>) = effects.into_iter().partition(Effect::is_told);
        for effect in told {
            self.set_going(effect);
        }
        // Before the effects: they begin on other threads at once, and what they look at is the snapshot.
        self.publish();
        for effect in others {
            self.set_going(effect);
        }
    }

    fn set_going(&mut self, effect: Effect) {
        match effect {
            Effect::TellDevices(devices) => self.tell(Event::Devices(devices)),
            Effect::TellProgress(progress) => self.tell(Event::Progress(progress)),
            effect @ (Effect::Open(_) | Effect::CoverOrigins | Effect::Serve | Effect::EndPause) => {
                self.work.spawn(effects::run(self.desk.clone(), effect));
            }
            effect => {
                self.errands.spawn(effects::run(self.desk.clone(), effect));
            }
        }
    }

    fn asked(&mut self, request: Request, answer: oneshot::Sender<Result<Reply, ErrorEnvelope>>) {
        if request == Request::Shutdown {
            self.stopping.send_replace(true);
            let _ = answer.send(Ok(Reply::Done));
            return;
        }
        let desk = self.desk.clone();
        self.work.spawn(async move {
            let _ = answer.send(requests::answer(&desk, request).await);
        });
    }

    /// Publishes what changed.
    fn publish(&mut self) {
        let snapshot = Arc::new(view(&self.state, self.desk.context.clock.now()));
        let changed = self.snapshots.send_if_modified(|current| {
            let changed = **current != *snapshot;
            if changed {
                *current = Arc::clone(&snapshot);
            }
            changed
        });
        if changed {
            self.tell(Event::Snapshot(Box::new(Snapshot::clone(&snapshot))));
        }
    }

    /// Nobody listening is fine.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Puts everything away. What is open stays wanted: the next start serves it again.
    async fn stop(mut self, done: oneshot::Sender<()>) {
        self.tell(Event::Stopping);
        self.inbox.close();
        while self.inbox.try_recv().is_ok() {}
        self.desk.context.router_port.end().await;
        self.followers.shutdown().await;
        self.errands.shutdown().await;
        if self.desk.transactions.cancel() {
            tracing::info!("a change is under way and is rolled back");
        }
        let finish = async { while self.work.join_next().await.is_some() {} };
        if tokio::time::timeout(ROLLBACK, finish).await.is_err() {
            tracing::warn!("work is left for the next start");
        }
        self.work.shutdown().await;
        self.desk.context.router_port.end().await;
        self.desk.door.close().await;
        self.desk.keeper.stop().await;
        self.desk.invites.end();
        drop(self.desk);
        drop(self.lock);
        let _ = done.send(());
    }
}

/// A task that failed is a mistake of ours; the others go on.
fn told(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the controller failed");
    }
}
