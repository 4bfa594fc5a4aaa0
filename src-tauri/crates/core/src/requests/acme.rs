//! Public certificates: how they are got, a dry run, renewal, accounts, the log.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_api::{
    AcmeAttempt, AcmeAuthority, AcmeDirectory, AcmeSetup, AcmeState, AcmeTest, Change, Code, DnsSetup,
    ErrorEnvelope, KnownAuthority, Preflight, Problem, Reply, Scope, say,
};
use gatehouse_certs::acme::{Identifier, KNOWN, Registration, authority_name, directory_of};
use gatehouse_certs::renewal::Status;
use gatehouse_certs::renewal::plan::Next;
use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;

use super::changes::changing;
use super::{Desk, blocking};
use crate::controller::message::Fact;
use crate::errors::Explain as _;
use crate::public::{self, DNS_SECRET, external_secret};
use crate::settings::AcmeSettings;
use crate::transaction::{self, Intent};

/// How long a renewal that was asked for is waited for.
const PATIENCE: Duration = Duration::from_secs(320);

/// How they are got.
pub(super) fn show(desk: &Desk) -> Reply {
    Reply::Acme(Box::new(state(desk)))
}

fn state(desk: &Desk) -> AcmeState {
    let acme = desk.context.settings.current().acme.clone().unwrap_or_default();
    let accounts = desk.context.public.renewal.accounts();
    let authorities = acme.authorities.iter().map(|one| {
        let account = accounts.iter().find(|account| account.directory == one.directory);
        AcmeAuthority {
            name: authority_name(&one.directory),
            directory: one.directory.clone(),
            agreed: one.agreed,
            account: account.map(|account| account.url.clone()),
            email: account.map(|account| account.email.clone()).unwrap_or_default(),
            external_key_id: one.external_key_id.clone(),
            private: one.roots.is_some(),
        }
    });
    AcmeState {
        ready: acme.authorities.iter().any(|one| one.agreed),
        authorities: authorities.collect(),
        email: acme.email.clone(),
        ways: acme.ways.clone(),
        dns: acme.dns.clone(),
        reuse_key: acme.reuse_key,
        known: KNOWN.iter().map(known).collect(),
        wanted: acme.certificates.clone(),
        certificates: desk.context.public.certificates(desk.context.clock.now()),
    }
}

fn known(one: &gatehouse_certs::acme::KnownAuthority) -> KnownAuthority {
    KnownAuthority {
        id: one.id.to_owned(),
        name: one.name.to_owned(),
        directory: one.directory.to_owned(),
        external_account: one.external_account,
        staging: one.staging.is_some(),
    }
}

/// What people are shown before they agree to anything.
pub(super) async fn directory(desk: &Desk, authority: Option<&str>) -> Result<Reply, ErrorEnvelope> {
    let acme = desk.context.settings.current().acme.clone().unwrap_or_default();
    let directory = match (authority, acme.authorities.first()) {
        (Some(text), _) => directory_of(text).map_err(|why| not_understood(&why))?,
        (None, Some(first)) => first.directory.clone(),
        (None, None) => KNOWN[0].directory.to_owned(),
    };
    let name = authority_name(&directory);
    let renewal = &desk.context.public.renewal;
    let said = renewal.directory(&directory).await;
    let meta = said.map_err(|failure| public::failed(&name, &directory, &failure))?.meta;
    let settings = acme.authorities.iter().find(|one| one.directory == directory);
    let account = renewal.accounts().into_iter().find(|account| account.directory == directory);
    Ok(Reply::AcmeDirectory(AcmeDirectory {
        terms: meta.terms_of_service,
        website: meta.website,
        external_account: meta.external_account_required,
        staging: public::staging(&directory).is_some() || settings.is_some_and(|one| one.roots.is_some()),
        agreed: settings.is_some_and(|one| one.agreed),
        account: account.map(|account| account.url),
        directory,
        name,
    }))
}

fn not_understood(why: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, say!("core.acme.setup-wrong"), crate::errors::capital(why))
}

