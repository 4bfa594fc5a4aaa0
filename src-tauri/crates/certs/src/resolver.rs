//! Which certificate a client gets: by the name it asked for, or the default.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

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
}

#[derive(Debug, Default)]
struct Slots {
    default: Option<Served>,
    named: BTreeMap<String, Served>,
}

#[derive(Debug, Default)]
struct Table {
    default: Option<Arc<CertifiedKey>>,
    names: HashMap<String, Arc<CertifiedKey>>,
}

impl Resolver {
    /// Serves `served` to clients that send no name, and for its names where no other certificate has them; `None`
    /// takes the default away.
    pub fn set_default(&self, served: Option<Served>) {
        self.change(|slots| slots.default = served);
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
        Self { default: slots.default.as_ref().map(|served| served.key.clone()), names }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.lookup(hello.server_name())
    }
}

#[cfg(test)]
mod tests;
