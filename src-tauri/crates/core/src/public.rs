//! Certificates of public authorities: what is wanted follows from what is open and what the settings name; the renewal
//! engine gets them and keeps them valid.
//!
//! Guarantees: an authority is asked only about names that its owner opened or named, and only after its terms were agreed
//! to; nothing is asked while no way to prove a name is open; secrets are read where they are used and kept nowhere else; a
//! certificate that is served is taken away only when nothing wants it any more.

mod answers;
mod causes;
mod change;
mod facts;
mod preflight;
mod provider;
mod purge;
mod view;
mod wanted;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use gatehouse_api::{AcmeSetup, Certificate, Code, ErrorEnvelope, OpenRequest, Preflight, Scope, Text, say};
use gatehouse_certs::acme::{Dns, Failure, Identifier, KNOWN, authority_name};
use gatehouse_certs::renewal::plan::Next;
use gatehouse_certs::renewal::{Renewal, Status};
use gatehouse_certs::{CertError, Https, Resolver, Roots, Vault};
use gatehouse_edge::Challenges;
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;
use tokio::sync::watch;

use self::facts::Scout;
use self::wanted::Basis;
use crate::context::{Checkpoint, Listeners, Machine, Served};
use crate::mapping::Wish;
use crate::settings::{AcmeSettings, SettingsStore};

pub(crate) use self::causes::explained;
pub(crate) use self::change::{changed, differences, without};
pub(crate) use self::provider::{DNS_SECRET, external_secret, secrets};
pub(crate) use self::view::{life_left, names_hold, state};
pub(crate) use self::wanted::staging;

/// One answer of an authority.
const LIMIT: Duration = Duration::from_secs(30);
/// How long an opening waits for its certificates; an order waits less.
const PATIENCE: Duration = Duration::from_secs(320);
/// The slots of the resolver that this module's certificates have.
const SLOTS: &str = "acme:";

/// See the module.
pub struct Public {
    pub(crate) renewal: Arc<Renewal>,
    https: Https,
    resolver: Arc<Resolver>,
    vault: Arc<dyn Vault>,
    settings: Arc<SettingsStore>,
    cloudflare: Option<String>,
    basis: Arc<ArcSwap<Basis>>,
    scout: Arc<Scout>,
    /// Held while what is wanted changes.
    following: Mutex<()>,
}

/// What [`Public::open`] needs beside its folder.
pub struct Parts {
    /// Where certificates are served from.
    pub resolver: Arc<Resolver>,
    /// Where secrets are kept.
    pub vault: Arc<dyn Vault>,
    /// What is wanted.
    pub settings: Arc<SettingsStore>,
    /// This machine, for what is looked at before an attempt.
    pub machine: Arc<dyn Machine>,
    /// Where the network is another than the internet.
    pub elsewhere: Elsewhere,
    /// Is told how far each order is, as step `acme`.
    pub checkpoint: Arc<dyn Checkpoint>,
}

/// Other places than those of the internet, for tests with authorities and providers of their own.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    /// The name server to ask; `None` = those of the system.
    pub name_server: Option<SocketAddr>,
    /// Where Cloudflare's API is; `None` = where it is.
    pub cloudflare: Option<String>,
}

impl Public {
    /// Opens the folder. Nothing is wanted before [`Self::follow`].
    ///
    /// # Errors
    /// `storage` where the folder cannot be made; `certificate` where the system's trust cannot be read.
    pub fn open(folder: &Path, parts: Parts) -> Result<Self, ErrorEnvelope> {
        use crate::errors::Explain as _;
        let https = Https::new(Roots::System, LIMIT).map_err(|error| {
            ErrorEnvelope::new(Code::Certificate, say!("core.acme.no-trust"), crate::errors::capital(&error))
        })?;
        let dns = Dns::new(parts.elsewhere.name_server);
        let checkpoint = parts.checkpoint;
        let basis: Arc<ArcSwap<Basis>> = Arc::default();
        let scout =
            Arc::new(Scout { basis: Arc::clone(&basis), https: https.clone(), dns, machine: parts.machine });
        let renewal = Renewal::open(folder, Arc::clone(&parts.resolver), https.clone(), Arc::new(dns))
            .map_err(|error| error.explain())?
            .with_preflight(Arc::clone(&scout) as _)
            .with_watcher(Arc::new(move |_, stage| checkpoint.reached("acme", stage.word())));
        Ok(Self {
            renewal: Arc::new(renewal),
            https,
            resolver: parts.resolver,
            vault: parts.vault,
            settings: parts.settings,
            cloudflare: parts.elsewhere.cloudflare,
            basis,
            scout,
            following: Mutex::new(()),
        })
    }

