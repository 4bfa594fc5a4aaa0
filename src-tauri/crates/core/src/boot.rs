//! From nothing to a core that serves: the order of a start.
//!
//! The lock comes first and the gateway last: what was open is served again before anybody asks whether the gateway
//! runs (the edge holds requests until it does), and nothing waits for a keychain longer than its limit.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gatehouse_api::{ErrorEnvelope, Event, GatewayVerdict, Snapshot, say};
use gatehouse_certs::Certificates;
use gatehouse_edge::{Edge, EdgeOptions, EdgeSettings, LogOptions, RehearsalError};
use gatehouse_host::home::{self, Home, InstanceLock};
use gatehouse_host::secrets::{Kind, Preference, Secrets};
use gatehouse_host::{addresses, names, process};
use gatehouse_openclaw::discovery::{Environment, discover};
use gatehouse_openclaw::install::OwnGateway;
use gatehouse_openclaw::probe::health;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;

use crate::awake::{self, Awakeness};
use crate::brought::Brought;
use crate::context::{Clock as _, Context, FrontDoor, Pass, System, SystemClock};
use crate::controller::message::{Ended, Fact, Message};
use crate::controller::state::{GatewayState, State};
use crate::controller::{Controller, first_snapshot};
use crate::core::CoreOptions;
use crate::door::Door;
use crate::edge_config::EdgeConfig;
use crate::errors::{self, Explain};
use crate::invite::Invites;
use crate::link::{DEFAULT_PORT, GatewayLink, follow};
use crate::mapping::{HomeRouter, RouterPort};
use crate::own;
use crate::pins::Journal;
use crate::public::{self, Elsewhere, Public};
use crate::requests::{Desk, blocking, expire_in_time, forget_copies};
use crate::settings::SettingsStore;
use crate::token::TokenStore;
use crate::traffic;
use crate::transaction::Transactions;
use crate::vault::SecretVault;

/// Messages that may wait for the controller.
const INBOX: usize = 256;
/// Events that a slow viewer may be behind before it is told that it missed some.
const EVENTS: usize = 1024;
/// How often time passes for the controller.
const TICK: Duration = Duration::from_secs(5);
/// Between two looks at whether a rehearsal is due.
const REHEARSALS: Duration = Duration::from_secs(1);
/// How often files of the user are looked at.
const FILES: Duration = Duration::from_secs(2);
/// Copies that nothing needs any more are looked for every so many looks: every hour.
const FORGET: u32 = 1800;
/// How often the names of this machine are looked at.
const NAMES: Duration = Duration::from_secs(30);
/// How often addresses are looked at where the system does not tell of changes.
const ADDRESSES: Duration = Duration::from_secs(5);

/// A core that serves, not running yet.
pub(crate) struct Booted {
    pub(crate) controller: Controller,
    pub(crate) messages: mpsc::Sender<Message>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) socket: PathBuf,
}

/// What is found on the disk.
struct Parts {
    home: Home,
    lock: InstanceLock,
    secrets: Arc<Secrets>,
    token: Arc<TokenStore>,
    certificates: Arc<Certificates>,
    settings: Arc<SettingsStore>,
    public: Arc<Public>,
    brought: Arc<Brought>,
}

