//! A house for tests: a state folder, a configuration file, an edge on loopback, and a clock that the test moves.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::{fs, io};

use gatehouse_api::{OpenRequest, Scope};
use gatehouse_certs::{Certificates, Vault, VaultError};
use gatehouse_edge::{Edge, EdgeOptions, EdgeSettings};
use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::home::{self, Home};
use gatehouse_host::names::HostNames;
use gatehouse_host::ports::{PortHolder, Refusal};
use gatehouse_host::secrets::{Preference, Secrets};
use gatehouse_openclaw::discovery::Environment;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::brought::Brought;
use crate::context::{Checkpoint, Clock, Context, Machine, Pass, Served};
use crate::door::Door;
use crate::link::GatewayLink;
use crate::mapping::RouterPort;
use crate::mapping::tests::{Desk, Paper};
use crate::public::{self, Public};
use crate::settings::SettingsStore;
use crate::testing::free_port;
use crate::token::TokenStore;
use crate::transaction::{Intent, Transactions, serve};

pub(crate) struct House {
    folder: Arc<TempDir>,
    port: u16,
    clock: Hands,
    vault: Arc<Memory>,
    paper: Arc<Paper>,
    context: Context,
    transactions: Transactions,
}

/// What the configuration says beside the usual.
pub(crate) struct Knob {
    pub(crate) auth: &'static str,
    pub(crate) bind: &'static str,
    pub(crate) origins: Option<&'static str>,
}

