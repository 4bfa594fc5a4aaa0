//! The core behind the views: in this process, or in another that runs already.
//!
//! Where a core answers at the control socket the app attaches to it, and waits for it again when it goes away: it may
//! be restarting, and who stopped it on purpose does not want it back. Where none answers at the start, the app hosts
//! one, and then answers at the socket itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatehouse_api::socket::{Client, ControlSocket, Handler, Topic};
use gatehouse_api::{Code, ErrorEnvelope, Event, Reply, Request, Snapshot, say};
use gatehouse_core::{Core, CoreOptions, Handle};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use super::menu::Hosting;

/// How often a core that went away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the backend tells the views.
#[derive(Debug)]
pub(crate) enum News {
    /// Who answers changed; [`Backend::seen`] knows.
    Reach,
    /// What the core told.
    Event(Box<Event>),
}

/// What is known of the core.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    /// Not yet whether there is one, or not yet its state.
    Starting,
    /// None answers; why, where that is known.
    Down(Option<ErrorEnvelope>),
    /// Its state, and where it runs.
    Up(Arc<Snapshot>, Hosting),
}

/// The core, wherever it runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Backend {
    socket: PathBuf,
    options: Arc<CoreOptions>,
    now: Arc<Mutex<Now>>,
    news: mpsc::Sender<News>,
    host: Arc<Notify>,
    stopping: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

struct Now {
    reach: Reach,
    snapshot: Option<Arc<Snapshot>>,
}

#[derive(Clone)]
enum Reach {
    Starting,
    Nobody(Option<ErrorEnvelope>),
    Here(Handle),
    Elsewhere(Client),
}

impl Backend {
    /// A backend that hosts a core as `options` say where none answers at the socket, and its news.
    pub(crate) fn new(socket: PathBuf, options: CoreOptions) -> (Self, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(256);
        let backend = Self {
            socket,
            options: Arc::new(options),
            now: Arc::new(Mutex::new(Now { reach: Reach::Starting, snapshot: None })),
            news,
            host: Arc::new(Notify::new()),
            stopping: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        };
        (backend, heard)
    }

    /// What is known now.
    pub(crate) fn seen(&self) -> Seen {
        self.lock(|now| match (&now.reach, &now.snapshot) {
            (Reach::Nobody(why), _) => Seen::Down(why.clone()),
            (Reach::Here(_), Some(snapshot)) => Seen::Up(Arc::clone(snapshot), Hosting::Here),
            (Reach::Elsewhere(_), Some(snapshot)) => Seen::Up(Arc::clone(snapshot), Hosting::Elsewhere),
            (Reach::Starting | Reach::Here(_) | Reach::Elsewhere(_), _) => Seen::Starting,
        })
    }

    /// Asks the core.
    pub(crate) async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        match self.lock(|now| now.reach.clone()) {
            Reach::Here(handle) => handle.call(request).await,
            Reach::Elsewhere(client) => client.call(request).await,
            Reach::Nobody(Some(why)) => Err(why),
            Reach::Nobody(None) | Reach::Starting => {
                let because = say!("app.no-core-because");
                Err(ErrorEnvelope::new(Code::NotRunning, say!("app.no-core"), because))
            }
        }
    }

    /// Hosts a core here where none answers.
    pub(crate) fn host(&self) {
        self.host.notify_one();
    }

    /// Stops a core of our own properly and follows none any more; returns when that is done.
    pub(crate) async fn stop(&self) {
        self.stopping.send_replace(true);
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Follows cores, one after the other, until [`Self::stop`].
    pub(crate) async fn run(self) {
        let mut may_host = true;
        while !*self.stopping.borrow() {
            match Client::connect(&self.socket).await {
                Ok(client) => {
                    may_host = false;
                    self.follow(client).await;
                }
                Err(error) if error.code == Code::NotRunning && may_host => {
                    let ended = self.serve().await;
                    // Somebody else holds the state and does not answer yet: a core that starts or ends.
                    may_host = ended.as_ref().is_err_and(|error| error.code == Code::AlreadyRunning);
                    self.away(ended.err()).await;
                }
                // Nobody listens is no news; why a core of our own did not start stays to be read.
                Err(error) if error.code == Code::NotRunning => self.away(None).await,
                Err(error) => self.away(Some(error)).await,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.host.notified() => {
                    may_host = true;
                    self.reach(Reach::Starting).await;
                }
                () = self.stopped() => {}
            }
        }
        self.ended.send_replace(true);
    }

    /// Shows a core that runs elsewhere, until it goes away.
    async fn follow(&self, client: Client) {
        let Ok(mut events) = client.events(&Topic::ALL).await else { return };
        self.reach(Reach::Elsewhere(client)).await;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Ok(event) => self.take(event).await,
                    Err(ended) => {
                        tracing::info!(%ended, "the core went away");
                        break;
                    }
                },
                () = self.stopped() => return,
            }
        }
        self.away(None).await;
    }

    /// Hosts a core, until it is told to stop.
    async fn serve(&self) -> Result<(), ErrorEnvelope> {
        // A start that waits, for a keychain's question for example, keeps nobody from quitting.
        let core = tokio::select! {
            core = Core::start(self.options.as_ref().clone()) => core?,
            () = self.stopped() => return Ok(()),
        };
        let socket = match ControlSocket::bind(&self.socket) {
            Ok(socket) => socket,
            Err(error) => {
                core.stop().await;
                let because = format!("{}: {error}.", self.socket.display());
                return Err(ErrorEnvelope::new(Code::Storage, say!("app.no-socket"), because));
            }
        };
        let handle = core.handle();
        let handler: Arc<dyn Handler> = Arc::new(handle.clone());
        let (close, closed) = oneshot::channel::<()>();
        let serving = tokio::spawn(socket.serve(handler, async {
            let _ = closed.await;
        }));
        let mut events = handle.events();
        let snapshot = handle.snapshot();
        self.reach(Reach::Here(handle)).await;
        self.take(Event::Snapshot(Box::new(Snapshot::clone(&snapshot)))).await;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.take(event).await,
                    Err(broadcast::error::RecvError::Lagged(missed)) => self.take(Event::Lagged { missed }).await,
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                () = self.stopped() => break,
                () = core.shutdown_requested() => break,
            }
        }
        core.stop().await;
        let _ = close.send(());
        if let Err(error) = serving.await {
            tracing::warn!(%error, "the control socket ended with a fault");
        }
        Ok(())
    }

    async fn stopped(&self) {
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    async fn take(&self, event: Event) {
        if let Event::Snapshot(snapshot) = &event {
            let snapshot = Arc::new(Snapshot::clone(snapshot));
            self.lock(|now| now.snapshot = Some(snapshot));
        }
        self.tell(News::Event(Box::new(event))).await;
    }

    async fn reach(&self, reach: Reach) {
        self.lock(|now| *now = Now { reach, snapshot: None });
        self.tell(News::Reach).await;
    }

    /// Nobody answers. A reason that is known is kept until somebody does.
    async fn away(&self, why: Option<ErrorEnvelope>) {
        let known =
            self.lock(|now| matches!(&now.reach, Reach::Nobody(known) if why.is_none() || *known == why));
        if !known {
            self.reach(Reach::Nobody(why)).await;
        }
    }

    /// Views that have gone hear nothing.
    async fn tell(&self, news: News) {
        let _ = self.news.send(news).await;
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Now) -> T) -> T {
        work(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