/// The account is made first: a setup that no authority accepts changes nothing.
pub(super) async fn setup(desk: &Desk, setup: AcmeSetup) -> Result<Reply, ErrorEnvelope> {
    let names = public::checked(&setup)?;
    let before = desk.context.settings.current().acme.clone();
    let next = public::changed(before.as_ref(), &setup, &names)?;
    let registered = register(desk, &setup, &next).await;
    if registered.is_err() {
        desk.context.public.trust(before.as_ref());
    }
    registered?;
    let replaced = keep_secrets(desk, &setup, &next).await?;
    let title = match names.as_slice() {
        [] => say!("core.acme.title"),
        names => say!("core.acme.title-names", names = texts(names)),
    };
    let change = match change(desk, Some(next), title).await {
        Ok(change) => change,
        // The settings of before go on, and need the secrets of before.
        Err(error) => {
            put_back(desk, replaced).await;
            return Err(error);
        }
    };
    let (public, now) = (Arc::clone(&desk.context.public), desk.context.clock.now());
    blocking(move || public.follow_again(now).map_err(|error| error.explain())).await?;
    Ok(Reply::Change(change))
}

async fn register(desk: &Desk, setup: &AcmeSetup, next: &AcmeSettings) -> Result<(), ErrorEnvelope> {
    let public = &desk.context.public;
    let Some(authority) = next.authorities.first() else { return Ok(()) };
    let directory = authority.directory.as_str();
    public.trust(Some(next));
    let name = authority_name(directory);
    let explain = |failure| public::failed(&name, directory, &failure);
    let about = public.renewal.directory(directory).await.map_err(explain)?;
    let known = public.renewal.accounts().iter().any(|account| account.directory == directory);
    if !authority.agreed && !known {
        let mut error = ErrorEnvelope::new(
            Code::NeedsConfirmation,
            say!("core.acme.terms", authority = name),
            match &about.meta.terms_of_service {
                Some(terms) => say!("core.acme.terms-at", terms = terms),
                None => say!("core.acme.terms-nowhere"),
            },
        );
        error = error.fix_with(say!("core.acme.cause.terms"), "gatehouse cert acme setup --agree-tos");
        return Err(error);
    }
    let key = setup.external_key.as_ref().map(|key| SecretString::from(key.expose().trim().to_owned()));
    let external = authority
        .external_key_id
        .clone()
        .zip(key)
        .map(|(key_id, key)| gatehouse_certs::acme::ExternalAccount { key_id, key });
    let registration = Registration { email: next.email.clone(), agreed: authority.agreed, external };
    public.renewal.register(directory, &registration).await.map_err(explain)
}

/// A secret of the vault by its name; `None` = there was none.
type Replaced = Vec<(String, Option<SecretString>)>;

async fn put_back(desk: &Desk, replaced: Replaced) {
    let vault = desk.context.public.vault();
    let back = blocking(move || {
        for (name, before) in replaced {
            let back = match &before {
                Some(before) => vault.put(&name, before),
                None => vault.remove(&name),
            };
            back.map_err(|error| secret_failed(&error))?;
        }
        Ok(())
    });
    if let Err(error) = back.await {
        tracing::error!(%error, "the secret of the setup before could not be put back");
    }
}

/// Answers what was there before.
async fn keep_secrets(
    desk: &Desk,
    setup: &AcmeSetup,
    next: &AcmeSettings,
) -> Result<Replaced, ErrorEnvelope> {
    let mut secrets = Vec::new();
    if let (Some(key), Some(authority)) = (&setup.external_key, next.authorities.first()) {
        secrets.push((external_secret(&authority.directory), key.expose().trim().to_owned()));
    }
    if let (Some(secret), Some(DnsSetup::Cloudflare | DnsSetup::Rfc2136 { .. })) =
        (&setup.dns_secret, &setup.dns)
    {
        secrets.push((DNS_SECRET.to_owned(), secret.expose().trim().to_owned()));
    }
    if secrets.is_empty() {
        return Ok(Vec::new());
    }
    let vault = desk.context.public.vault();
    blocking(move || {
        let mut replaced = Vec::new();
        for (name, secret) in secrets {
            let secret = SecretString::from(secret);
            replaced.push((name.clone(), vault.get(&name).map_err(|error| secret_failed(&error))?));
            vault.put(&name, &secret).map_err(|error| secret_failed(&error))?;
            let kept = vault.get(&name).map_err(|error| secret_failed(&error))?;
            if kept.is_none_or(|kept| kept.expose_secret() != secret.expose_secret()) {
                return Err(ErrorEnvelope::new(
                    Code::Permission,
                    say!("core.acme.secret-lost"),
                    say!("core.acme.secret-lost-because"),
                )
                .fix(say!("core.vault.unlock")));
            }
        }
        Ok(replaced)
    })
    .await
}

fn secret_failed(error: &gatehouse_certs::VaultError) -> ErrorEnvelope {
    let told = error.explain();
    ErrorEnvelope { title: say!("core.acme.secret-lost"), ..told }
}