impl Default for Knob {
    fn default() -> Self {
        let auth = "{ mode: \"token\", token: \"test-token-0123456789abcdef0123456789abcdef\" }";
        Self { auth, bind: "loopback", origins: None }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Knob::default())
    }

    pub(crate) fn with(knob: Knob) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let origins = knob.origins.map(|list| format!("controlUi: {{ allowedOrigins: {list} }},"));
        let text = format!(
            "{{\n  // my gateway\n  gateway: {{\n    mode: \"local\",\n    port: {}, // not the usual one\n    bind: \"{}\",\n    \
             auth: {},\n    {}\n  }},\n}}\n",
            free_port(),
            knob.bind,
            knob.auth,
            origins.unwrap_or_default()
        );
        fs::write(folder.path().join("openclaw.json"), text).unwrap();
        let clock = Hands(Arc::new(Mutex::new(datetime!(2026-11-20 12:00 UTC))));
        Self::start(folder, free_port(), clock, Arc::default(), Arc::new(Pass::default()))
    }

    /// The same, with somebody who asks to stop at the so-manieth place that a change passes; told is where that was.
    pub(crate) fn stopping_at(place: usize) -> (Self, Arc<Impatient>) {
        let impatient = Arc::new(Impatient { place, passed: Mutex::default(), change: OnceLock::new() });
        let Self { folder, port, clock, vault, .. } = Self::new();
        let house = Self::start(folder, port, clock, vault, impatient.clone());
        assert!(impatient.change.set(house.transactions.clone()).is_ok());
        (house, impatient)
    }

    /// The same, with a defect at a place (`step:point`) the first time that a change passes it.
    pub(crate) fn breaking_at(place: &'static str) -> Self {
        let Self { folder, port, clock, vault, .. } = Self::new();
        Self::start(folder, port, clock, vault, Arc::new(Defect { place, met: AtomicBool::default() }))
    }

    /// The same state in a new process. The sockets of the old one go with it.
    pub(crate) async fn restarted(self) -> Self {
        self.context.door.close().await;
        let Self { folder, port, clock, vault, .. } = self;
        Self::start(folder, port, clock, vault, Arc::new(Pass::default()))
    }

    fn start(
        folder: Arc<TempDir>,
        port: u16,
        clock: Hands,
        vault: Arc<Memory>,
        checkpoint: Arc<dyn Checkpoint>,
    ) -> Self {
        let certificates = Arc::new(Certificates::open(&folder.path().join("certs"), vault.clone()).unwrap());
        let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let options = EdgeOptions { threads: 1, ..EdgeOptions::default() };
        let edge = Edge::start(options, certificates.resolver(), EdgeSettings::new(upstream)).unwrap();
        let config = folder.path().join("openclaw.json").display().to_string();
        let environment = Environment {
            variables: BTreeMap::from([("OPENCLAW_CONFIG_PATH".to_owned(), config)]),
            home: folder.path().to_path_buf(),
            own_install: None,
        };
        let settings = Arc::new(SettingsStore::open(folder.path().join("settings.json")));
        let parts = public::Parts {
            resolver: certificates.shelf(),
            vault: vault.clone(),
            settings: settings.clone(),
            machine: Arc::new(Small),
            elsewhere: public::Elsewhere {
                name_server: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))),
                cloudflare: None,
            },
            checkpoint: Arc::clone(&checkpoint),
        };
        let public = Arc::new(Public::open(&folder.path().join("acme"), parts).unwrap());
        let brought =
            Brought::open(&folder.path().join("certs"), certificates.shelf(), vault.clone()).unwrap();
        let paper = Arc::<Paper>::default();
        let kept = Arc::new(Secrets::open(&folder.path().join("secrets"), Preference::File));
        let home = home::Environment { gatehouse_home: Some(folder.path().into()), ..Default::default() };
        let token = Arc::new(TokenStore::new(kept, &Home::resolve(&home).unwrap()));
        let context = Context {
            token,
            brought: Arc::new(brought),
            public,
            journal: folder.path().join("journal"),
            settings,
            link: Arc::new(GatewayLink::default()),
            environment: Arc::new(arc_swap::ArcSwap::from_pointee(environment)),
            certificates,
            pins: Arc::default(),
            door: Arc::new(Door::new(edge)),
            served: Arc::default(),
            router_port: RouterPort::new(Arc::new(Desk(Arc::clone(&paper))), Arc::new(Small)),
            machine: Arc::new(Small),
            clock: Arc::new(clock.clone()),
            checkpoint,
        };
        let transactions = Transactions::new(context.clone()).unwrap();
        Self { folder, port, clock, vault, paper, context, transactions }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Serves only its name, as a machine that has a network address of its own besides. Returns the address.
    pub(crate) async fn named(&self, name: &str) -> String {
        self.transactions.run(self.open(&[name])).await.unwrap();
        let mut served = Served::clone(&self.context.served.load_full().unwrap());
        served.plan.addresses.retain(|address| address.host == name);
        served.plan.own.v4 = Some(Ipv4Addr::new(10, 77, 0, 1));
        serve::listen(&self.context, served).await.unwrap();
        format!("https://{name}:{}", self.port)
    }

    /// Where the configuration says that the gateway listens.
    pub(crate) fn gateway(&self) -> SocketAddr {
        self.context.link.address()
    }

    pub(crate) fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    pub(crate) fn open(&self, hosts: &[&str]) -> Intent {
        Intent::Open(OpenRequest {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..self.request()
        })
    }

    pub(crate) fn open_at(&self, port: u16) -> Intent {
        Intent::Open(OpenRequest { port: Some(port), ..self.request() })
    }

    pub(crate) fn open_for(&self, seconds: u32) -> Intent {
        Intent::Open(OpenRequest { confirm_within: Some(seconds), ..self.request() })
    }

    /// What the paper router of this house did.
    pub(crate) fn router(&self) -> &Paper {
        &self.paper
    }

    pub(crate) fn open_to_internet(&self, host: &str) -> Intent {
        Intent::Open(OpenRequest {
            scope: Scope::Internet,
            hosts: vec![host.to_owned()],
            map_port: Some(443),
            ..self.request()
        })
    }

    fn request(&self) -> OpenRequest {
        OpenRequest {
            scope: Scope::Lan,
            hosts: Vec::new(),
            port: Some(self.port),
            redirect_port: Some(0),
            map_port: None,
            only: Vec::new(),
            confirm_within: None,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn config(&self) -> String {
        fs::read_to_string(self.config_path()).unwrap()
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.config_path(), text).unwrap();
    }

    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.config();
        assert!(text.contains(from), "{from} is not in {text}");
        self.write(&text.replacen(from, to, 1));
    }

    pub(crate) fn origins(&self) -> Vec<String> {
        let view = gatehouse_openclaw::config::file::read_view(&self.config_path()).unwrap();
        view.allowed_origins.unwrap_or_default()
    }

    pub(crate) fn token(&self) -> Option<String> {
        let environment = Environment::clone(&self.context.environment.load());
        match gatehouse_openclaw::discovery::discover(&environment).unwrap().auth {
            gatehouse_openclaw::discovery::Auth::Token(token) => Some(token.expose_secret().to_owned()),
            _ => None,
        }
    }

    pub(crate) fn settings_open(&self) -> bool {
        self.context.settings.current().open.is_some()
    }

    pub(crate) fn listening(&self) -> Vec<SocketAddr> {
        let mut listening = self.context.door.listening().https;
        listening.sort();
        listening
    }

    pub(crate) fn journal_files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path().join("journal")).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    pub(crate) fn has_authority(&self) -> bool {
        self.context.certificates.authority().is_some()
    }

    /// What a disk may do to its certificate.
    pub(crate) fn lock_the_vault(&self, locked: bool) {
        self.vault.locked.store(locked, Ordering::SeqCst);
    }

    pub(crate) fn damage_the_authority(&self) {
        fs::write(self.folder.path().join("certs/authority.pem"), "no certificate").unwrap();
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(crate) fn pass(&self, time: Duration) {
        *self.clock.0.lock().unwrap() += time;
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("openclaw.json")
    }
}

