//! An authority for clients, its rules, and clients with and without certificates.

use crate::kit::House;
use gatehouse_edge::names::Host;
use gatehouse_edge::{ClientCertificates, ClientPolicy};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::client::Tls13ClientSessionValue;
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, NamedGroup, RootCertStore};
use std::collections::HashMap;
use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use time::{Duration, OffsetDateTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// What the log calls a certificate here: how many bytes it has, and its last ones.
fn called(certificate: &CertificateDer<'_>) -> String {
    format!("{} {:02x?}", certificate.len(), &certificate[certificate.len() - 8..])
}

/// A client's certificate with its key.
pub(super) struct Rule {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    serial: SerialNumber,
    pub(super) called: String,
}

/// Whoever signs them.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    pub(super) fn client(&self, name: &str) -> Rule {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, Duration::hours(1))
    }

    pub(super) fn expired(&self, name: &str) -> Rule {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, -Duration::minutes(1))
    }

    pub(super) fn server(&self, name: &str) -> Rule {
        self.issue(name, ExtendedKeyUsagePurpose::ServerAuth, Duration::hours(1))
    }

    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose, left: Duration) -> Rule {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        params.not_before = OffsetDateTime::now_utc() - Duration::hours(2);
        params.not_after = OffsetDateTime::now_utc() + left;
        let serial = SerialNumber::from(SERIAL.fetch_add(1, Ordering::Relaxed));
        params.serial_number = Some(serial.clone());
        let chain = vec![params.signed_by(&key, &self.issuer).unwrap().der().clone()];
        let called = called(&chain[0]);
        Rule { chain, key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(), serial, called }
    }

    /// The rule that takes certificates of this authority, except those that are revoked.
    pub(super) fn policy(&self, revoked: &[&Rule]) -> Arc<ClientPolicy> {
        let now = OffsetDateTime::now_utc();
        let params = CertificateRevocationListParams {
            this_update: now - Duration::hours(1),
            next_update: now + Duration::hours(1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|rule| RevokedCertParams {
                    serial_number: rule.serial.clone(),
                    revocation_time: now - Duration::minutes(1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list: CertificateRevocationListDer<'static> = params.signed_by(&self.issuer).unwrap().into();
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls([list])
            .allow_unauthenticated()
            .build()
            .unwrap();
        Arc::new(ClientPolicy { verifier, called })
    }
}

/// The rules in force, by name.
#[derive(Debug)]
pub(super) struct Wants(Mutex<HashMap<String, Arc<ClientPolicy>>>);

impl Wants {
    pub(super) fn new(name: &str, policy: Arc<ClientPolicy>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(HashMap::from([(name.to_owned(), policy)]))))
    }

    pub(super) fn set(&self, name: &str, policy: Option<Arc<ClientPolicy>>) {
        let mut all = self.0.lock().unwrap();
        match policy {
            Some(policy) => all.insert(name.to_owned(), policy),
            None => all.remove(name),
        };
    }
}

impl ClientCertificates for Wants {
    fn policy(&self, host: &Host<'_>) -> Option<Arc<ClientPolicy>> {
        let name = match host {
            Host::Dns(name) => name.to_string(),
            Host::Ip(address) => address.to_string(),
        };
        self.0.lock().unwrap().get(&name).cloned()
    }
}

/// A client's memory: its sessions, and the configuration with which it made them. A shared one gives a session of any
/// name out for any other.
#[derive(Debug)]
pub(super) struct Drawer {
    sessions: Arc<Sessions>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Drawer {
    pub(super) fn new() -> Self {
        Self::of(false)
    }

    pub(super) fn shared() -> Self {
        Self::of(true)
    }

    fn of(shared: bool) -> Self {
        let sessions = Sessions { cache: ClientSessionMemoryCache::new(8), shared };
        Self { sessions: Arc::new(sessions), config: OnceLock::new() }
    }
}

#[derive(Debug)]
struct Sessions {
    cache: ClientSessionMemoryCache,
    shared: bool,
}

impl Sessions {
    fn name(&self, name: ServerName<'static>) -> ServerName<'static> {
        if self.shared { ServerName::try_from("any.invalid").unwrap() } else { name }
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.cache.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.cache.kx_hint(name)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.cache.set_tls12_session(self.name(name), value);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.cache.tls12_session(&self.name(name.to_owned()))
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.cache.remove_tls12_session(&self.name(name.to_owned()));
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.cache.insert_tls13_ticket(self.name(name), value);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.cache.take_tls13_ticket(&self.name(name.to_owned()))
    }
}

/// A TLS connection with this SNI (an address sends none), this protocol, this certificate and these sessions.
pub(super) async fn tls(
    house: &House,
    sni: &str,
    alpn: &str,
    certificate: Option<&Rule>,
    drawer: &Drawer,
) -> io::Result<TlsStream<TcpStream>> {
    let config = drawer.config.get_or_init(|| config(house, alpn, certificate, drawer));
    let stream = TcpStream::connect(house.address).await?;
    TlsConnector::from(Arc::clone(config)).connect(sni.to_owned().try_into().unwrap(), stream).await
}

fn config(house: &House, alpn: &str, certificate: Option<&Rule>, drawer: &Drawer) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(house.certificates.root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match certificate {
        Some(rule) => config.with_client_auth_cert(rule.chain.clone(), rule.key.clone_key()).unwrap(),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    config.resumption = Resumption::store(Arc::<Sessions>::clone(&drawer.sessions));
    Arc::new(config)
}
