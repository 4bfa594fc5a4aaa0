//! What the tests share: an edge on loopback, a gateway of raw TCP, clients.

pub(crate) mod client;
pub(crate) mod gateway;

use gatehouse_edge::{
    AccessRecord, CertificateSource, Edge, EdgeOptions, EdgeSettings, Listener, ListenerKind, OwnAddresses,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;

/// A name of this machine that is no loopback name.
pub(crate) const NAME: &str = "mini.local";
/// The address that this machine is attributed to.
pub(crate) const OWN: &str = "192.0.2.10";
/// Far more than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A certificate authority and the leaf in force.
#[derive(Debug)]
pub(crate) struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) root: CertificateDer<'static>,
    leaf: Mutex<Arc<CertifiedKey>>,
}

impl Certificates {
    fn new() -> Arc<Self> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let leaf = Mutex::new(issue(&issuer));
        Arc::new(Self { issuer, root, leaf })
    }

    /// Serves a new leaf from now on.
    pub(crate) fn renew(&self) {
        *self.leaf.lock().unwrap() = issue(&self.issuer);
    }
}

fn issue(issuer: &Issuer<'static, KeyPair>) -> Arc<CertifiedKey> {
    let names = ["localhost", NAME, "127.0.0.1", "::1"].map(str::to_owned);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, issuer).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Arc::new(CertifiedKey::from_der(vec![leaf.der().clone()], private, &provider).unwrap())
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            None | Some("localhost" | NAME) => Some(self.leaf.lock().unwrap().clone()),
            Some(_) => None,
        }
    }
}

/// A running edge in front of a gateway.
pub(crate) struct House {
    pub(crate) edge: Edge,
    /// The HTTPS listener.
    pub(crate) address: SocketAddr,
    pub(crate) certificates: Arc<Certificates>,
    traffic: broadcast::Receiver<Arc<AccessRecord>>,
}

/// Settings that serve [`NAME`].
pub(crate) fn settings(gateway: SocketAddr) -> EdgeSettings {
    let mut settings = EdgeSettings::new(gateway);
    settings.names.dns.insert(NAME.to_owned());
    settings.own = OwnAddresses { v4: Some(OWN.parse().unwrap()), v6: None, all: Vec::new() };
    settings
}

impl House {
    /// An edge in front of this gateway.
    pub(crate) async fn open(gateway: SocketAddr) -> Self {
        Self::with(settings(gateway)).await
    }

    /// An edge with these settings.
    pub(crate) async fn with(settings: EdgeSettings) -> Self {
        Self::with_options(EdgeOptions::default(), settings).await
    }

    /// An edge with these options and settings.
    pub(crate) async fn with_options(options: EdgeOptions, settings: EdgeSettings) -> Self {
        let certificates = Certificates::new();
        let source: CertificateSource = certificates.clone();
        let edge = Edge::start(options, source, settings).unwrap();
        let traffic = edge.traffic();
        edge.listen(&[https("127.0.0.1:0")]).await.unwrap();
        let address = edge.listening()[0].address;
        Self { edge, address, certificates, traffic }
    }

    /// Changes the settings.
    pub(crate) fn change(&self, change: impl FnOnce(&mut EdgeSettings)) {
        let mut settings = EdgeSettings::clone(&self.edge.settings());
        change(&mut settings);
        self.edge.apply(settings);
    }

    /// The next request that ends.
    pub(crate) async fn record(&mut self) -> Arc<AccessRecord> {
        tokio::time::timeout(LONG, self.traffic.recv()).await.expect("no record").unwrap()
    }

    /// Waits until the edge holds this many (connections, WebSockets).
    pub(crate) async fn until_open(&self, connections: u64, websockets: u64) {
        until(|| {
            let counters = self.edge.counters();
            counters.connections == connections && counters.websockets == websockets
        })
        .await;
    }
}

pub(crate) fn https(address: &str) -> Listener {
    Listener { address: address.parse().unwrap(), kind: ListenerKind::Https }
}

/// Waits until it holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it never came to hold");
}