    /// What an echo that the user named answers: at most the first letters of it.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn ask_echo(&self, url: &str) -> Result<String, String> {
        let request = http::Request::get(url)
            .header(http::header::USER_AGENT, "gatehouse")
            .header(http::header::ACCEPT, "text/plain, application/json")
            .body(bytes::Bytes::new())
            .map_err(|error| error.to_string())?;
        let answer = self.https.send(request).await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered HTTP {}", answer.status()));
        }
        Ok(String::from_utf8_lossy(answer.body()).chars().take(1024).collect())
    }

    /// Keeps certificates valid for ever. Dropping the future stops it; an order is then taken up later.
    pub(crate) async fn run(&self) {
        self.renewal.run().await;
    }

    /// Where secrets are kept. It may block.
    pub(crate) fn vault(&self) -> Arc<dyn Vault> {
        Arc::clone(&self.vault)
    }

    /// What there is; changes as it changes.
    pub(crate) fn changes(&self) -> watch::Receiver<Vec<Status>> {
        self.renewal.status()
    }

    /// Wants what is open and what the settings name. Serves at once what is on disk for it. Blocks for the disk, and for
    /// the place of secrets where an account is to be made with one.
    ///
    /// # Errors
    /// [`CertError::Io`].
    pub(crate) fn follow(
        &self,
        open: Vec<Identifier>,
        listeners: &Listeners,
        scope: Option<Scope>,
        now: OffsetDateTime,
    ) -> Result<(), CertError> {
        let _following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<Identifier> = open.into_iter().filter(|one| !self.is_elsewhere(one)).collect();
        let settings = self.settings.current();
        let opened = settings.open.as_ref();
        let basis = Basis {
            acme: settings.acme.clone(),
            mapped: Wish::of(opened).map(|wish| wish.external_port),
            limited: opened.is_some_and(|open| wanted::is_limited(&open.request.only)),
            kept: self.kept(&open),
            open,
            scope,
            https: listeners.https.first().map(SocketAddr::port),
            redirect: listeners.redirect.first().map(SocketAddr::port),
            accounts: self.accounts(),
        };
        if **self.basis.load() == basis {
            return Ok(());
        }
        self.put_in_force(basis, now)
    }

    /// The same although nothing that can be seen changed: a secret did.
    pub(crate) fn follow_again(&self, now: OffsetDateTime) -> Result<(), CertError> {
        let _following = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let basis = Basis {
            acme: self.settings.current().acme.clone(),
            accounts: self.accounts(),
            kept: self.kept(&self.basis.load().open),
            ..Basis::clone(&self.basis.load())
        };
        self.put_in_force(basis, now)
    }

    fn put_in_force(&self, basis: Basis, now: OffsetDateTime) -> Result<(), CertError> {
        self.trust(basis.acme.as_ref());
        let wanted = basis.wanted(&self.vault, &self.https, self.cloudflare.as_deref());
        // Whom the engine wakes looks at the new basis; after an error the old one is still in force, and the same wish is
        // not taken for one that was met.
        let before = self.basis.swap(Arc::new(basis));
        self.renewal.set(wanted, now).inspect_err(|_| self.basis.store(before))
    }

    /// Believes the private authorities of the settings, beside whom the system believes.
    pub(crate) fn trust(&self, acme: Option<&AcmeSettings>) {
        let roots = wanted::roots(acme);
        let roots = if roots.is_empty() { Roots::System } else { Roots::SystemAnd(roots) };
        if let Err(error) = self.https.trust(roots) {
            tracing::warn!(%error, "the certificates by which an authority is trusted cannot be used");
        }
    }

    fn accounts(&self) -> BTreeMap<String, String> {
        self.renewal.accounts().into_iter().map(|account| (account.directory, account.url)).collect()
    }

    /// Names that have a certificate of their own, and no other that is here already.
    fn kept(&self, open: &[Identifier]) -> Vec<Identifier> {
        let all = self.renewal.status().borrow().clone();
        let alone = |status: &&Status, one: &Identifier| status.identifiers == std::slice::from_ref(one);
        let kept = |one: &&Identifier| {
            let mut here = all.iter().filter(|status| status.facts.is_some() && wanted::covers(status, one));
            here.clone().any(|status| alone(&status, one)) && here.all(|status| alone(&status, one))
        };
        open.iter().filter(kept).cloned().collect()
    }

    /// Whether a certificate of another origin is served for it: a file of the user.
    fn is_elsewhere(&self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(name) => self.resolver.serves_beside(SLOTS, name),
            Identifier::Wildcard(_) | Identifier::Ip(_) => false,
        }
    }

    /// Those without a certificate that can be served now.
    pub(crate) fn missing(&self, wanted: &[Identifier]) -> Vec<Identifier> {
        let all = self.renewal.status().borrow().clone();
        let now = OffsetDateTime::now_utc();
        let has = |one: &Identifier| {
            let valid = |status: &Status| status.facts.as_ref().is_some_and(|facts| facts.not_after > now);
            self.is_elsewhere(one) || all.iter().any(|status| wanted::covers(status, one) && valid(status))
        };
        wanted.iter().filter(|one| !has(one)).cloned().collect()
    }

    /// Names that browsers may remember as HTTPS only: on the standard port, with a certificate that every browser trusts.
    pub(crate) fn remembered(&self, open: &[Identifier], https: u16) -> std::collections::BTreeSet<String> {
        let all = self.renewal.status().borrow().clone();
        let trusted = |status: &&Status| {
            let issuer = status.record.live.as_ref().map(|live| live.directory.as_str());
            status.facts.is_some() && KNOWN.iter().any(|known| Some(known.directory) == issuer)
        };
        let name = |one: &Identifier| match one {
            Identifier::Dns(name) => Some(name.clone()),
            Identifier::Wildcard(_) | Identifier::Ip(_) => None,
        };
        let held = |one: &&Identifier| all.iter().filter(trusted).any(|status| wanted::covers(status, one));
        if https == 443 { open.iter().filter(held).filter_map(name).collect() } else { Default::default() }
    }

    /// Makes sure before anything is changed that there can be certificates for the public names of a plan.
    ///
    /// # Errors
    /// `certificate`, with what to do: set up an authority, or put right what would make its attempt fail.
    pub(crate) async fn promise(&self, served: &Served, scope: Scope) -> Result<(), ErrorEnvelope> {
        let missing = self.missing(&served.plan.public);
        if missing.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let acme = self.settings.current().acme.clone();
        let Some(acme) = acme.filter(wanted::is_ready) else {
            return Err(ErrorEnvelope::new(
                Code::Certificate,
                say!("core.acme.needed", names = names),
                say!("core.acme.needed-because"),
            )
            .fix_with(
                say!("core.acme.needed-fix"),
                "gatehouse cert acme setup --email YOU@EXAMPLE.ORG --agree-tos",
            ));
        };
        let ports = (Some(served.ports.https), served.ports.redirect);
        let found = self.scout.look(&acme, &missing, ports, scope).await;
        if found.passed {
            return Ok(());
        }
        let hindrances: Vec<_> =
            found.findings.iter().filter(|one| one.weight == gatehouse_api::Weight::Hindrance).collect();
        let first = hindrances.first();
        let because = first.map(|one| one.text.clone()).unwrap_or_default();
        let mut error =
            ErrorEnvelope::new(Code::Certificate, say!("core.acme.hindered", names = names), because);
        error.evidence = hindrances.iter().skip(1).map(|one| one.text.clone()).collect();
        error.fix = first.and_then(|one| one.fix.clone()).map(Box::new);
        Err(error)
    }

    /// Waits until all these have a certificate. Gives the end of the one that ends first.
    ///
    /// # Errors
    /// `certificate`: an attempt failed, or none can be made now.
    pub(crate) async fn obtain(
        &self,
        wanted: &[Identifier],
    ) -> Result<Option<OffsetDateTime>, ErrorEnvelope> {
        let begun = OffsetDateTime::now_utc();
        let mut changes = self.renewal.status();
        if !self.missing(wanted).is_empty() {
            self.renewal.ask_now(None, false);
        }
        let waiting = async {
            loop {
                let all = changes.borrow_and_update().clone();
                let missing = self.missing(wanted);
                if missing.is_empty() {
                    return Ok(first_end(&all, wanted));
                }
                if let Some(error) = missing.iter().find_map(|one| given_up(&all, one, begun)) {
                    return Err(error);
                }
                if changes.changed().await.is_err() {
                    return Err(slow());
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(slow()))
    }

    /// Everything that can be seen from here before an attempt is spent; of all that is wanted where `names` are none.
    pub(crate) async fn preflight(&self, names: &[Identifier], scope: Scope) -> Preflight {
        let basis = self.basis.load_full();
        self.preflight_as_if(names, (basis.https, basis.redirect), scope).await
    }

    /// The same as if these ports, HTTPS and plain, were open for these people.
    pub(crate) async fn preflight_as_if(
        &self,
        names: &[Identifier],
        ports: (Option<u16>, Option<u16>),
        scope: Scope,
    ) -> Preflight {
        let basis = self.basis.load_full();
        let names = if names.is_empty() { basis.all() } else { names.to_vec() };
        let acme = basis.acme.clone().unwrap_or_default();
        self.scout.look(&acme, &names, ports, scope).await
    }

    /// What is wanted, one list for each certificate.
    pub(crate) fn wanted(&self) -> Vec<Vec<Identifier>> {
        self.basis.load().certificates()
    }

    /// The public certificates, as people are shown them.
    pub(crate) fn certificates(&self, now: OffsetDateTime) -> Vec<Certificate> {
        self.renewal.status().borrow().iter().map(|status| view::certificate(status, now)).collect()
    }

    /// When the certificate with this fingerprint was got; `None` = it is none of these.
    pub(crate) fn issued(&self, sha256: &str) -> Option<OffsetDateTime> {
        let all = self.renewal.status();
        let all = all.borrow();
        all.iter().find(|status| status.is(sha256)).and_then(Status::issued)
    }

    /// What is served for this host of a URL.
    pub(crate) fn served(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        match host.parse::<IpAddr>() {
            Ok(ip) => self.resolver.lookup_address(ip),
            Err(_) => self.resolver.lookup(Some(host)),
        }
    }

    /// What authorities and clients of public addresses are answered with.
    pub fn challenges(&self) -> Challenges {
        Challenges {
            http: Some(Arc::new(answers::Tokens(self.renewal.tokens()))),
            by_ends: Some(Arc::new(answers::Ends(Arc::clone(&self.resolver)))),
        }
    }
}

impl std::fmt::Debug for Public {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Public").field("renewal", &self.renewal).finish_non_exhaustive()
    }
}