/// What a browser sends for an address.
pub(crate) fn origin_of(url: &str) -> String {
    gatehouse_openclaw::origin::canonical(url).unwrap()
}

#[derive(Clone)]
struct Hands(Arc<Mutex<OffsetDateTime>>);

impl Clock for Hands {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

/// Asks to stop at one place of a change.
pub(crate) struct Impatient {
    place: usize,
    passed: Mutex<Vec<String>>,
    change: OnceLock<Transactions>,
}

impl Impatient {
    /// Where that was; `None` = the change did not come that far.
    pub(crate) fn asked_at(&self) -> Option<String> {
        self.passed.lock().unwrap().get(self.place).cloned()
    }

    /// How many places were passed.
    pub(crate) fn passed(&self) -> usize {
        self.passed.lock().unwrap().len()
    }
}

impl Checkpoint for Impatient {
    fn reached(&self, step: &str, point: &str) {
        let mut passed = self.passed.lock().unwrap();
        passed.push(format!("{step}:{point}"));
        if passed.len() == self.place + 1
            && let Some(change) = self.change.get()
        {
            change.cancel();
        }
    }
}

struct Defect {
    place: &'static str,
    met: AtomicBool,
}

impl Checkpoint for Defect {
    fn reached(&self, step: &str, point: &str) {
        if format!("{step}:{point}") == self.place && !self.met.swap(true, Ordering::SeqCst) {
            panic!("a defect at {}", self.place);
        }
    }
}

/// A machine whose only network is its own loopback.
struct Small;

impl Machine for Small {
    fn addresses(&self) -> io::Result<Vec<InterfaceAddress>> {
        Ok(vec![InterfaceAddress {
            interface: "lan0".to_owned(),
            ip: Ipv4Addr::LOCALHOST.into(),
            prefix: 8,
            kind: Kind::Private,
            temporary: false,
            deprecated: false,
        }])
    }

    fn names(&self) -> HostNames {
        HostNames::default()
    }

    fn holder(&self, _port: u16) -> Option<PortHolder> {
        None
    }

    fn ask_to_restart(&self, _pid: u32) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn router(&self) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::new(127, 0, 0, 1))
    }

    fn try_bind(&self, address: SocketAddr) -> Result<(), Refusal> {
        gatehouse_host::ports::try_bind(address)
    }
}

/// A keychain in memory.
#[derive(Default)]
struct Memory {
    kept: Mutex<BTreeMap<String, SecretString>>,
    locked: AtomicBool,
}

impl Memory {
    fn open(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, SecretString>>, VaultError> {
        match self.locked.load(Ordering::SeqCst) {
            true => Err(VaultError::Locked("by the test".to_owned())),
            false => Ok(self.kept.lock().unwrap()),
        }
    }
}

impl Vault for Memory {
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        Ok(self.open()?.get(name).cloned())
    }

    fn put(&self, name: &str, value: &SecretString) -> Result<(), VaultError> {
        self.open()?.insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.open()?.remove(name);
        Ok(())
    }
}
