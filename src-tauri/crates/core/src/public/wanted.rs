//! From settings and open addresses to what the renewal engine is told: pure, but for the secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatehouse_api::{DnsSetup, ProofWay, Scope};
use gatehouse_certs::acme::{ChallengeKind, ExternalAccount, Identifier, KNOWN, Registration};
use gatehouse_certs::renewal::{Status, Wanted};
use gatehouse_certs::{Https, Vault};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::provider::{Lazy, external_secret};
use crate::settings::{AcmeSettings, AuthoritySettings};

/// The ways where the user chose none: both that need nothing but our own ports.
const USUAL: [ProofWay; 3] = [ProofWay::TlsAlpn, ProofWay::Http, ProofWay::Dns];

/// What everything follows from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Basis {
    pub(super) acme: Option<AcmeSettings>,
    /// Public names and addresses that are served, or about to be.
    pub(super) open: Vec<Identifier>,
    /// Of those, the ones whose own certificate is served until the one that is to hold them is here.
    pub(super) kept: Vec<Identifier>,
    /// For whom it is open; `None` = nothing is.
    pub(super) scope: Option<Scope>,
    /// The HTTPS port, where it is open.
    pub(super) https: Option<u16>,
    /// The plain port, where it is open.
    pub(super) redirect: Option<u16>,
    /// The port of the home's router that leads to the HTTPS port, where one is wanted.
    pub(super) mapped: Option<u16>,
    /// Whether only some networks get in.
    pub(super) limited: bool,
    /// Accounts by directory.
    pub(super) accounts: BTreeMap<String, String>,
}

/// Whether a limit keeps anybody out.
pub(super) fn is_limited(only: &[String]) -> bool {
    let takes_all = |net: &String| net.parse::<ipnet::IpNet>().is_ok_and(|net| net.prefix_len() == 0);
    !only.is_empty() && !only.iter().any(takes_all)
}

impl Basis {
    /// What each certificate is for: as the settings say, and one for each open name that none of those holds. One for each,
    /// so that a name that cannot be proven keeps no other from its certificate.
    pub(super) fn certificates(&self) -> Vec<Vec<Identifier>> {
        let mut all: Vec<Vec<Identifier>> = Vec::new();
        for names in self.acme.iter().flat_map(|acme| &acme.certificates) {
            // A file that was edited by hand may hold anything.
            let mut list: Vec<Identifier> = names.iter().filter_map(|name| name.parse().ok()).collect();
            list.sort();
            list.dedup();
            if !list.is_empty() && !all.contains(&list) {
                all.push(list);
            }
        }
        for one in &self.open {
            if self.kept.contains(one) || !all.iter().flatten().any(|held| holds(held, one)) {
                all.push(vec![one.clone()]);
            }
        }
        all
    }

    /// Every name once.
    pub(super) fn all(&self) -> Vec<Identifier> {
        let all: BTreeSet<Identifier> = self.certificates().into_iter().flatten().collect();
        all.into_iter().collect()
    }

    /// What the engine is told.
    pub(super) fn wanted(&self, vault: &Arc<dyn Vault>, https: &Https, cloudflare: Option<&str>) -> Wanted {
        let none = AcmeSettings::default();
        let acme = self.acme.as_ref().unwrap_or(&none);
        let mut registrations = BTreeMap::new();
        for authority in &acme.authorities {
            let registration = self.registration(acme, authority, vault);
            if let Some(staging) = staging(&authority.directory) {
                registrations
                    .insert(staging.to_owned(), Registration { external: None, ..registration.clone() });
            }
            registrations.insert(authority.directory.clone(), registration);
        }
        let agreed = acme.authorities.iter().filter(|authority| authority.agreed);
        Wanted {
            directories: agreed.map(|authority| authority.directory.clone()).collect(),
            registrations,
            ways: ways(acme, self.https, self.redirect),
            dns: acme.dns.clone().map(|setup| Arc::new(Lazy::new(setup, vault, https, cloudflare)) as _),
            certificates: self.certificates(),
            reuse_key: acme.reuse_key,
        }
    }

    /// A secret is read only where an account is still to be made: a start must not wait for a keychain.
    fn registration(
        &self,
        acme: &AcmeSettings,
        authority: &AuthoritySettings,
        vault: &Arc<dyn Vault>,
    ) -> Registration {
        let known = self.accounts.contains_key(&authority.directory);
        let external = authority.external_key_id.clone().filter(|_| !known).and_then(|key_id| {
            match vault.get(&external_secret(&authority.directory)) {
                Ok(key) => key.map(|key| ExternalAccount { key_id, key }),
                Err(error) => {
                    tracing::warn!(%error, "the key of an account cannot be read");
                    None
                }
            }
        });
        Registration { email: acme.email.clone(), agreed: authority.agreed, external }
    }
}

/// Whether certificates can be asked for.
pub(super) fn is_ready(acme: &AcmeSettings) -> bool {
    acme.authorities.iter().any(|authority| authority.agreed)
}

/// The ways that are open, the first to try first.
pub(super) fn ways(acme: &AcmeSettings, https: Option<u16>, redirect: Option<u16>) -> Vec<ChallengeKind> {
    let chosen: &[ProofWay] = if acme.ways.is_empty() { &USUAL } else { &acme.ways };
    let open = |way: &ProofWay| match way {
        ProofWay::TlsAlpn => https.map(|_| ChallengeKind::TlsAlpn),
        ProofWay::Http => redirect.map(|_| ChallengeKind::Http),
        ProofWay::Dns => acme.dns.as_ref().map(|_: &DnsSetup| ChallengeKind::Dns),
    };
    chosen.iter().filter_map(open).collect()
}

/// The directory for dry runs.
pub(crate) fn staging(directory: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.directory == directory).and_then(|known| known.staging)
}

/// Whether a certificate for `held` is one for `one`.
pub(super) fn holds(held: &Identifier, one: &Identifier) -> bool {
    match (held, one) {
        (Identifier::Wildcard(parent), Identifier::Dns(name)) => {
            name.split_once('.').is_some_and(|(_, above)| above == parent)
        }
        (held, one) => held == one,
    }
}

/// Whether this certificate is, or will be, one for `one`.
pub(super) fn covers(status: &Status, one: &Identifier) -> bool {
    status.identifiers.iter().any(|held| holds(held, one))
}

/// Certificates by which private authorities are trusted.
pub(super) fn roots(acme: Option<&AcmeSettings>) -> Vec<CertificateDer<'static>> {
    let texts = acme.into_iter().flat_map(|acme| &acme.authorities).filter_map(|one| one.roots.as_ref());
    texts.flat_map(|text| CertificateDer::pem_slice_iter(text.as_bytes()).flatten()).collect()
}
