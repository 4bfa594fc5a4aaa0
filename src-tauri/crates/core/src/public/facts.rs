//! Gathers what an attempt is judged by before it is spent.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures_util::future::join_all;
use gatehouse_api::{Preflight, Scope, Weight};
use gatehouse_certs::acme::{Directory, Dns, Failure, Identifier, authority_name};
use gatehouse_certs::renewal::schedule::EARLIEST;
use gatehouse_certs::{Https, renewal};
use gatehouse_host::addresses::Kind;
use time::OffsetDateTime;

use super::preflight::{Authority, Facts, Here, Judged, judge, judge_here};
use super::wanted::{Basis, ways};
use crate::context::Machine;
use crate::settings::AcmeSettings;

/// Looks at DNS, at this machine, and at the authority.
pub(super) struct Scout {
    pub(super) basis: Arc<ArcSwap<Basis>>,
    pub(super) https: Https,
    pub(super) dns: Dns,
    pub(super) machine: Arc<dyn Machine>,
}

impl Scout {
    /// Everything, worst first. `ports` = the HTTPS port and the plain port, open or about to be.
    pub(super) async fn look(
        &self,
        acme: &AcmeSettings,
        names: &[Identifier],
        ports: (Option<u16>, Option<u16>),
        scope: Scope,
    ) -> Preflight {
        let directory = acme.authorities.first().map(|one| one.directory.clone()).unwrap_or_default();
        let judged = self.judged(acme, &directory, names, ports, scope).await;
        let mut findings: Vec<_> = judged.into_iter().map(|one| one.finding).collect();
        findings.sort_by_key(|one| std::cmp::Reverse(one.weight));
        Preflight { passed: findings.iter().all(|one| one.weight != Weight::Hindrance), findings }
    }

    async fn judged(
        &self,
        acme: &AcmeSettings,
        directory: &str,
        names: &[Identifier],
        ports: (Option<u16>, Option<u16>),
        scope: Scope,
    ) -> Vec<Judged> {
        let here = self.here(acme, directory, ports, scope).await;
        let mut all = judge_here(&here);
        let looks: Vec<_> = names.iter().map(|one| self.facts(one.clone(), here.clone())).collect();
        let facts = join_all(looks).await;
        all.extend(facts.iter().flat_map(judge));
        all
    }

    async fn facts(&self, identifier: Identifier, here: Here) -> Facts {
        let dns = match &identifier {
            Identifier::Dns(name) | Identifier::Wildcard(name) => Some(self.dns.facts(name).await),
            Identifier::Ip(_) => None,
        };
        Facts { identifier, dns, here }
    }

    async fn here(
        &self,
        acme: &AcmeSettings,
        directory: &str,
        (https, redirect): (Option<u16>, Option<u16>),
        scope: Scope,
    ) -> Here {
        let account = self.basis.load().accounts.get(directory).cloned();
        let settings = acme.authorities.iter().find(|one| one.directory == directory);
        let (about, unreachable) = match Directory::fetch(&self.https, directory).await {
            Ok(about) => (about.meta, None),
            Err(failure) => (Default::default(), Some(failure.detail)),
        };
        let has_key = account.is_some() || settings.is_some_and(|one| one.external_key_id.is_some());
        let machine = Arc::clone(&self.machine);
        let own = tokio::task::spawn_blocking(move || machine.addresses()).await;
        let own: Vec<IpAddr> = own
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default()
            .iter()
            .filter(|address| address.kind == Kind::Global)
            .map(|address| address.ip.to_canonical())
            .collect();
        Here {
            own,
            ways: ways(acme, https, redirect),
            https,
            redirect,
            mapped: self.basis.load().mapped,
            limited: self.basis.load().limited,
            scope,
            authority: Authority {
                name: authority_name(directory),
                identities: about.caa_identities,
                account,
                private: settings.is_some_and(|one| one.roots.is_some()),
                unreachable,
                lacks_external: about.external_account_required && !has_key,
                agreed: settings.is_some_and(|one| one.agreed),
            },
            now: OffsetDateTime::now_utc(),
            earliest: EARLIEST,
        }
    }
}

/// Only what is certain stops an attempt.
#[async_trait]
impl renewal::Preflight for Scout {
    async fn check(&self, directory: &str, identifiers: &[Identifier]) -> Result<(), Failure> {
        let basis = self.basis.load_full();
        let Some(acme) = basis.acme.clone() else { return Ok(()) };
        // What is not open is judged as if it were to be open for everybody.
        let scope = basis.scope.unwrap_or(Scope::Internet);
        let judged = self.judged(&acme, directory, identifiers, (basis.https, basis.redirect), scope).await;
        match judged.into_iter().find(|one| one.finding.weight == Weight::Hindrance) {
            Some(Judged { finding, cause }) => {
                let name = finding.name.map(|name| format!("{name}: ")).unwrap_or_default();
                Err(Failure::new(cause, format!("{name}{}", finding.text)))
            }
            None => Ok(()),
        }
    }
}
