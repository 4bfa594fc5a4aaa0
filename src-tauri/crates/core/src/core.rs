//! The core as its hosts see it: start it, hand out handles, stop it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use gatehouse_api::socket::Handler;
use gatehouse_api::{Code, ErrorEnvelope, Event, OpenRequest, Reply, Request, Snapshot, say};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::boot::boot;
use crate::controller::message::Message;

/// How a core is started.
#[derive(Debug, Clone, Default)]
pub struct CoreOptions {
    /// The state folder; `None` = `GATEHOUSE_HOME` of [`Self::environment`], else the platform's own place.
    pub home: Option<PathBuf>,
    /// The process environment, as `std::env::vars()` gives it: `HOME`, `GATEHOUSE_HOME`, `OPENCLAW_*`, `PATH`, `USER`.
    pub environment: BTreeMap<String, String>,
    /// Open this once the core is up, as `serve --open lan` does; progress and failure are shown in the snapshot.
    pub open_at_start: Option<OpenRequest>,
    /// Where no gateway is found: install the pinned OpenClaw into the state folder and run it as our child.
    pub supervise: bool,
    /// Keep secrets in 0600 files even where a keychain could be had.
    pub secrets_in_files: bool,
}

/// A running core. Dropping it without [`Core::stop`] leaves what a crash leaves: a state that the next start repairs.
#[derive(Debug)]
pub struct Core {
    handle: Handle,
    socket: PathBuf,
    stopping: watch::Receiver<bool>,
    controller: JoinSet<()>,
}

/// A way to ask a running core. Cheap to clone; outlives the core, and then answers `not-running`.
#[derive(Debug, Clone)]
pub struct Handle {
    messages: mpsc::Sender<Message>,
    events: broadcast::Sender<Event>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

impl Core {
    /// Takes the state folder, serves what was open when it last stopped, and verifies that in the background.
    ///
    /// # Errors
    /// `already-running` with the other core's process id; `storage` or `permission` for the state folder;
    /// `certificate` where stored certificates cannot be read.
    pub async fn start(options: CoreOptions) -> Result<Self, ErrorEnvelope> {
        let booted = boot(options).await?;
        let handle = Handle { messages: booted.messages, events: booted.events, snapshots: booted.snapshots };
        let mut controller = JoinSet::new();
        controller.spawn(booted.controller.run());
        Ok(Self { handle, socket: booted.socket, stopping: booted.stopping, controller })
    }

    /// A handle for views.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where the control socket belongs.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends when somebody asked for [`Request::Shutdown`]; the host then calls [`Core::stop`].
    pub async fn shutdown_requested(&self) {
        let mut stopping = self.stopping.clone();
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Drains the edge, stops a gateway of our own, says goodbye and releases the lock. Desired state is kept.
    pub async fn stop(mut self) {
        let (done, stopped) = oneshot::channel();
        if self.handle.messages.send(Message::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
        while self.controller.join_next().await.is_some() {}
    }
}

impl Handle {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The envelope that the request ended with; `not-running` once the core has stopped.
    pub async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        let (answer, answered) = oneshot::channel();
        if self.messages.send(Message::Ask(Box::new(request), answer)).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// The newest state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// The state and its changes; views that draw (tray, window) wait on it.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }
}

#[async_trait]
impl Handler for Handle {
    async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        Self::call(self, request).await
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        Self::events(self)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Self::snapshot(self)
    }
}

fn stopped() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotRunning, say!("core.stopped.title"), say!("core.stopped.because"))
}

#[cfg(test)]
mod tests;
