//! The handle to a running edge.
//!
//! Guarantees: the edge runs on threads and a runtime of its own, so nothing that its user does slows it and no defect
//! of its user stops it; settings are swapped as a whole and drop no connection; when the last handle is gone, the
//! edge ends.

use crate::CertificateSource;
use crate::access_log::{AccessLog, AccessRecord};
use crate::challenge::Challenges;
use crate::client_certificates::{ClientCertificates, Rules};
use crate::drain::{Drained, Tally};
use crate::listener::{Admission, ListenError, Listener, Listeners};
use crate::metrics::{Metrics, Present};
use crate::rehearsal::{self, RehearsalError, Rehearsals, WebSocketsOverHttp2};
use crate::serve::Front;
use crate::settings::{EdgeSettings, LogOptions};
use crate::shares::Shares;
use crate::sightings::{ClientSighting, OriginSighting, Sightings};
use crate::tls::Tls;
use crate::upstream::Upstream;
use arc_swap::ArcSwap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Access records that a slow listener may be behind before it misses some.
const TRAFFIC: usize = 1024;

/// How an edge is started.
#[derive(Debug, Clone, Default)]
pub struct EdgeOptions {
    /// Threads that serve. 0 and 1 mean one: enough for tens of thousands of requests per second.
    pub threads: usize,
    /// Where the access log goes; `None` = nowhere.
    pub log: Option<LogOptions>,
    /// What certificate authorities are answered on the redirect port.
    pub challenges: Challenges,
    /// Which names want a certificate from their clients; `None` = none does.
    pub client_certificates: Option<Arc<dyn ClientCertificates>>,
}

/// What an edge has done and is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections open now, WebSockets among them.
    pub connections: u64,
    /// Connections that may be open at once: the limit, or what the descriptors of this process allow.
    pub connections_limit: u64,
    /// WebSockets open now.
    pub websockets: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Lines of the access log that are not on disk: the writer was behind, or the disk refused them.
    pub log_lines_dropped: u64,
}

/// A running edge. Clones are handles to the same one.
#[derive(Clone)]
pub struct Edge {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    listening: Arc<Mutex<Vec<Listener>>>,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: ArcSwap<EdgeSettings>,
    pub(crate) tls: Tls,
    pub(crate) challenges: Challenges,
    pub(crate) clients: Rules,
    pub(crate) upstream: Upstream,
    pub(crate) admission: Arc<Admission>,
    pub(crate) shares: Arc<Shares>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) sightings: Sightings,
    pub(crate) metrics: Metrics,
    pub(crate) rehearsals: Rehearsals,
    log: Option<AccessLog>,
    traffic: broadcast::Sender<Arc<AccessRecord>>,
    requests: AtomicU64,
}

impl Shared {
    /// A request has arrived.
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A request has ended.
    pub(crate) fn record(&self, record: Arc<AccessRecord>) {
        self.metrics.ended(&record);
        if let Some(log) = &self.log {
            log.record(Arc::clone(&record));
        }
        // Nobody listening is fine.
        let _ = self.traffic.send(record);
    }
}

enum Command {
    Listen(Vec<Listener>, oneshot::Sender<Result<(), ListenError>>),
    Drain(Duration, oneshot::Sender<Drained>),
}

impl Edge {
    /// Starts an edge that listens nowhere yet.
    ///
    /// # Errors
    /// When its threads, its TLS set-up or its log cannot be made.
    pub fn start(
        options: EdgeOptions,
        certificates: CertificateSource,
        mut settings: EdgeSettings,
    ) -> io::Result<Self> {
        settings.serve_routes();
        let clients = Rules::new(options.client_certificates);
        let tls = Tls::new(certificates, clients.source.clone()).map_err(io::Error::other)?;
        let log = options.log.map(AccessLog::start).transpose()?;
        let shared = Arc::new(Shared {
            settings: ArcSwap::from_pointee(settings),
            tls,
            challenges: options.challenges,
            clients,
            upstream: Upstream::default(),
            admission: Arc::default(),
            shares: Arc::default(),
            tally: Arc::default(),
            sightings: Sightings::new(),
            metrics: Metrics::new(),
            rehearsals: Rehearsals::default(),
            log,
            traffic: broadcast::channel(TRAFFIC).0,
            requests: AtomicU64::new(0),
        });
        let (commands, inbox) = mpsc::unbounded_channel();
        let listening = Arc::new(Mutex::new(Vec::new()));
        let runtime = runtime(options.threads)?;
        let steward = steward(inbox, Arc::clone(&shared), Arc::clone(&listening));
        std::thread::Builder::new().name("gatehouse-edge".to_owned()).spawn(move || {
            runtime.block_on(steward);
            runtime.shutdown_background();
        })?;
        Ok(Self { shared, commands, listening })
    }

