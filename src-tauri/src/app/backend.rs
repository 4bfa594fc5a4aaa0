//! The core behind the views: in this process, or in another that runs already.
//!
//! Where a core answers at the control socket the app attaches to it and waits for it again when it goes away: it may
//! be restarting, and who stopped it on purpose does not want it back. Where none answers at the start, the app hosts
//! one, and then answers at the socket itself.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::socket::{Client, ControlSocket, Handler};
use gatehouse_api::{Code, ErrorEnvelope, Event, Reply, Request, Snapshot};
use gatehouse_core::{Core, CoreOptions, Handle};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use super::menu::Hosting;

/// How often a core that went away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What the backend tells the views.
pub(crate) enum News {
    /// Whether a core answers.
    Up(bool),
    /// What the core told.
    Event(Box<Event>),
}

/// The core, wherever it runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Backend {
    socket: PathBuf,
    now: Arc<Mutex<Now>>,
    news: mpsc::Sender<News>,
    host: Arc<Notify>,
}

struct Now {
    reach: Reach,
    snapshot: Option<Arc<Snapshot>>,
    why: Option<ErrorEnvelope>,
    stop: Option<oneshot::Sender<oneshot::Sender<()>>>,
}

enum Reach {
    Nobody,
    Here(Handle),
    Elsewhere(Client),
}

/// The one tray app of this state folder. Held for the life of the process.
pub(crate) struct OnlyApp {
    _lock: File,
}

impl OnlyApp {
    /// `None` = another one runs; it was asked to show its window.
    pub(crate) async fn take(socket: &Path) -> Result<Option<Self>, ErrorEnvelope> {
        let path = socket.with_file_name("app.lock");
        let cannot = |error: &dyn std::fmt::Display| {
            ErrorEnvelope::new(Code::Storage, "The tray app cannot start", format!("{}: {error}.", path.display()))
        };
        if let Some(folder) = path.parent() {
            gatehouse_files::create_private_folder(folder).map_err(|error| cannot(&error))?;
        }
        let file = File::options().create(true).truncate(false).write(true).mode(gatehouse_files::PRIVATE).open(&path);
        let file = file.map_err(|error| cannot(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: file })),
            Err(TryLockError::WouldBlock) => {
                Client::connect(socket).await?.call(Request::ShowWindow).await?;
                Ok(None)
            }
            Err(TryLockError::Error(error)) => Err(cannot(&error)),
        }
    }
}

impl Backend {
    pub(crate) fn new(socket: PathBuf) -> (Self, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(256);
        let now = Now { reach: Reach::Nobody, snapshot: None, why: None, stop: None };
        (Self { socket, now: Arc::new(Mutex::new(now)), news, host: Arc::new(Notify::new()) }, heard)
    }

