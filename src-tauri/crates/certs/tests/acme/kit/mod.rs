//! An edge, a renewal, and authorities, all on loopback.

pub(crate) mod pebble;
pub(crate) mod script;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_certs::acme::{
    ChallengeKind, DnsProvider, Failure, HttpTokens, Identifier, Registration, TxtLookup,
};
use gatehouse_certs::renewal::{Preflight, Renewal, StageWatcher, Status, Wanted};
use gatehouse_certs::{Https, Resolver, Roots};
use gatehouse_edge::{Challenges, Edge, EdgeOptions, EdgeSettings, HttpChallenges, Listener, ListenerKind};
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;
use time::OffsetDateTime;

/// Far more than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A port that nobody has, and that no other test of this process is given. It is below those that systems give to clients:
/// a connection of another test may have one of them on the very address.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 12_000;
    const MANY: u32 = 16_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + number % MANY).unwrap();
        if std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
}

pub(crate) fn names(text: &str) -> Vec<Identifier> {
    text.split(' ').map(|name| name.parse().unwrap()).collect()
}

/// Whether a program is here. Without it a test passes without saying anything, and fails where CI=true.
pub(crate) fn have(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).exists());
    assert!(found || std::env::var_os("CI").is_none(), "{program} is not installed");
    found
}

#[derive(Debug)]
struct Tokens(Arc<HttpTokens>);

impl HttpChallenges for Tokens {
    fn key_authorization(&self, token: &str) -> Option<String> {
        self.0.get(token)
    }
}

/// Sees nothing: the authority's own look counts.
pub(crate) struct NoLookup;

#[async_trait]
impl TxtLookup for NoLookup {
    async fn txt(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// What a test starts with.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) renewal: Arc<Renewal>,
    pub(crate) edge: Edge,
    pub(crate) tls_port: u16,
    pub(crate) http_port: u16,
    https: Https,
    pub(crate) wanted: Wanted,
}

/// The ports on which authorities will find the edge.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) tls: u16,
    pub(crate) http: u16,
}

impl Ports {
    pub(crate) fn free() -> Self {
        Self { tls: free_port(), http: free_port() }
    }
}

pub(crate) fn renewal(
    folder: &Path,
    resolver: &Arc<Resolver>,
    https: &Https,
    watcher: Option<StageWatcher>,
) -> Renewal {
    let renewal = Renewal::open(folder, resolver.clone(), https.clone(), Arc::new(NoLookup)).unwrap();
    match watcher {
        Some(watcher) => renewal.with_watcher(watcher),
        None => renewal,
    }
}

pub(crate) fn https(roots: Vec<CertificateDer<'static>>) -> Https {
    Https::new(Roots::Only(roots), Duration::from_secs(20)).unwrap()
}

impl House {
    /// An edge on these ports that trusts authorities with these roots.
    pub(crate) async fn open(ports: Ports, roots: Vec<CertificateDer<'static>>) -> Self {
        Self::in_folder(TempDir::new().unwrap(), ports, roots, None).await
    }

    pub(crate) async fn in_folder(
        folder: TempDir,
        ports: Ports,
        roots: Vec<CertificateDer<'static>>,
        watcher: Option<StageWatcher>,
    ) -> Self {
        let resolver: Arc<Resolver> = Arc::default();
        let https = https(roots);
        let renewal = Arc::new(renewal(folder.path(), &resolver, &https, watcher));
        let edge = edge(&resolver, &renewal, ports).await;
        let wanted = Wanted { ways: vec![ChallengeKind::TlsAlpn, ChallengeKind::Http], ..Wanted::default() };
        Self { folder, resolver, renewal, edge, tls_port: ports.tls, http_port: ports.http, https, wanted }
    }

    /// Asks this authority first, after those before.
    pub(crate) fn authority(mut self, directory: &str) -> Self {
        self.wanted.directories.push(directory.to_owned());
        let registration = Registration { agreed: true, ..Registration::default() };
        self.wanted.registrations.insert(directory.to_owned(), registration);
        self
    }