    /// Makes the set of listeners equal to this one. Those that stay are not touched; of the new ones all are opened
    /// or none.
    ///
    /// # Errors
    /// The listener that could not be opened. What was open before is open still.
    pub async fn listen(&self, listeners: &[Listener]) -> Result<(), ListenError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Listen(listeners.to_vec(), reply));
        let gone = |()| {
            let listener = listeners.first().copied();
            listener.map_or(Ok(()), |listener| {
                Err(ListenError { listener, source: io::Error::other("the edge has ended") })
            })
        };
        match sent {
            Err(_) => gone(()),
            Ok(()) => answer.await.unwrap_or_else(|_| gone(())),
        }
    }

    /// The open listeners, with real ports.
    #[must_use]
    pub fn listening(&self) -> Vec<Listener> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the settings in force, also where somebody else changes them at the same time. No connection is dropped.
    pub fn change(&self, change: impl Fn(&mut EdgeSettings)) {
        self.shared.settings.rcu(|settings| {
            let mut settings = EdgeSettings::clone(settings);
            change(&mut settings);
            settings
        });
    }

    /// Serves with these settings from now on. No connection is dropped; a request in flight keeps the old ones.
    pub fn apply(&self, mut settings: EdgeSettings) {
        settings.serve_routes();
        self.shared.settings.store(Arc::new(settings));
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<EdgeSettings> {
        self.shared.settings.load_full()
    }

    /// What it has done and is doing.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let log = self.shared.log.as_ref().map(AccessLog::counters).unwrap_or_default();
        Counters {
            connections: self.shared.admission.connections() as u64,
            connections_limit: self.shared.admission.limit(&self.shared.settings.load().limits) as u64,
            websockets: self.shared.tally.websockets() as u64,
            requests: self.shared.requests.load(Ordering::Relaxed),
            log_lines_dropped: log.dropped + log.failed,
        }
    }

    /// All numbers in the Prometheus text format. They hold no address, no name and no path.
    #[must_use]
    pub fn metrics(&self) -> String {
        let shared = &self.shared;
        shared.metrics.text(&Present {
            connections: shared.admission.connections(),
            connections_limit: shared.admission.limit(&shared.settings.load().limits),
            handshakes: shared.admission.handshakes(),
            requests: shared.tally.requests(),
            websockets: shared.tally.websockets(),
            waiting: shared.upstream.hold.waiting(),
            log: shared.log.as_ref().map(AccessLog::counters).unwrap_or_default(),
        })
    }

    /// Ends every WebSocket that is open now, as a pause does; requests and connections go on.
    pub fn end_websockets(&self) {
        self.shared.tally.end_websockets();
    }

    /// The answers of [`EdgeOptions::client_certificates`] are other ones now: WebSockets whose clients may no longer be
    /// here end. Requests are judged anew in any case.
    pub fn judge_clients_again(&self) {
        self.shared.clients.have_changed();
    }

    /// Every request from now on, when it ends.
    #[must_use]
    pub fn traffic(&self) -> broadcast::Receiver<Arc<AccessRecord>> {
        self.shared.traffic.subscribe()
    }

    /// Clients that came by, the last seen first.
    #[must_use]
    pub fn sightings(&self) -> Vec<ClientSighting> {
        self.shared.sightings.clients()
    }

    /// Browser origins that came by, the last seen first.
    #[must_use]
    pub fn origins_seen(&self) -> Vec<OriginSighting> {
        self.shared.sightings.origins()
    }

    /// Goes the whole way of a WebSocket over HTTP/2 through one of our own listeners, up to the gateway's first frame.
    /// Where that works it is offered to everybody from then on ([`crate::Http2WebSockets::Rehearsed`]); where it fails,
    /// to nobody. Takes ten seconds at most. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`RehearsalError::NotNow`] changes nothing; [`RehearsalError::Failed`] ends an offer.
    pub async fn rehearse(&self) -> Result<(), RehearsalError> {
        rehearsal::rehearse(&self.shared, &self.listening()).await
    }

    /// Whether WebSocket over HTTP/2 is offered, and why not.
    #[must_use]
    pub fn websockets_over_http2(&self) -> WebSocketsOverHttp2 {
        self.shared.rehearsals.standing(&self.shared.settings.load())
    }

    /// Stops accepting, lets requests in flight finish for at most `grace`, then cuts what is left, WebSockets too.
    /// [`Edge::listen`] may be called again afterwards.
    pub async fn drain(&self, grace: Duration) -> Drained {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Drain(grace, reply)).is_err() {
            return Drained::default();
        }
        answer.await.unwrap_or_default()
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Edge").field("listening", &self.listening()).finish_non_exhaustive()
    }
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    if threads > 1 {
        // The thread that waits for commands does not serve.
        Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("gatehouse-edge-worker")
            .enable_all()
            .build()
    } else {
        Builder::new_current_thread().enable_all().build()
    }
}

/// Owns the listeners. Ends when the last handle is gone.
async fn steward(
    mut inbox: mpsc::UnboundedReceiver<Command>,
    shared: Arc<Shared>,
    listening: Arc<Mutex<Vec<Listener>>>,
) {
    let mut listeners = Listeners::new(Arc::new(Front(Arc::clone(&shared))));
    let publish = |listeners: &Listeners| {
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = listeners.list();
    };
    while let Some(command) = inbox.recv().await {
        match command {
            Command::Listen(wanted, reply) => {
                shared.admission.measure();
                let result = listeners.set(&wanted).await;
                publish(&listeners);
                let _ = reply.send(result);
            }
            Command::Drain(grace, reply) => {
                listeners.close().await;
                publish(&listeners);
                let connections = || shared.admission.connections();
                let drained = shared.tally.drain(grace, connections).await;
                let _ = reply.send(drained);
            }
        }
    }
    listeners.close().await;
}
