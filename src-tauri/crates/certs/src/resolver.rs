//! Which certificate a client gets: by the name it asked for, or the default; an authority that asks for a challenge gets
//! that challenge's certificate and never another.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The protocol by which an authority asks (RFC 8737); it offers nothing else.
const ACME_TLS: &[u8] = b"acme-tls/1";

/// A certificate with its key and the DNS names it answers to.
#[derive(Debug, Clone)]
pub struct Served {
    /// DNS names in lower case; `*.example.org` stands for one label.
    pub dns: Vec<String>,
    /// Chain (leaf first) and key.
    pub key: Arc<CertifiedKey>,
}

/// Answers each handshake from one immutable table, which is replaced as a whole: a handshake sees the old certificates
/// or the new ones, and open connections are never touched.
///
/// A client that sends no name (it connects by address) gets the default; one that asks for a name that no certificate
/// carries gets nothing, so that no certificate of another name is ever shown to it.
#[derive(Debug, Default)]
pub struct Resolver {
    slots: Mutex<Slots>,
    table: ArcSwap<Table>,
    /// What authorities are shown that ask with `acme-tls/1`, by the name they send.
    challenges: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

#[derive(Debug, Default)]
struct Slots {
    default: Option<Served>,
    public: Option<Served>,
    named: BTreeMap<String, Served>,
}

#[derive(Debug, Default)]
struct Table {
    default: Option<Arc<CertifiedKey>>,
    public: Option<Arc<CertifiedKey>>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

impl Resolver {
    /// Serves `served` to clients that send no name, and for its names where no other certificate has them; `None`
    /// takes the default away.
    pub fn set_default(&self, served: Option<Served>) {
        self.change(|slots| slots.default = served);
    }

    /// Serves `served` to clients that send no name and come from a public address ([`Self::for_public`]): they use a
    /// public address, for which the default cannot be.
    pub fn set_public_default(&self, served: Option<Served>) {
        self.change(|slots| slots.public = served);
    }

    /// What clients from public addresses are answered with.
    pub fn for_public(self: &Arc<Self>) -> Arc<dyn ResolvesServerCert> {
        Arc::new(Public(self.clone()))
    }

    /// Adds or replaces the certificate kept under `slot` (for example `acme:home.example.org`). It wins over the
    /// default for its names; between two slots, the one that sorts first.
    pub fn set(&self, slot: &str, served: Served) {
        self.change(|slots| {
            slots.named.insert(slot.to_owned(), served);
        });
    }

    /// Takes the certificate kept under `slot` away.
    pub fn remove(&self, slot: &str) {
        self.change(|slots| {
            slots.named.remove(slot);
        });
    }

    /// What a client gets that asks for `name` (SNI), or for none.
    pub fn lookup(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        let Some(name) = name else { return table.default.clone() };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if let Some(key) = table.names.get(&name) {
            return Some(key.clone());
        }
        let (_, parent) = name.split_once('.')?;
        table.names.get(&format!("*.{parent}")).cloned()
    }

    /// Shows `certificate` to an authority that asks for `name` with `acme-tls/1`, and to nobody else.
    pub(crate) fn set_challenge(&self, name: &str, certificate: Arc<CertifiedKey>) {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), certificate);
    }

    /// Ends that.
    pub(crate) fn remove_challenge(&self, name: &str) {
        self.challenges.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn challenge(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name?.trim_end_matches('.').to_ascii_lowercase();
        self.challenges.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }

    fn change(&self, edit: impl FnOnce(&mut Slots)) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut slots);
        self.table.store(Arc::new(Table::of(&slots)));
    }
}

impl Table {
    fn of(slots: &Slots) -> Self {
        let mut names = HashMap::new();
        for served in slots.named.values().chain(slots.default.iter()) {
            for name in &served.dns {
                names.entry(name.clone()).or_insert_with(|| served.key.clone());
            }
        }
        let key = |served: &Option<Served>| served.as_ref().map(|served| served.key.clone());
        Self { default: key(&slots.default), public: key(&slots.public), names }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut offered = hello.alpn().into_iter().flatten();
        if offered.next() == Some(ACME_TLS) && offered.next().is_none() {
            return self.challenge(hello.server_name());
        }
        self.lookup(hello.server_name())
    }
}

/// The resolver as clients from public addresses see it.
#[derive(Debug)]
struct Public(Arc<Resolver>);

impl ResolvesServerCert for Public {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.server_name().is_none()
            && let Some(key) = self.0.table.load().public.clone()
        {
            return Some(key);
        }
        self.0.resolve(hello)
    }
}

#[cfg(test)]
mod tests;
