//! Which names want certificates, and whose are good: verifiers made from files and from our own authority.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::authority::ClientAuthority;
use super::revoked::Revoking;
use crate::imported::Stamp;

/// Authorities publish lists of megabytes.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// Whose certificates a name wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientRule {
    /// A PEM file with the certificates of the authorities; `None` = those of our own authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Files with lists of revoked certificates (PEM or DER).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crls: Vec<PathBuf>,
}

/// A rule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStatus {
    /// The name.
    pub host: String,
    /// What was asked for.
    pub rule: ClientRule,
    /// Why nobody gets in, or why the files that lie there now do not count.
    pub problem: Option<String>,
    /// When the first of its lists of revoked certificates is past its time: nobody gets in from then on.
    pub crl_due: Option<OffsetDateTime>,
}

/// The rules in force. Each has a verifier that is the same one until something about it changes.
pub struct ClientRules {
    authority: Arc<ClientAuthority>,
    rules: Mutex<BTreeMap<String, Entry>>,
}

struct Entry {
    rule: ClientRule,
    verifier: Arc<dyn ClientCertVerifier>,
    /// From our own authority: what is known of it.
    own: Option<Own>,
    stamp: Option<Stamp>,
    /// Whether it was ever loaded.
    good: bool,
    problem: Option<String>,
    crl_due: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    certificate: Option<CertificateDer<'static>>,
    revoked: Vec<String>,
    damage: Option<String>,
}

impl ClientRules {
    /// No rules; those to come may rest on this authority.
    pub fn new(authority: Arc<ClientAuthority>) -> Self {
        Self { authority, rules: Mutex::default() }
    }

    /// The authority of our own.
    pub fn authority(&self) -> &Arc<ClientAuthority> {
        &self.authority
    }

    /// Whether a rule could be loaded now; changes nothing. Blocks for the disk.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn check(&self, rule: &ClientRule) -> Result<(), String> {
        Loaded::of(rule, &self.own()).map(|_| ())
    }

    /// Makes exactly these be in force, by name. Those that stay are not touched. Blocks for the disk.
    pub fn set(&self, wanted: &BTreeMap<String, ClientRule>) {
        let own = self.own();
        let mut rules = self.lock();
        rules.retain(|host, entry| wanted.get(host) == Some(&entry.rule));
        for (host, rule) in wanted {
            rules.entry(host.clone()).or_insert_with(|| Entry::new(rule.clone(), &own));
        }
    }

    /// Loads what changed: files, or our own authority and whom it revoked. Says whether anything did.
    pub fn refresh(&self) -> bool {
        let own = self.own();
        let mut changed = false;
        for entry in self.lock().values_mut() {
            changed |= entry.refresh(&own);
        }
        changed
    }

    /// The rules by name.
    pub fn verifiers(&self) -> BTreeMap<String, Arc<dyn ClientCertVerifier>> {
        self.lock().iter().map(|(host, entry)| (host.clone(), entry.verifier.clone())).collect()
    }

    /// How they stand.
    pub fn status(&self) -> Vec<RuleStatus> {
        let status = |(host, entry): (&String, &Entry)| RuleStatus {
            host: host.clone(),
            rule: entry.rule.clone(),
            problem: entry.problem.clone(),
            crl_due: entry.crl_due,
        };
        self.lock().iter().map(status).collect()
    }

    fn own(&self) -> Own {
        let issued = self.authority.issued();
        let revoked = issued.into_iter().filter(|one| one.revoked_at.is_some()).map(|one| one.serial);
        Own {
            certificate: self.authority.certificate(),
            revoked: revoked.collect(),
            damage: self.authority.damage(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for ClientRules {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientRules").finish_non_exhaustive()
    }
}

impl Entry {
    fn new(rule: ClientRule, own: &Own) -> Self {
        let nobody = Arc::new(Revoking { inner: None, serials: Default::default() });
        let mut entry = Self {
            rule,
            verifier: nobody,
            own: None,
            stamp: None,
            good: false,
            problem: None,
            crl_due: None,
        };
        entry.refresh(own);
        entry
    }

    fn refresh(&mut self, own: &Own) -> bool {
        let stamp = Stamp::of(self.rule.ca.iter().chain(&self.rule.crls).map(PathBuf::as_path));
        let same_own = self.rule.ca.is_some() || self.own.as_ref() == Some(own);
        if same_own && self.stamp.as_ref() == Some(&stamp) {
            return false;
        }
        match Loaded::of(&self.rule, own) {
            Ok(loaded) => {
                self.verifier = loaded.verifier;
                self.crl_due = loaded.crl_due;
                self.problem = None;
                self.good = true;
                self.own = self.rule.ca.is_none().then(|| own.clone());
            }
            Err(problem) => {
                if !self.good {
                    tracing::warn!(%problem, "nobody gets in: the rule about clients cannot be loaded");
                }
                self.problem = Some(problem);
            }
        }
        let after = Stamp::of(self.rule.ca.iter().chain(&self.rule.crls).map(PathBuf::as_path));
        self.stamp = (after == stamp).then_some(stamp);
        true
    }
}

struct Loaded {
    verifier: Arc<dyn ClientCertVerifier>,
    crl_due: Option<OffsetDateTime>,
}

impl Loaded {
    fn of(rule: &ClientRule, own: &Own) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match (&rule.ca, &own.certificate) {
            (Some(path), _) => {
                let bytes = read(path)?;
                for certificate in CertificateDer::pem_slice_iter(&bytes) {
                    let refused = |error: String| format!("{}: {error}", path.display());
                    let certificate = certificate.map_err(|error| refused(error.to_string()))?;
                    roots.add(certificate).map_err(|error| refused(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(format!("{} holds no certificate as PEM", path.display()));
                }
            }
            (None, Some(certificate)) => {
                roots.add(certificate.clone()).map_err(|error| error.to_string())?;
            }
            (None, None) if own.damage.is_some() => return Err(own.damage.clone().unwrap_or_default()),
            (None, None) => return Err("no client has been given a certificate yet".to_owned()),
        }
        let mut lists = Vec::new();
        let mut crl_due: Option<OffsetDateTime> = None;
        for path in &rule.crls {
            for list in revocation_lists(path)? {
                let (_, parsed) = CertificateRevocationList::from_der(&list)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                let due = parsed.next_update().map(|time| time.to_datetime());
                crl_due = [crl_due, due].into_iter().flatten().min();
                lists.push(list);
            }
        }
        let provider = Arc::new(default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if !lists.is_empty() {
            builder =
                builder.with_crls(lists).only_check_end_entity_revocation().enforce_revocation_expiration();
        }
        let inner = builder.build().map_err(|error| error.to_string())?;
        let serials = match rule.ca {
            Some(_) => Default::default(),
            None => own.revoked.iter().cloned().collect(),
        };
        Ok(Self { verifier: Arc::new(Revoking { inner: Some(inner), serials }), crl_due })
    }
}

fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let bytes = read(path)?;
    if bytes.first() == Some(&0x30) {
        return Ok(vec![CertificateRevocationListDer::from(bytes)]);
    }
    let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    match lists.is_empty() {
        true => Err(format!("{} holds no list of revoked certificates", path.display())),
        false => Ok(lists),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    match gatehouse_files::read_bounded(path, LARGEST_FILE) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{} is missing", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
