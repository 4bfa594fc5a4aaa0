//! The authority, the leaf and the resolver in one place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rcgen::{Issuer, KeyPair};
use rustls::server::ResolvesServerCert;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use tracing::{info, warn};

use crate::authority::{Authority, BACK_DATED};
use crate::issue::{MOST_NAMES, issue};
use crate::store::{Store, StoredLeaf};
use crate::{
    AuthorityFacts, CertError, Decision, Held, LeafFacts, Names, Permitted, Reason, Resolver, Served, Vault,
    VaultError, decide,
};

/// Name under which the authority's key is kept in the [`Vault`].
pub const AUTHORITY_KEY: &str = "local-ca-key";

/// The local authority with its leaf: on disk, in memory, and in the resolver.
///
/// One process at a time may use a folder; the caller holds the lock.
pub struct Certificates {
    store: Store,
    vault: Arc<dyn Vault>,
    resolver: Arc<Resolver>,
    host: Option<String>,
    state: ArcSwap<State>,
    changing: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    authority: Option<Arc<Authority>>,
    /// Why the authority's file cannot be used, where there is one.
    damage: Option<String>,
    leaf: Option<Arc<StoredLeaf>>,
}

/// What [`Certificates::ensure`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// A new authority was made: devices must be told to trust it.
    pub created_authority: bool,
    /// A new leaf was made and is being served.
    pub issued: bool,
    /// The leaf that is served now.
    pub facts: Arc<LeafFacts>,
}

impl Certificates {
    /// Loads what `folder` holds and serves it. The vault is not asked: an unattended start must not wait for it.
    ///
    /// What is damaged is passed over: an older leaf is served where the newest cannot be read, and the authority's
    /// certificate is restored from the chain of its leaf. Only [`Self::ensure`] then says what could not be helped.
    ///
    /// # Errors
    /// [`CertError::Io`] where the folder cannot be made or read.
    pub fn open(folder: &Path, vault: Arc<dyn Vault>) -> Result<Self, CertError> {
        let store = Store::open(folder)?;
        let leaf = store.best()?.map(Arc::new);
        let (authority, damage) = load_authority(&store, leaf.as_deref())?;
        let certificates = Self {
            store,
            vault,
            resolver: Arc::new(Resolver::default()),
            host: None,
            state: ArcSwap::default(),
            changing: Mutex::new(()),
        };
        certificates.publish(State { authority: authority.map(Arc::new), damage, leaf });
        Ok(certificates)
    }