    pub(crate) fn ways(mut self, ways: &[ChallengeKind]) -> Self {
        self.wanted.ways = ways.to_vec();
        self
    }

    pub(crate) fn dns(mut self, dns: Arc<dyn DnsProvider>) -> Self {
        self.wanted.ways = vec![ChallengeKind::Dns];
        self.wanted.dns = Some(dns);
        self
    }

    /// Has this look before attempts. Wants nothing yet.
    pub(crate) fn looking(self, preflight: Arc<dyn Preflight>) -> Self {
        let renewal = renewal(self.folder.path(), &self.resolver, &self.https, None);
        Self { renewal: Arc::new(renewal.with_preflight(preflight)), ..self }
    }

    pub(crate) fn registration(mut self, directory: &str, registration: Registration) -> Self {
        self.wanted.registrations.insert(directory.to_owned(), registration);
        self
    }

    /// Wants one certificate for each text of names.
    pub(crate) fn wants(mut self, certificates: &[&str]) -> Self {
        self.wanted.certificates = certificates.iter().map(|text| names(text)).collect();
        self.renewal.set(self.wanted.clone(), OffsetDateTime::now_utc()).unwrap();
        self
    }

    /// Does what is due now.
    pub(crate) async fn tick(&self) -> Vec<Status> {
        self.tick_at(OffsetDateTime::now_utc()).await
    }

    pub(crate) async fn tick_at(&self, now: OffsetDateTime) -> Vec<Status> {
        self.renewal.tick(now).await;
        self.renewal.status().borrow().clone()
    }

    /// The one certificate that is wanted, after a tick.
    pub(crate) async fn one(&self) -> Status {
        let mut all = self.tick().await;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// As after a restart of the program: everything in memory is gone.
    pub(crate) async fn restart(self) -> Self {
        self.edge.drain(Duration::ZERO).await;
        let ports = Ports { tls: self.tls_port, http: self.http_port };
        let resolver: Arc<Resolver> = Arc::default();
        let renewal = Arc::new(renewal(self.folder.path(), &resolver, &self.https, None));
        let edge = edge(&resolver, &renewal, ports).await;
        renewal.set(self.wanted.clone(), OffsetDateTime::now_utc()).unwrap();
        Self { resolver, renewal, edge, ..self }
    }
}

async fn edge(resolver: &Arc<Resolver>, renewal: &Arc<Renewal>, ports: Ports) -> Edge {
    let challenges = Challenges { http: Some(Arc::new(Tokens(renewal.tokens()))), by_ends: None };
    let options = EdgeOptions { challenges, ..EdgeOptions::default() };
    let settings = EdgeSettings::new("127.0.0.1:9".parse().unwrap());
    let edge = Edge::start(options, resolver.clone(), settings).unwrap();
    let mut listeners = Vec::new();
    for host in ["127.0.0.1", "[::1]"] {
        let at = |port: u16| format!("{host}:{port}").parse().unwrap();
        listeners.push(Listener { address: at(ports.tls), kind: ListenerKind::Https });
        let kind = ListenerKind::Redirect { https_port: ports.tls };
        listeners.push(Listener { address: at(ports.http), kind });
    }
    edge.listen(&listeners).await.unwrap();
    edge
}

/// The cause of the last failure.
pub(crate) fn failure(status: &Status) -> Failure {
    let (_, setback) = status.last_setback().expect("nothing went wrong");
    Failure { cause: setback.cause, detail: setback.detail.clone(), retry_after: None }
}

/// What a client that offers only `name` is shown.
pub(crate) fn shown(resolver: &Resolver, name: &str) -> Option<String> {
    let key = resolver.lookup(Some(name))?;
    Some(gatehouse_certs::fingerprint(key.cert.first()?))
}