/// Starts everything but the controller's task.
pub(crate) async fn boot(options: CoreOptions) -> Result<Booted, ErrorEnvelope> {
    let environment = host_environment(&options);
    let preference = if options.secrets_in_files { Preference::File } else { Preference::Keychain };
    let elsewhere = elsewhere(&options);
    let parts = blocking(move || parts(&environment, preference, elsewhere)).await?;
    let link = Arc::new(GatewayLink::default());
    let edge = edge(&parts, &link)?;
    let door = Arc::new(Door::new(edge));
    let allowed = options.supervise || parts.settings.current().own_gateway;
    let (environment, own) = find_gateway(&options, allowed, &parts, &link).await?;
    let context = Context {
        token: parts.token,
        public: parts.public,
        brought: parts.brought,
        journal: parts.home.journal(),
        settings: parts.settings,
        link: Arc::clone(&link),
        environment: Arc::new(ArcSwap::from_pointee(environment.clone())),
        certificates: parts.certificates,
        pins: Arc::new(Journal::open(parts.home.pins())),
        door: door.clone(),
        served: Arc::default(),
        router_port: RouterPort::new(Arc::new(HomeRouter), Arc::new(System)),
        machine: Arc::new(System),
        clock: Arc::new(SystemClock),
        checkpoint: Arc::new(Pass::from_process()),
    };
    let transactions = Transactions::new(context.clone())?;
    for change in transactions.recover().await {
        tracing::info!(title = %change.title, "an earlier change was taken back");
    }
    let config = EdgeConfig::of(&context.settings.current().edge).0;
    if let Err((address, error)) = door.configure(&config).await {
        tracing::warn!(%address, %error, "the port for metrics could not be opened");
        // Limits count all the same.
        let _ = door.configure(&EdgeConfig { metrics_port: None, ..config }).await;
    }

    let (messages, inbox) = mpsc::channel(INBOX);
    let events = broadcast::channel(EVENTS).0;
    let stopping = watch::channel(false).0;
    let now = context.clock.now();
    let state = State {
        wanted: options.open_at_start,
        started: Some(now),
        gateway: GatewayState { own: own.is_some(), ..GatewayState::default() },
        ..State::default()
    };
    let secrets = kind(parts.secrets.kind());
    let snapshots = watch::channel(Arc::new(first_snapshot(now))).0;
    let desk = Desk {
        context,
        transactions,
        door,
        messages: messages.clone(),
        snapshots: snapshots.subscribe(),
        keeper: own::Keeper::new(parts.home.clone()),
        recent: traffic::Recent::default(),
        turned_away: traffic::TurnedAway::default(),
        invites: Invites::default(),
        links: Arc::default(),
        awake: Awakeness::default(),
    };
    let socket = parts.home.socket().to_owned();
    if let Some(own) = own {
        desk.keeper.take(environment, own, messages.clone());
    }
    let followers = followers(&desk, &events);
    let subscriber = snapshots.subscribe();
    let stopped = stopping.subscribe();
    let mut controller = Controller {
        state,
        desk: desk.clone(),
        inbox,
        events: events.clone(),
        snapshots,
        stopping,
        secrets,
        followers,
        work: JoinSet::new(),
        errands: JoinSet::new(),
        lock: parts.lock,
    };
    // Certificates that need no open port are kept valid also while nothing is open.
    let served = desk.transactions.resume().await;
    if desk.context.settings.current().open.is_some() {
        controller.take(Fact::Served(served));
    }
    controller.take(Fact::Tick);
    Ok(Booted { controller, messages, events, snapshots: subscriber, stopping: stopped, socket })
}

fn parts(
    environment: &home::Environment,
    preference: Preference,
    elsewhere: Elsewhere,
) -> Result<Parts, ErrorEnvelope> {
    let home = Home::resolve(environment).map_err(|error| error.explain())?;
    home.create().map_err(|error| error.explain())?;
    let lock = home.lock().map_err(|error| error.explain())?;
    if let Err(error) = process::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let secrets = Arc::new(Secrets::open(&home.secrets(), preference));
    let vault = Arc::new(SecretVault(Arc::clone(&secrets)));
    let mut certificates =
        Certificates::open(&home.certificates(), vault.clone()).map_err(|error| error.explain())?;
    if let Some(host) = names::host_names().host {
        certificates = certificates.with_host(&host);
    }
    let settings = Arc::new(SettingsStore::open(home.settings()));
    let public = public::Parts {
        resolver: certificates.shelf(),
        vault: vault.clone(),
        settings: settings.clone(),
        machine: Arc::new(System),
        elsewhere,
        checkpoint: Arc::new(Pass::from_process()),
    };
    let public = Arc::new(Public::open(&home.certificates().join("acme"), public)?);
    let brought =
        Brought::open(&home.certificates(), certificates.shelf(), vault).map_err(|error| error.explain())?;
    brought.follow(&settings.current(), SystemClock.now());
    let brought = Arc::new(brought);
    let token = Arc::new(TokenStore::new(Arc::clone(&secrets), &home));
    token.refresh_helper();
    Ok(Parts { home, lock, secrets, token, certificates: Arc::new(certificates), settings, public, brought })
}

fn edge(parts: &Parts, link: &GatewayLink) -> Result<Edge, ErrorEnvelope> {
    let logs = parts.home.logs();
    let options = EdgeOptions {
        threads: threads(),
        log: Some(LogOptions::new(logs.clone())),
        challenges: parts.public.challenges(),
        client_certificates: Some(parts.brought.client_certificates()),
    };
    let settings = EdgeSettings::new(link.address());
    Edge::start(options, parts.certificates.resolver(), settings)
        .map_err(|error| errors::file(say!("core.boot.edge"), &logs, &error))
}

