//! Which certificate a client gets: by the name it asked for, by the address that it connected to where it asked for none,
//! or the default; of several for the same name, one that it can check. An authority that asks for a challenge gets that
//! challenge's certificate and never another.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::acme::is_public;

/// The protocol by which an authority asks (RFC 8737); it offers nothing else.
const ACME_TLS: &[u8] = b"acme-tls/1";

/// A certificate with its key and the names it answers to.
#[derive(Debug, Clone)]
pub struct Served {
    /// DNS names in lower case; `*.example.org` stands for one label.
    pub dns: Vec<String>,
    /// Addresses.
    pub ips: Vec<IpAddr>,
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
    imported: Vec<Served>,
}

#[derive(Debug, Default)]
struct Table {
    default: Option<Arc<CertifiedKey>>,
    public: Option<Arc<CertifiedKey>>,
    /// The best first.
    names: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// Those of one address, the best first; the default is not among them.
    ips: HashMap<IpAddr, Vec<Arc<CertifiedKey>>>,
    /// Imported ones for a public address.
    imported_public: Vec<Arc<CertifiedKey>>,
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

    /// Serves exactly these among the certificates that the user imported. They win over all others for their names and
    /// addresses; of two for the same name a client gets the one with an elliptic key, if it can check that.
    pub fn set_imported(&self, imported: Vec<Served>) {
        self.change(|slots| {
            slots.imported = imported;
            slots.imported.sort_by_key(|served| rank(&served.key));
        });
    }

    /// What a client gets that asks for no name, can check these signatures, comes from `peer` and connected to `local`;
    /// `None` = the default.
    pub fn by_address(
        &self,
        local: IpAddr,
        peer: IpAddr,
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        if let Some(keys) = table.ips.get(&local.to_canonical()) {
            return checkable(keys, schemes);
        }
        // Behind a router the address that the client used is none of ours.
        if !is_public(peer.to_canonical()) && !is_public(local.to_canonical()) {
            return None;
        }
        checkable(&table.imported_public, schemes).or_else(|| table.public.clone())
    }

    /// What a client gets that uses this address, and can check everything.
    pub fn lookup_address(&self, ip: IpAddr) -> Option<Arc<CertifiedKey>> {
        let (table, ip) = (self.table.load(), ip.to_canonical());
        let own = table.ips.get(&ip).and_then(|keys| keys.first());
        let public = || table.imported_public.first().or(table.public.as_ref()).filter(|_| is_public(ip));
        own.or_else(public).or(table.default.as_ref()).cloned()
    }

    /// The answers for a connection from `peer` that arrived at `local`; `None` = the same as for every other.
    pub fn at(self: &Arc<Self>, local: IpAddr, peer: IpAddr) -> Option<Arc<dyn ResolvesServerCert>> {
        let special = {
            let table = self.table.load();
            let public = table.public.is_some() || !table.imported_public.is_empty();
            table.ips.contains_key(&local.to_canonical())
                || (public && (is_public(peer.to_canonical()) || is_public(local.to_canonical())))
        };
        special.then(|| Arc::new(At { resolver: self.clone(), local, peer }) as _)
    }

    /// What a client gets that asks for `name` (SNI), or for none, and can check everything.
    pub fn lookup(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        match name {
            Some(name) => table.named(name)?.first().cloned(),
            None => table.default.clone(),
        }
    }

    /// What a client gets that asks for `name` and can check these signatures.
    pub fn choose(&self, name: &str, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        checkable(self.table.load().named(name)?, schemes)
    }

    /// What a client from a public address gets that asks for no name.
    pub fn lookup_public(&self) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        table.public.clone().or_else(|| table.default.clone())
    }

    /// Whether a certificate of a slot that does not begin so is for this name.
    pub fn serves_beside(&self, prefix: &str, name: &str) -> bool {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let others = slots.named.iter().filter(|(slot, _)| !slot.starts_with(prefix));
        let mut others = others.map(|(_, served)| served).chain(&slots.imported);
        others.any(|served| served.dns.iter().any(|held| held == name || Some(held) == wildcard.as_ref()))
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
        let mut names: HashMap<String, Vec<_>> = HashMap::new();
        let mut ips: HashMap<IpAddr, Vec<_>> = HashMap::new();
        let own = || slots.imported.iter().chain(slots.named.values());
        for served in own().chain(slots.default.iter()) {
            for name in &served.dns {
                names.entry(name.clone()).or_default().push(served.key.clone());
            }
        }
        for served in own() {
            for ip in &served.ips {
                ips.entry(*ip).or_default().push(served.key.clone());
            }
        }
        let for_public = |served: &&Served| served.ips.iter().any(|ip| is_public(*ip));
        let imported_public = slots.imported.iter().filter(for_public).map(|served| served.key.clone());
        let key = |served: &Option<Served>| served.as_ref().map(|served| served.key.clone());
        Self {
            default: key(&slots.default),
            public: key(&slots.public),
            names,
            ips,
            imported_public: imported_public.collect(),
        }
    }

    fn named(&self, name: &str) -> Option<&[Arc<CertifiedKey>]> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if let Some(keys) = self.names.get(&name) {
            return Some(keys);
        }
        let (_, parent) = name.split_once('.')?;
        self.names.get(&format!("*.{parent}")).map(Vec::as_slice)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut offered = hello.alpn().into_iter().flatten();
        if offered.next() == Some(ACME_TLS) && offered.next().is_none() {
            return self.challenge(hello.server_name());
        }
        match hello.server_name() {
            Some(name) => self.choose(name, hello.signature_schemes()),
            None => self.lookup(None),
        }
    }
}

/// The resolver as a connection with these ends sees it.
#[derive(Debug)]
struct At {
    resolver: Arc<Resolver>,
    local: IpAddr,
    peer: IpAddr,
}

impl ResolvesServerCert for At {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.server_name().is_none()
            && let Some(key) = self.resolver.by_address(self.local, self.peer, hello.signature_schemes())
        {
            return Some(key);
        }
        self.resolver.resolve(hello)
    }
}

/// The first that a client can check; where it can check none, the first: the handshake then says so.
fn checkable(keys: &[Arc<CertifiedKey>], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
    keys.iter().find(|key| key.key.choose_scheme(schemes).is_some()).or_else(|| keys.first()).cloned()
}

/// Elliptic keys are cheaper for both sides.
fn rank(key: &CertifiedKey) -> u8 {
    match key.key.algorithm() {
        SignatureAlgorithm::ECDSA => 0,
        SignatureAlgorithm::ED25519 => 1,
        _ => 2,
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