    /// The name of this machine, for the name of an authority that is made later ("Gatehouse on mini, 2026-11-20").
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// The seam to the TLS side: hot swapped, valid for the life of the process.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.resolver.clone()
    }

    /// The resolver itself, to add certificates of other origins (ACME, imports).
    pub fn shelf(&self) -> Arc<Resolver> {
        self.resolver.clone()
    }

    /// The leaf that is served.
    pub fn current(&self) -> Option<Arc<LeafFacts>> {
        self.state.load().leaf.as_ref().map(|leaf| leaf.facts.clone())
    }

    /// The chain that is served, leaf first; empty where there is none.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.state.load().leaf.as_ref().map(|leaf| leaf.chain.clone()).unwrap_or_default()
    }

    /// SHA-256 of the leaf that is served, and when it was issued.
    pub fn issued(&self) -> Option<(String, OffsetDateTime)> {
        self.current().map(|facts| (facts.sha256.clone(), facts.not_before + BACK_DATED))
    }

    /// The certificate that is served, and then its authority's, as a PEM file; `None` where there is none.
    pub fn chain_file(&self) -> Option<PathBuf> {
        self.state.load().leaf.as_ref().map(|leaf| self.store.chain_path(&leaf.id))
    }

    /// The authority's certificate as a PEM file, where there is one.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.state.load().authority.as_ref().map(|_| self.store.authority_path())
    }

    /// The authority, where there is one.
    pub fn authority(&self) -> Option<AuthorityFacts> {
        self.state.load().authority.as_ref().map(|authority| authority.facts.clone())
    }

    /// Whether there is an authority that cannot be used: its certificate is damaged. Only [`Self::purge`] ends that.
    pub fn damaged(&self) -> bool {
        self.state.load().damage.is_some()
    }

    /// What the authority may vouch for; where there is none yet, what it will.
    pub fn permitted(&self) -> Permitted {
        self.state.load().permitted()
    }

    /// Whether [`Self::ensure`] would issue; changes nothing.
    pub fn decide(&self, wanted: &Names, now: OffsetDateTime) -> Decision {
        let wanted = wanted.canonical().unwrap_or_else(|_| wanted.clone());
        self.state.load().decide(&wanted, now)
    }

    /// Whether a leaf may be for all of `wanted`, as far as the names say; changes nothing.
    ///
    /// # Errors
    /// [`CertError::InvalidName`], [`CertError::NoNames`], [`CertError::TooManyNames`],
    /// [`CertError::OutsideConstraints`].
    pub fn check(&self, wanted: &Names) -> Result<(), CertError> {
        check(&wanted.canonical()?, &self.permitted())
    }

    /// Makes sure that the served leaf is for all of `wanted`: makes the authority where there is none, and issues,
    /// stores and swaps in a new leaf where one is due. Blocks on the file system and, only when it issues, on the
    /// vault.
    ///
    /// # Errors
    /// Any [`CertError`]; what was served before is still served.
    pub fn ensure(&self, wanted: &Names, now: OffsetDateTime) -> Result<Ensured, CertError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.load_full();
        let wanted = wanted.canonical()?;
        check(&wanted, &state.permitted())?;
        let reason = match state.decide(&wanted, now) {
            Decision::Issue { reason } => reason,
            Decision::ClockBehind { created } => return Err(CertError::ClockBehind { now, created }),
            Decision::Keep => match &state.leaf {
                Some(leaf) => {
                    let facts = leaf.facts.clone();
                    return Ok(Ensured { created_authority: false, issued: false, facts });
                }
                None => Reason::Absent,
            },
        };
        self.replace(&state, &wanted, reason, false, now)
    }

    /// Issues, stores and swaps in a new leaf for all of `wanted`, due or not. `reuse_key` = with the key of the one that is
    /// served, where there is one: clients that know the public key then see no change; those that know the certificate do.
    ///
    /// # Errors
    /// As [`Self::ensure`].
    pub fn renew(&self, wanted: &Names, reuse_key: bool, now: OffsetDateTime) -> Result<Ensured, CertError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.load_full();
        let wanted = wanted.canonical()?;
        check(&wanted, &state.permitted())?;
        if let Decision::ClockBehind { created } = state.decide(&wanted, now) {
            return Err(CertError::ClockBehind { now, created });
        }
        self.replace(&state, &wanted, Reason::Asked, reuse_key, now)
    }

    fn replace(
        &self,
        state: &State,
        wanted: &Names,
        reason: Reason,
        reuse_key: bool,
        now: OffsetDateTime,
    ) -> Result<Ensured, CertError> {
        let kept = match &state.leaf {
            Some(leaf) if reuse_key => Some(self.store.key_pem(&leaf.id)?),
            _ => None,
        };
        let created_authority = state.authority.is_none();
        let (authority, issuer) = self.signer(state, wanted, now)?;
        let issued = issue(&authority, &issuer, wanted, kept.as_ref(), now)?;
        let leaf = Arc::new(self.store.save_leaf(&issued, now)?);
        let facts = leaf.facts.clone();
        self.publish(State { authority: Some(authority), damage: None, leaf: Some(leaf.clone()) });
        info!(?reason, not_after = %facts.not_after, created_authority, "a new certificate is served");
        self.forget_old(&leaf, state.leaf.as_deref());
        Ok(Ensured { created_authority, issued: true, facts })
    }

    /// Forgets everything: leaf, authority and the authority's key. Open connections live on; new ones are refused. The
    /// vault comes first: it may say no, and then nothing is gone.
    ///
    /// # Errors
    /// [`CertError::Vault`]: all is as it was. [`CertError::Io`]: the key is gone, and nothing is served; calling it again
    /// goes on where it stopped.
    pub fn purge(&self) -> Result<(), CertError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.vault.remove(AUTHORITY_KEY)?;
        self.publish(State::default());
        self.store.purge()
    }

    /// The authority with its key: the one that is there, or a new one where there never was one.
    fn signer(
        &self,
        state: &State,
        wanted: &Names,
        now: OffsetDateTime,
    ) -> Result<(Arc<Authority>, Issuer<'static, KeyPair>), CertError> {
        if let Some(detail) = &state.damage {
            return Err(CertError::AuthorityDamaged {
                path: self.store.authority_path(),
                detail: detail.clone(),
            });
        }
        let Some(authority) = &state.authority else { return self.create_authority(wanted, now) };
        if now >= authority.facts.not_after {
            return Err(CertError::AuthorityExpired { not_after: authority.facts.not_after });
        }
        let key = match self.vault.get(AUTHORITY_KEY) {
            Ok(Some(key)) => key,
            Ok(None) | Err(VaultError::Missing(_)) => return Err(CertError::AuthorityKeyMissing),
            Err(error) => return Err(error.into()),
        };
        let issuer = authority.unlock(&key)?;
        Ok((authority.clone(), issuer))
    }

    /// The key is in the vault, and read back, before anything points to it.
    fn create_authority(
        &self,
        wanted: &Names,
        now: OffsetDateTime,
    ) -> Result<(Arc<Authority>, Issuer<'static, KeyPair>), CertError> {
        let host = self.host.clone().unwrap_or_else(|| host_of(wanted));
        let (authority, key) = Authority::create(&host, &Permitted::private(), now)?;
        self.vault.put(AUTHORITY_KEY, &key)?;
        let kept = self.vault.get(AUTHORITY_KEY)?.ok_or(CertError::AuthorityKeyMissing)?;
        let issuer = authority.unlock(&kept)?;
        self.store.save_authority(&authority.facts.pem)?;
        let authority = Arc::new(authority);
        // From here on it exists, whatever happens to its first leaf.
        let state = self.state.load_full();
        self.publish(State { authority: Some(authority.clone()), ..State::clone(&state) });
        info!(name = %authority.facts.name, sha256 = %authority.facts.sha256, "a new certificate authority");
        Ok((authority, issuer))
    }

    fn publish(&self, state: State) {
        self.resolver.set_default(state.leaf.as_deref().map(|leaf| Served {
            dns: leaf.facts.names.dns.iter().cloned().collect(),
            ips: leaf.facts.names.ips.iter().copied().collect(),
            key: leaf.key.clone(),
        }));
        self.state.store(Arc::new(state));
    }

    /// Keeps the one before, in case the new one is damaged on disk.
    fn forget_old(&self, new: &StoredLeaf, old: Option<&StoredLeaf>) {
        let mut keep = vec![new.id.as_str()];
        keep.extend(old.map(|old| old.id.as_str()));
        if let Err(error) = self.store.keep_only(&keep) {
            warn!(%error, "old certificates could not be removed");
        }
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("store", &self.store).finish_non_exhaustive()
    }
}