/// Half of the machine: the gateway has work to do, too.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| (threads.get() / 2).clamp(1, 4))
}

/// The user's gateway, or one of our own where there is none and one is asked for.
async fn find_gateway(
    options: &CoreOptions,
    allowed: bool,
    parts: &Parts,
    link: &GatewayLink,
) -> Result<(Environment, Option<OwnGateway>), ErrorEnvelope> {
    let environment = Environment {
        variables: options.environment.clone(),
        home: options.environment.get("HOME").map(PathBuf::from).unwrap_or_default(),
        own_install: None,
    };
    let (looked, token, home) = (environment.clone(), parts.token.clone(), &parts.home);
    let found = blocking(move || Ok(discover(&looked).map(|gateway| token.resolved(gateway)))).await?;
    let asked = options.environment.get("OPENCLAW_GATEWAY_PORT").and_then(|port| port.parse().ok());
    let port = found.as_ref().map_or(asked.unwrap_or(DEFAULT_PORT), |gateway| gateway.port);
    let answer = health(([127, 0, 0, 1], port).into()).await;
    if !own::wanted(allowed, &found, &answer, home.gateway().exists()) {
        link.update(found.ok());
        return Ok((environment, None));
    }
    let (home, token) = (home.clone(), parts.token.clone());
    let (own, environment, found) = blocking(move || {
        let (own, environment) = match own::prepare(&home, &environment, own::free_port(port)) {
            Ok((own, environment)) => (Some(own), environment),
            // Its configuration was broken by hand: what is open stays open, and looking for it says why it does not run.
            Err(error) => {
                tracing::error!(%error, "the gateway of our own is not run");
                (None, own::around(&home, &environment))
            }
        };
        let found = discover(&environment).map(|gateway| token.resolved(gateway));
        Ok((own, environment, found))
    })
    .await?;
    link.update(found.ok());
    Ok((environment, own))
}

fn followers(desk: &Desk, events: &broadcast::Sender<Event>) -> JoinSet<()> {
    let mut followers = JoinSet::new();
    followers.spawn(traffic::follow(
        desk.door.traffic(),
        desk.recent.clone(),
        desk.turned_away.clone(),
        Arc::clone(&desk.context.settings),
        events.clone(),
    ));
    followers.spawn(follow::follow(Arc::clone(&desk.context.link), desk.messages.clone()));
    followers.spawn(ticks(desk.clone()));
    followers.spawn(progress(desk.clone()));
    followers.spawn(deadlines(desk.clone()));
    followers.spawn(expire_in_time(desk.clone()));
    followers.spawn(addresses_of_this_machine(desk.clone()));
    followers.spawn(names_of_this_machine(desk.clone()));
    followers.spawn(router_port(desk.clone()));
    followers.spawn(rehearsals(desk.clone()));
    followers.spawn(awake::keep(desk.clone()));
    followers.spawn(awake::notice(desk.clone()));
    followers.spawn(public_certificates(desk.clone()));
    followers.spawn(files_of_the_user(desk.clone()));
    followers
}

async fn ticks(desk: Desk) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        desk.tell(Fact::Tick).await;
    }
}