/// Whether opening this may need a public certificate.
pub(crate) fn needs(request: &OpenRequest) -> bool {
    let public = |text: &String| text.parse::<Identifier>().is_ok_and(|one| one.public().is_ok());
    request.scope == Scope::Internet || request.hosts.iter().any(public)
}

/// What a user asked for, as identifiers that a public authority could vouch for.
///
/// # Errors
/// `usage`: a name that is none, or a private one.
pub(crate) fn identifiers(names: &[String]) -> Result<Vec<Identifier>, ErrorEnvelope> {
    let refused = |text: &String, because: Text| {
        ErrorEnvelope::new(Code::Usage, say!("core.acme.no-name", name = text), because)
    };
    let mut all = Vec::new();
    for text in names {
        let one: Identifier = text
            .trim()
            .parse()
            .map_err(|error: CertError| refused(text, crate::errors::capital(&error.to_string()).into()))?;
        one.public().map_err(|why| refused(text, crate::errors::capital(&why).into()))?;
        all.push(one);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// What a setup asks for must fit together before anything is done.
///
/// # Errors
/// `usage`.
pub(crate) fn checked(setup: &AcmeSetup) -> Result<Vec<Identifier>, ErrorEnvelope> {
    change::check(setup)?;
    identifiers(&setup.names)
}

fn first_end(all: &[Status], wanted: &[Identifier]) -> Option<OffsetDateTime> {
    let used = all.iter().filter(|status| wanted.iter().any(|one| wanted::covers(status, one)));
    used.filter_map(|status| status.facts.as_ref().map(|facts| facts.not_after)).min()
}

/// Why no certificate for this comes by waiting; `None` = one may.
fn given_up(all: &[Status], one: &Identifier, begun: OffsetDateTime) -> Option<ErrorEnvelope> {
    let status = all.iter().find(|status| wanted::covers(status, one))?;
    if status.stage.is_some() {
        return None;
    }
    let names = view::names(status).join(", ");
    let fail = |because: Text| {
        Some(ErrorEnvelope::new(Code::Certificate, say!("core.acme.none", names = names), because))
    };
    match (&status.next, status.last_setback()) {
        (Next::Attempt { .. }, _) => None,
        (Next::NoWay, _) => fail(say!("core.acme.no-way"))
            .map(|error| error.fix_with(say!("core.acme.no-way-fix"), "gatehouse cert acme setup --help")),
        (Next::NoAuthority, _) => fail(say!("core.acme.needed-because")),
        (Next::ClockWrong, _) => {
            fail(say!("core.clock.wrong")).map(|error| error.fix(say!("core.clock.fix")))
        }
        (Next::Wait { .. }, Some((directory, setback)))
            if setback.at >= begun || setback.not_before > begun =>
        {
            Some(explained(&names, directory, setback.cause, &setback.detail))
        }
        (Next::Wait { until }, _) if *until > OffsetDateTime::now_utc() => {
            fail(say!("core.acme.budget", until = view::moment(*until)))
        }
        (Next::Wait { .. }, _) => None,
    }
}

/// The error of a failure that was met while somebody waits.
pub(crate) fn failed(names: &str, directory: &str, failure: &Failure) -> ErrorEnvelope {
    explained(names, directory, failure.cause, &failure.detail)
}

/// What people call an authority.
pub(crate) fn authority(directory: &str) -> String {
    authority_name(directory)
}

fn slow() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Certificate, say!("core.acme.slow"), say!("core.acme.slow-because"))
        .fix_with(say!("core.acme.slow-fix"), "gatehouse cert acme status")
}

#[cfg(test)]
mod tests;
