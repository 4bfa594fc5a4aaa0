//! Certificates that the user brings, and rules about certificates of clients, joined with settings and edge.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use gatehouse_certs::clients::{ClientAuthority, ClientRule, ClientRules, called};
use gatehouse_certs::imported::{ImportError, ImportSource, Imports, Pair};
use gatehouse_certs::{CertError, Names, Resolver, Vault};
use gatehouse_edge::names::Host;
use gatehouse_edge::{ClientCertificates, ClientPolicy};
use time::OffsetDateTime;

use crate::settings::Settings;

/// See the module.
pub struct Brought {
    /// The user's certificates.
    pub(crate) imports: Imports,
    /// Which names want certificates from their clients.
    pub(crate) rules: ClientRules,
    folder: PathBuf,
    policies: Policies,
    /// Copies that were made and that no settings name yet: the change that will is under way.
    fresh: Mutex<BTreeSet<String>>,
}

/// What is different after a look at the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Refreshed {
    /// The user's certificates.
    pub(crate) certificates: bool,
    /// The rules about clients.
    pub(crate) clients: bool,
}

impl Brought {
    /// Loads nothing yet; [`Self::follow`] does. Copies are kept in folders under `certificates`.
    ///
    /// # Errors
    /// [`CertError::Io`].
    pub fn open(
        certificates: &Path,
        resolver: Arc<Resolver>,
        vault: Arc<dyn Vault>,
    ) -> Result<Self, CertError> {
        let folder = certificates.join("imported");
        let authority = ClientAuthority::open(&certificates.join("clients"), vault)?;
        Ok(Self {
            imports: Imports::new(&folder, resolver),
            rules: ClientRules::new(Arc::new(authority)),
            folder,
            policies: Policies::default(),
            fresh: Mutex::default(),
        })
    }

    /// Copies a certificate. The copy stays until [`Self::settled`], whatever the settings name.
    pub(crate) fn copy(&self, pair: &Pair, now: OffsetDateTime) -> Result<String, ImportError> {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let id = self.imports.copy(pair, now)?;
        fresh.insert(id.clone());
        Ok(id)
    }

    /// The change for which this copy was made has ended.
    pub(crate) fn settled(&self, id: &str) {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Removes copies that are neither among these nor fresh.
    pub(crate) fn keep_only(&self, kept: &[String]) -> Result<(), ImportError> {
        let fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<String> = kept.iter().chain(fresh.iter()).cloned().collect();
        self.imports.keep_only(&all)
    }

    /// Serves what the settings name, and asks for what they want. Blocks for the disk.
    pub(crate) fn follow(&self, settings: &Settings, now: OffsetDateTime) {
        self.imports.set(&settings.imported, now);
        self.rules.set(&settings.client_certificates);
        self.policies.follow(&self.rules);
    }

    /// Looks at all files again. Blocks for the disk.
    pub(crate) fn refresh(&self, now: OffsetDateTime) -> Refreshed {
        let certificates = self.imports.refresh(now);
        let clients = self.rules.refresh();
        if clients {
            self.policies.follow(&self.rules);
        }
        Refreshed { certificates, clients }
    }

    /// What the user's certificates are for.
    pub(crate) fn names(&self) -> Names {
        self.imports.names()
    }

    /// What they would be for with this one in the slot, or without it.
    pub(crate) fn names_with(&self, slot: &str, pair: Option<&Names>) -> Names {
        let mut names = pair.cloned().unwrap_or_default();
        for status in self.imports.status().iter().filter(|status| status.slot != slot) {
            if let Some(facts) = &status.facts {
                names.dns.extend(facts.names.dns.iter().cloned());
                names.ips.extend(facts.names.ips.iter().copied());
            }
        }
        names
    }

    /// Whether every device trusts the one that is served for this name or address; `None` = none is.
    pub(crate) fn trusted(&self, host: &str) -> Option<bool> {
        let all = self.imports.status();
        let one =
            all.iter().find(|one| one.facts.as_ref().is_some_and(|facts| covers(&facts.names, host)))?;
        Some(one.trusted == Some(true))
    }

    /// Whether a name or address wants certificates from its clients.
    pub(crate) fn asks(&self, host: &str) -> bool {
        self.policies.find(host).is_some()
    }

    /// Reads what a source says now.
    ///
    /// # Errors
    /// Why it cannot be served.
    pub(crate) fn read(&self, source: &ImportSource) -> Result<Pair, gatehouse_certs::imported::ImportError> {
        source.read(&self.folder)
    }

    /// What the edge asks at every handshake and request.
    pub fn client_certificates(&self) -> Arc<dyn ClientCertificates> {
        Arc::new(self.policies.clone())
    }
}

impl std::fmt::Debug for Brought {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Brought").field("imports", &self.imports).finish_non_exhaustive()
    }
}

/// Whether names hold a host: exactly, or by a wildcard.
pub(crate) fn covers(names: &Names, host: &str) -> bool {
    match host.parse::<std::net::IpAddr>() {
        Ok(ip) => names.ips.contains(&ip.to_canonical()),
        Err(_) => {
            let wildcard = host.split_once('.').map(|(_, parent)| format!("*.{parent}"));
            names.dns.contains(host) || wildcard.is_some_and(|wildcard| names.dns.contains(&wildcard))
        }
    }
}

type Table = HashMap<String, Arc<ClientPolicy>>;

/// The rules as the edge asks for them: a rule that did not change stays the same value.
#[derive(Debug, Clone, Default)]
struct Policies {
    table: Arc<ArcSwap<Table>>,
    turn: Arc<Mutex<()>>,
}

impl Policies {
    fn follow(&self, rules: &ClientRules) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.table.load_full();
        let verifiers: BTreeMap<_, _> = rules.verifiers();
        let policy = |host: &String, verifier| match before.get(host) {
            Some(policy) if Arc::ptr_eq(&policy.verifier, &verifier) => policy.clone(),
            _ => Arc::new(ClientPolicy { verifier, called }),
        };
        let table = verifiers.into_iter().map(|(host, verifier)| (host.clone(), policy(&host, verifier)));
        self.table.store(Arc::new(table.collect()));
    }

    fn find(&self, host: &str) -> Option<Arc<ClientPolicy>> {
        let table = self.table.load();
        if table.is_empty() {
            return None;
        }
        table.get(host).cloned()
    }
}

impl ClientCertificates for Policies {
    fn policy(&self, host: &Host<'_>) -> Option<Arc<ClientPolicy>> {
        match host {
            Host::Dns(name) => self.find(name),
            Host::Ip(_) if self.table.load().is_empty() => None,
            Host::Ip(ip) => self.find(&ip.to_string()),
        }
    }
}

/// Rules and sources as they are kept in the settings.
pub(crate) type Imported = BTreeMap<String, ImportSource>;
/// See [`Imported`].
pub(crate) type Wanted = BTreeMap<String, ClientRule>;

/// The copies among these.
pub(crate) fn copies(imported: &Imported) -> Vec<String> {
    let copy = |source: &ImportSource| match source {
        ImportSource::Copied { id } => Some(id.clone()),
        ImportSource::Watched { .. } => None,
    };
    imported.values().filter_map(copy).collect()
}