async fn progress(desk: Desk) {
    let mut steps = desk.transactions.progress();
    loop {
        match steps.recv().await {
            Ok(step) => desk.tell(Fact::Progress(step)).await,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// Changes that nobody confirmed in time revert by themselves.
async fn deadlines(desk: Desk) {
    loop {
        match desk.transactions.expired().await {
            Ok(change) => {
                tracing::info!(title = %change.title, "a change was not confirmed in time and is reverted");
                desk.tell(Fact::ChangeEnded(Ended::OtherAddress)).await;
            }
            Err(error) => {
                tracing::error!(%error, "a change that was not confirmed could not be reverted");
                tokio::time::sleep(TICK).await;
            }
        }
    }
}

async fn addresses_of_this_machine(desk: Desk) {
    let mut present = addresses::watch(ADDRESSES);
    present.mark_unchanged();
    while present.changed().await.is_ok() {
        desk.tell(Fact::Addresses).await;
        desk.context.router_port.look();
    }
}

/// A name that multicast DNS had to change, because another device has it, is told by nobody.
async fn names_of_this_machine(desk: Desk) {
    let mut before = None;
    loop {
        let machine = Arc::clone(&desk.context.machine);
        let now = blocking(move || Ok(machine.names())).await.ok();
        if before.is_some() && before != now {
            desk.tell(Fact::Addresses).await;
        }
        before = now.or(before);
        tokio::time::sleep(NAMES).await;
    }
}

/// Keeps the router's port open while one is wanted, and tells of every change of it.
async fn router_port(desk: Desk) {
    let port = desk.context.router_port.clone();
    let mut changes = port.changes();
    let follow = async {
        while changes.changed().await.is_ok() {
            desk.tell(Fact::LookAgain).await;
        }
    };
    tokio::select! {
        () = port.keep() => {}
        () = follow => {}
    }
}

/// WebSocket over HTTP/2 is tried with every gateway that runs behind an open address, and then offered or not.
async fn rehearsals(desk: Desk) {
    let mut snapshots = desk.snapshots.clone();
    loop {
        let runs = snapshots.borrow_and_update().gateway.verdict == GatewayVerdict::Running;
        if runs && desk.door.wants_rehearsal() {
            match desk.door.rehearse().await {
                Ok(()) => tracing::info!("WebSocket over HTTP/2 works and is offered"),
                Err(RehearsalError::Failed(why)) => {
                    tracing::warn!(%why, "WebSocket over HTTP/2 does not work and is not offered");
                }
                Err(error @ RehearsalError::NotNow(_)) => tracing::debug!(%error, "WebSocket over HTTP/2"),
            }
            desk.tell(Fact::Tick).await;
        }
        tokio::time::sleep(REHEARSALS).await;
        if snapshots.has_changed().is_err() {
            return;
        }
    }
}

/// Certificates, authorities and lists of revoked certificates are read again when their files change.
async fn files_of_the_user(desk: Desk) {
    let mut looks = 0_u32;
    loop {
        let (brought, now) = (Arc::clone(&desk.context.brought), desk.context.clock.now());
        let refreshed = blocking(move || Ok(brought.refresh(now))).await.unwrap_or_default();
        if refreshed.clients {
            desk.context.door.clients_changed();
        }
        if refreshed.certificates {
            desk.tell(Fact::Certificates).await;
        } else if refreshed.clients {
            desk.tell(Fact::LookAgain).await;
        }
        if looks.is_multiple_of(FORGET) {
            forget_copies(&desk).await;
        }
        looks = looks.wrapping_add(1);
        tokio::time::sleep(FILES).await;
    }
}

/// Keeps public certificates valid, and tells of every change of them.
async fn public_certificates(desk: Desk) {
    let public = Arc::clone(&desk.context.public);
    let mut changes = public.changes();
    let follow = async {
        let mut before = None;
        while changes.changed().await.is_ok() {
            let now: Vec<_> = changes
                .borrow_and_update()
                .iter()
                .map(|one| (one.name.clone(), one.facts.as_ref().map(|facts| facts.sha256.clone())))
                .collect();
            let other = before.replace(now.clone()) != Some(now);
            desk.tell(if other { Fact::Certificates } else { Fact::LookAgain }).await;
        }
    };
    tokio::select! {
        () = public.run() => {}
        () = follow => {}
    }
}

/// For tests with a certificate authority of their own, whose names no public name server knows.
fn elsewhere(options: &CoreOptions) -> Elsewhere {
    let said = |name: &str| options.environment.get(name);
    Elsewhere {
        name_server: said("GATEHOUSE_TEST_NAME_SERVER").and_then(|server| server.parse().ok()),
        cloudflare: said("GATEHOUSE_TEST_CLOUDFLARE").cloned(),
    }
}

fn host_environment(options: &CoreOptions) -> home::Environment {
    let path =
        |name: &str| options.environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    home::Environment {
        gatehouse_home: options.home.clone().or_else(|| path("GATEHOUSE_HOME")),
        home: path("HOME").filter(|home| home.is_absolute()),
        data_home: path("XDG_DATA_HOME"),
        runtime_dir: path("XDG_RUNTIME_DIR"),
        temporary: path("TMPDIR"),
    }
}

/// Where secrets are kept, in the words of the api.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Keychain => "keychain",
        Kind::SecretService => "secret-service",
        Kind::File => "file",
    }
}