impl State {
    fn permitted(&self) -> Permitted {
        self.authority.as_ref().map_or_else(Permitted::private, |authority| authority.permitted.clone())
    }

    fn decide(&self, wanted: &Names, now: OffsetDateTime) -> Decision {
        let authority = self.authority.as_deref();
        let held = self.leaf.as_deref().map(|leaf| Held {
            not_before: leaf.facts.not_before,
            not_after: leaf.facts.not_after,
            names: leaf.facts.names.clone(),
            from_authority: authority
                .is_some_and(|authority| leaf.facts.ca_sha256.as_ref() == Some(&authority.facts.sha256)),
        });
        let span = authority.map(|authority| (authority.facts.created, authority.facts.not_after));
        decide(held.as_ref(), span, wanted, now)
    }
}

/// The authority from its file, or from the chain of its leaf where the file is gone or damaged. With neither, the
/// second half says what is wrong.
fn load_authority(
    store: &Store,
    leaf: Option<&StoredLeaf>,
) -> Result<(Option<Authority>, Option<String>), CertError> {
    let detail = match store.authority()? {
        Some(pem) => match Authority::from_pem(&pem) {
            Ok(authority) => return Ok((Some(authority), None)),
            Err(detail) => Some(detail),
        },
        None => None,
    };
    let copy = leaf.and_then(|leaf| leaf.chain.get(1)).and_then(|der| Authority::from_der(der).ok());
    let Some(authority) = copy else { return Ok((None, detail)) };
    warn!(name = %authority.facts.name, "the authority's certificate is restored from the chain of its leaf");
    if let Err(error) = store.save_authority(&authority.facts.pem) {
        warn!(%error, "the authority's certificate could not be written back");
    }
    Ok((Some(authority), None))
}

fn check(wanted: &Names, permitted: &Permitted) -> Result<(), CertError> {
    if wanted.is_empty() {
        return Err(CertError::NoNames);
    }
    if wanted.len() > MOST_NAMES {
        return Err(CertError::TooManyNames { count: wanted.len(), limit: MOST_NAMES });
    }
    let (_, outside) = permitted.split(wanted);
    match outside.texts().next() {
        Some(name) => Err(CertError::OutsideConstraints { name }),
        None => Ok(()),
    }
}

fn host_of(names: &Names) -> String {
    let local = names.dns.iter().find_map(|name| name.strip_suffix(".local"));
    local.unwrap_or("this machine").to_owned()
}

#[cfg(test)]
mod tests;