/// Accounts stay at their authorities, and their keys and old certificates on this disk: they are needed to come back.
pub(super) async fn remove(desk: &Desk, names: &[String]) -> Result<Reply, ErrorEnvelope> {
    let before = desk.context.settings.current().acme.clone();
    let Some(before) = before else { return Err(not_set_up()) };
    if names.is_empty() {
        let change = change(desk, None, say!("core.acme.title-gone")).await?;
        let vault = desk.context.public.vault();
        let secrets = public::secrets(&before);
        blocking(move || {
            secrets.iter().try_for_each(|name| vault.remove(name)).map_err(|error| secret_failed(&error))
        })
        .await?;
        return Ok(Reply::Change(change));
    }
    let wanted = public::identifiers(names)?;
    let next = public::without(&before, &wanted).ok_or_else(|| no_such(&texts(&wanted)))?;
    let title = say!("core.acme.title-without", names = texts(&wanted));
    change(desk, Some(next), title).await.map(Reply::Change)
}

async fn change(
    desk: &Desk,
    acme: Option<AcmeSettings>,
    title: gatehouse_api::Text,
) -> Result<Change, ErrorEnvelope> {
    let intent = Intent::PublicCertificates { acme: acme.map(Box::new), title };
    changing(desk, false, desk.transactions.run(intent)).await
}

pub(super) async fn preflight(
    desk: &Desk,
    names: &[String],
    open: Option<Scope>,
) -> Result<Reply, ErrorEnvelope> {
    let names = public::identifiers(names)?;
    let Some(scope) = open else { return Ok(Reply::Preflight(looked(desk, &names).await)) };
    let settled = desk.context.settings.current().open.clone();
    let ports = transaction::ports(&desk.context, None, None, settled.as_ref()).await?;
    let ports = (Some(ports.https), ports.redirect);
    Ok(Reply::Preflight(desk.context.public.preflight_as_if(&names, ports, scope).await))
}

async fn looked(desk: &Desk, names: &[Identifier]) -> Preflight {
    desk.context.public.preflight(names, scope(desk)).await
}

/// What is not open is judged as if it were to be open for everybody.
fn scope(desk: &Desk) -> Scope {
    desk.context.settings.current().open.as_ref().map_or(Scope::Internet, |open| open.request.scope)
}

/// Looks, and then goes the whole way with the authority's staging; with a private authority, with itself.
pub(super) async fn test(desk: &Desk, names: &[String]) -> Result<Reply, ErrorEnvelope> {
    let names = public::identifiers(names)?;
    let acme = desk.context.settings.current().acme.clone().ok_or_else(not_set_up)?;
    let authority = acme.authorities.first().ok_or_else(not_set_up)?;
    let sets = if names.is_empty() { desk.context.public.wanted() } else { vec![names.clone()] };
    if sets.is_empty() {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.acme.nothing-wanted"),
            say!("core.acme.nothing-wanted-because"),
        )
        .fix_with(say!("core.acme.nothing-wanted-fix"), "gatehouse cert acme test home.example.org"));
    }
    let preflight = looked(desk, &names).await;
    let staging = public::staging(&authority.directory).map(str::to_owned);
    let directory = staging.or_else(|| authority.roots.as_ref().map(|_| authority.directory.clone()));
    let mut tested = AcmeTest { works: preflight.passed, preflight, authority: None, error: None };
    let Some(directory) = directory.filter(|_| tested.works) else {
        return Ok(Reply::AcmeTest(Box::new(tested)));
    };
    tested.authority = Some(authority_name(&directory));
    for set in sets {
        let now = OffsetDateTime::now_utc();
        if let Err(failure) = desk.context.public.renewal.rehearse(&directory, &set, now).await {
            tested.works = false;
            tested.error = Some(public::failed(&texts(&set), &directory, &failure));
            break;
        }
    }
    Ok(Reply::AcmeTest(Box::new(tested)))
}

