//! A vault in memory and a TLS client, for the tests of this crate.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use rustls::client::ClientConnection;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ResolvesServerCert, ServerConnection};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use crate::acme::DnsProvider;
use crate::{Names, Vault, VaultError};

/// Holds secrets in memory, counts what it is asked, and fails as told.
#[derive(Default)]
pub(crate) struct MemoryVault {
    values: Mutex<HashMap<String, String>>,
    pub(crate) reads: Mutex<usize>,
    pub(crate) failure: Mutex<Option<VaultError>>,
    /// Loses what it is given, as a locked Secret Service does.
    pub(crate) forgetful: Mutex<bool>,
}

impl MemoryVault {
    pub(crate) fn reads(&self) -> usize {
        *self.reads.lock().unwrap()
    }

    /// Lets everybody wait who asks, as a keychain does while it asks its owner.
    pub(crate) fn busy(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.values.lock().unwrap()
    }

    pub(crate) fn fail(&self, error: Option<VaultError>) {
        *self.failure.lock().unwrap() = error;
    }

    fn check(&self) -> Result<(), VaultError> {
        self.failure.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Vault for MemoryVault {
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        *self.reads.lock().unwrap() += 1;
        self.check()?;
        Ok(self.values.lock().unwrap().get(name).cloned().map(SecretString::from))
    }

    fn put(&self, name: &str, value: &SecretString) -> Result<(), VaultError> {
        self.check()?;
        if !*self.forgetful.lock().unwrap() {
            self.values.lock().unwrap().insert(name.to_owned(), value.expose_secret().to_owned());
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.check()?;
        self.values.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A DNS zone in memory. It can say that a record could not be set, or say nothing, when it has set it.
#[derive(Default)]
pub(crate) struct Zone {
    records: Mutex<Vec<(String, String)>>,
    pub(crate) fails: AtomicBool,
    pub(crate) silent: AtomicBool,
}

impl Zone {
    pub(crate) fn add(&self, record: &(String, String)) {
        self.records.lock().unwrap().push(record.clone());
    }

    pub(crate) fn records(&self) -> Vec<(String, String)> {
        self.records.lock().unwrap().clone()
    }
}

#[async_trait]
impl DnsProvider for Zone {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        self.records.lock().unwrap().push((name.to_owned(), value.to_owned()));
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) { Err("no answer in time".to_owned()) } else { Ok(()) }
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        self.records.lock().unwrap().retain(|record| (record.0.as_str(), record.1.as_str()) != (name, value));
        Ok(())
    }

    fn settle(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

/// Names from texts; addresses are recognised.
pub(crate) fn names(texts: &[&str]) -> Names {
    let mut names = Names::default();
    for text in texts {
        match text.parse() {
            Ok(ip) => names.ips.insert(ip),
            Err(_) => names.dns.insert((*text).to_owned()),
        };
    }
    names
}

/// Now, in whole seconds as certificates carry them.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().replace_nanosecond(0).unwrap()
}

/// A client and a server that finished their handshake, without a network.
pub(crate) struct Session {
    client: ClientConnection,
    server: ServerConnection,
}

impl Session {
    /// Connects to `name` with trust in `authority` (DER) alone.
    pub(crate) fn open(
        resolver: Arc<dyn ResolvesServerCert>,
        authority: &[u8],
        name: &str,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.to_vec()))?;
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut session = Self {
            client: ClientConnection::new(Arc::new(client), name)?,
            server: ServerConnection::new(Arc::new(server))?,
        };
        session.exchange()?;
        assert!(!session.client.is_handshaking() && !session.server.is_handshaking());
        Ok(session)
    }

    /// SHA-256 of the leaf that the client saw, as [`crate::fingerprint`] writes it.
    pub(crate) fn leaf(&self) -> String {
        crate::fingerprint(&self.client.peer_certificates().unwrap()[0])
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.client.peer_certificates().unwrap().iter().map(|der| der.clone().into_owned()).collect()
    }

    /// Sends `text` to the server and answers what arrives there.
    pub(crate) fn say(&mut self, text: &str) -> String {
        self.client.writer().write_all(text.as_bytes()).unwrap();
        self.exchange().unwrap();
        let mut heard = vec![0; text.len()];
        self.server.reader().read_exact(&mut heard).unwrap();
        String::from_utf8(heard).unwrap()
    }

    fn exchange(&mut self) -> Result<(), rustls::Error> {
        while self.client.wants_write() || self.server.wants_write() {
            let mut wire = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut wire).unwrap();
            }
            let mut rest = wire.as_slice();
            while !rest.is_empty() {
                self.server.read_tls(&mut rest).unwrap();
                self.server.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut wire).unwrap();
            }
            let mut rest = wire.as_slice();
            while !rest.is_empty() {
                self.client.read_tls(&mut rest).unwrap();
                self.client.process_new_packets()?;
            }
        }
        Ok(())
    }
}
