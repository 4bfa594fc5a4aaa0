//! A made-up core behind a real control socket.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use gatehouse_api::{
    ErrorEnvelope, Event, Reply, Request, Snapshot,
    socket::{ControlSocket, Handler},
};
use tempfile::TempDir;
use tokio::{
    sync::{broadcast, oneshot, watch},
    task::JoinHandle,
};

type Answers = dyn Fn(&Request) -> Option<Result<Reply, ErrorEnvelope>> + Send + Sync;

/// The core. It ends with its value.
pub(crate) struct FakeCore {
    /// Its folder, which is also good for files of the test.
    pub(crate) folder: TempDir,
    /// Its socket.
    pub(crate) path: PathBuf,
    /// Its events.
    pub(crate) events: broadcast::Sender<Event>,
    fake: Arc<Fake>,
    serving: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

struct Fake {
    answers: Box<Answers>,
    events: broadcast::Sender<Event>,
    snapshot: Arc<Snapshot>,
    seen: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
}

impl FakeCore {
    /// A core that answers requests as `answers` says; `None` = never.
    pub(crate) fn start(
        snapshot: Snapshot,
        answers: impl Fn(&Request) -> Option<Result<Reply, ErrorEnvelope>> + Send + Sync + 'static,
    ) -> Self {
        let folder = private_folder();
        let path = folder.path().join("control.sock");
        let (events, _) = broadcast::channel(64);
        let fake = Arc::new(Fake {
            answers: Box::new(answers),
            events: events.clone(),
            snapshot: Arc::new(snapshot),
            seen: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let handler: Arc<dyn Handler> = fake.clone();
        let serving = tokio::spawn(ControlSocket::bind(&path).unwrap().serve(handler, async {
            let _ = stopped.await;
        }));
        Self { folder, path, events, fake, serving, stop: Some(stop) }
    }

    /// A core that answers with the fixtures.
    pub(crate) fn usual() -> Self {
        Self::start(crate::fixtures::on(), |request| Some(crate::fixtures::answer(request)))
    }

    /// A core that refuses everything.
    pub(crate) fn refusing(error: ErrorEnvelope) -> Self {
        Self::start(crate::fixtures::on(), move |_| Some(Err(error.clone())))
    }

    /// What it was asked so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.fake.seen.lock().unwrap().clone()
    }

    /// Waits until it was asked so many times.
    pub(crate) async fn was_asked(&self, times: usize) {
        self.fake.count.subscribe().wait_for(|count| *count >= times).await.unwrap();
    }

    /// Waits until somebody follows its events.
    pub(crate) async fn is_followed(&self) {
        while self.events.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Stops as a core stops: with a word.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Ends as a core that was killed.
    pub(crate) fn kill(&self) {
        self.serving.abort();
    }
}

#[async_trait]
impl Handler for Fake {
    async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        self.seen.lock().unwrap().push(request.clone());
        self.count.send_modify(|count| *count += 1);
        match (self.answers)(&request) {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }
}

/// A folder that only we can look into.
pub(crate) fn private_folder() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}