/// Answers when every attempt that could be made has ended.
pub(super) async fn renew(desk: &Desk, names: &[String], force: bool) -> Result<Reply, ErrorEnvelope> {
    let names = public::identifiers(names)?;
    let renewal = &desk.context.public.renewal;
    let mut changes = renewal.status();
    let meant = |status: &Status| names.is_empty() || status.identifiers == names;
    let before: Vec<Status> = changes.borrow_and_update().iter().filter(|one| meant(one)).cloned().collect();
    if before.is_empty() {
        return Err(match names.is_empty() {
            true => not_set_up(),
            false => no_such(&texts(&names)),
        });
    }
    let begun = OffsetDateTime::now_utc();
    renewal.ask_now((!names.is_empty()).then_some(names.as_slice()), force);
    let done = |status: &Status| {
        let old = before.iter().find(|old| old.name == status.name);
        let ended = status.record.log.len() != old.map_or(0, |old| old.record.log.len())
            || status.record.log.last() != old.and_then(|old| old.record.log.last());
        let waits = !matches!(status.next, Next::Attempt { .. });
        status.stage.is_none() && waits && (ended || !force)
    };
    let waiting = async {
        // The engine looks at what is due before anything can be said of it.
        if !force {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        loop {
            let all = changes.borrow_and_update().clone();
            if all.iter().filter(|one| meant(one)).all(done) {
                return all;
            }
            if changes.changed().await.is_err() {
                return all;
            }
        }
    };
    let all =
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| renewal.status().borrow().clone());
    desk.tell(Fact::LookAgain).await;
    let failed = all.iter().filter(|one| meant(one)).find_map(|status| {
        let (directory, setback) = status.last_setback().filter(|(_, setback)| setback.at >= begun)?;
        let names = texts(&status.identifiers);
        let error = public::explained(&names, directory, setback.cause, &setback.detail);
        Some(match status.facts {
            Some(_) => ErrorEnvelope { title: say!("core.acme.not-renewed", names = names), ..error },
            None => error,
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(Reply::Certificates(desk.context.public.certificates(desk.context.clock.now()))),
    }
}

pub(super) async fn account(
    desk: &Desk,
    authority: Option<String>,
    email: Option<String>,
    roll_key: bool,
) -> Result<Reply, ErrorEnvelope> {
    let acme = desk.context.settings.current().acme.clone().ok_or_else(not_set_up)?;
    let directory = match &authority {
        Some(text) => directory_of(text).map_err(|why| not_understood(&why))?,
        None => acme.authorities.first().map(|one| one.directory.clone()).ok_or_else(not_set_up)?,
    };
    let renewal = &desk.context.public.renewal;
    let name = authority_name(&directory);
    if !renewal.accounts().iter().any(|account| account.directory == directory) {
        return Err(ErrorEnvelope::new(
            Code::NotFound,
            say!("core.acme.no-account", authority = name),
            say!("core.acme.no-account-because"),
        )
        .fix_with(say!("core.acme.needed-fix"), "gatehouse cert acme setup --agree-tos"));
    }
    let explain = |failure| public::failed(&name, &directory, &failure);
    if let Some(email) = email {
        let setup = AcmeSetup { email: Some(email.clone()), ..AcmeSetup::default() };
        public::checked(&setup)?;
        let registration = Registration { email: email.clone(), ..Registration::default() };
        renewal.register(&directory, &registration).await.map_err(explain)?;
        let next = AcmeSettings { email, ..acme };
        change(desk, Some(next), say!("core.acme.title")).await?;
    }
    if roll_key {
        renewal.roll_account_key(&directory).await.map_err(explain)?;
    }
    Ok(show(desk))
}

pub(super) fn log(desk: &Desk, limit: usize) -> Reply {
    let all = desk.context.public.renewal.status().borrow().clone();
    let mut attempts: Vec<AcmeAttempt> = all
        .iter()
        .flat_map(|status| {
            let names: Vec<String> = status.identifiers.iter().map(ToString::to_string).collect();
            status.record.log.iter().map(move |line| AcmeAttempt {
                at: line.at,
                authority: authority_name(&line.directory),
                problem: line.failure.as_ref().map(|(cause, detail)| {
                    let error = public::explained(&names.join(", "), &line.directory, *cause, detail);
                    Problem { ..crate::errors::problem(error) }
                }),
                names: names.clone(),
            })
        })
        .collect();
    attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.at));
    attempts.truncate(limit);
    Reply::AcmeLog(attempts)
}

fn texts(names: &[Identifier]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn not_set_up() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("core.acme.not-set-up"), say!("core.acme.needed-because"))
        .fix_with(
            say!("core.acme.needed-fix"),
            "gatehouse cert acme setup --email YOU@EXAMPLE.ORG --agree-tos",
        )
}

fn no_such(names: &str) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::NotFound,
        say!("core.acme.no-such", names = names),
        say!("core.acme.no-such-because"),
    )
    .fix_with(say!("core.acme.look"), "gatehouse cert acme status")
}