    /// The newest state; `None` = no core answers.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.lock(|now| now.snapshot.clone())
    }

    /// Whether the core runs in this process.
    pub(crate) fn hosting(&self) -> Hosting {
        self.lock(|now| match now.reach {
            Reach::Here(_) => Hosting::Here,
            Reach::Nobody | Reach::Elsewhere(_) => Hosting::Elsewhere,
        })
    }

    /// Asks the core.
    pub(crate) async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        enum To {
            Here(Handle),
            Elsewhere(Client),
        }
        let to = self.lock(|now| match &now.reach {
            Reach::Here(handle) => Ok(To::Here(handle.clone())),
            Reach::Elsewhere(client) => Ok(To::Elsewhere(client.clone())),
            Reach::Nobody => Err(now.why.clone()),
        });
        match to {
            Ok(To::Here(handle)) => handle.call(request).await,
            Ok(To::Elsewhere(client)) => client.call(request).await,
            Err(why) => Err(why.unwrap_or_else(|| {
                ErrorEnvelope::new(Code::NotRunning, "Gatehouse is not running", "No core answers at the control socket.")
            })),
        }
    }

    /// Hosts a core here where none answers.
    pub(crate) fn host(&self) {
        self.host.notify_one();
    }

    /// Stops a core of our own properly; returns when it is gone.
    pub(crate) async fn stop(&self) {
        let Some(stop) = self.lock(|now| now.stop.take()) else { return };
        let (done, gone) = oneshot::channel();
        if stop.send(done).is_ok() {
            let _ = gone.await;
        }
    }

    /// Follows cores, one after the other, for ever.
    pub(crate) async fn run(self) {
        let mut may_host = true;
        loop {
            match Client::connect(&self.socket).await {
                Ok(client) => {
                    may_host = false;
                    self.follow(client).await;
                }
                Err(error) if error.code == Code::NotRunning && may_host => {
                    may_host = false;
                    if let Err(error) = self.serve().await {
                        may_host = error.code == Code::AlreadyRunning;
                        self.away(Some(error)).await;
                    }
                }
                Err(error) => self.away(Some(error)).await,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.host.notified() => may_host = true,
            }
        }
    }

    async fn follow(&self, client: Client) {
        let Ok(mut events) = client.events(&gatehouse_api::socket::Topic::ALL).await else { return };
        self.lock(|now| now.reach = Reach::Elsewhere(client));
        self.tell(News::Up(true)).await;
        while let Ok(event) = events.next().await {
            self.take(event).await;
        }
        self.away(None).await;
    }

    async fn serve(&self) -> Result<(), ErrorEnvelope> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let core = Core::start(CoreOptions { environment, ..CoreOptions::default() }).await?;
        let handle = core.handle();
        let (stop, asked) = oneshot::channel::<oneshot::Sender<()>>();
        let (close, closed) = oneshot::channel::<()>();
        let serving = match ControlSocket::bind(&self.socket) {
            Ok(socket) => {
                let handler: Arc<dyn Handler> = Arc::new(Served(handle.clone()));
                tokio::spawn(socket.serve(handler, async {
                    let _ = closed.await;
                }))
            }
            Err(error) => {
                core.stop().await;
                let because = format!("{}: {error}.", self.socket.display());
                return Err(ErrorEnvelope::new(Code::Storage, "The control socket could not be made", because));
            }
        };
        self.lock(|now| {
            now.reach = Reach::Here(handle.clone());
            now.stop = Some(stop);
        });
        self.tell(News::Up(true)).await;
        let mut events = handle.events();
        self.take(Event::Snapshot(Box::new(handle.snapshot().as_ref().clone()))).await;
        let mut asked = asked;
        let done = loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(event) => self.take(event).await,
                    Err(broadcast::error::RecvError::Lagged(missed)) => self.take(Event::Lagged { missed }).await,
                    Err(broadcast::error::RecvError::Closed) => break None,
                },
                done = &mut asked => break done.ok(),
                () = core.shutdown_requested() => break None,
            }
        };
        core.stop().await;
        let _ = close.send(());
        let _ = serving.await;
        self.away(None).await;
        if let Some(done) = done {
            let _ = done.send(());
        }
        Ok(())
    }

    async fn take(&self, event: Event) {
        if let Event::Snapshot(snapshot) = &event {
            let snapshot = Arc::new(snapshot.as_ref().clone());
            self.lock(|now| now.snapshot = Some(snapshot));
        }
        self.tell(News::Event(Box::new(event))).await;
    }

    async fn away(&self, why: Option<ErrorEnvelope>) {
        let was = self.lock(|now| {
            let was = now.snapshot.take().is_some() || (now.why.is_none() && why.is_some());
            now.reach = Reach::Nobody;
            now.stop = None;
            now.why = why;
            was
        });
        if was {
            self.tell(News::Up(false)).await;
        }
    }

    async fn tell(&self, news: News) {
        let _ = self.news.send(news).await;
    }

    fn lock<T>(&self, work: impl FnOnce(&mut Now) -> T) -> T {
        work(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The core of this process as the control socket sees it.
struct Served(Handle);

#[async_trait]
impl Handler for Served {
    async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        self.0.call(request).await
    }

    fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshot()
    }
}
