//! `gatehouse cert acme`: public certificates.

use std::{
    io::{self, Read},
    path::Path,
};

use gatehouse_api::{
    AcmeDirectory, AcmeSetup, AcmeState, AcmeTest, Certificate, Code, DnsSetup, ErrorEnvelope, Event,
    Preflight, Reply, Request, SecretText, Text, Weight, say, socket::Topic,
};
use serde_json::json;

use super::{list, pins};
use crate::{
    args::{Acme, DnsWord, Setup},
    commands::change,
    output::{Form, Page, Tone, fields, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// No secret is longer, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;
/// Longer than the core waits for an order.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(600);
/// Certificates of an authority, in bytes.
const LONGEST_ROOTS: u64 = 256 * 1024;

/// Runs one of them.
pub(super) async fn run(command: Acme, session: &mut Session) -> Outcome {
    match command {
        Acme::Setup(setup) => set_up(*setup, session).await,
        Acme::Status => {
            let state = fetch(session).await?;
            session.out.result(&page(&state, session), &state);
            Ok(verdict(&state.certificates))
        }
        Acme::Terms { ca } => {
            let request = Request::AcmeDirectory { authority: ca };
            let Reply::AcmeDirectory(said) = session.ask(request).await? else { return Err(unexpected()) };
            session.out.result(&terms(&said), &said);
            Ok(Verdict::Done)
        }
        Acme::Test { names } => test(names, session).await,
        Acme::Renew { names, force } => {
            if force {
                tell_apps(&names, session).await?;
            }
            let all = renew(names, force, session).await?;
            show(&all, session);
            Ok(verdict(&all))
        }
        Acme::Account { ca, email, roll_key } => {
            let request = Request::AcmeAccount { authority: ca, email, roll_key };
            let Reply::Acme(state) = session.ask(request).await? else { return Err(unexpected()) };
            session.out.result(&accounts(&state), &json!({"authorities": state.authorities}));
            Ok(Verdict::Done)
        }
        Acme::Log { limit } => log(limit.into(), session).await,
        Acme::Remove { names, all } => remove(names, all, session).await,
    }
}

/// Apps that remember a certificate are told before it goes.
async fn tell_apps(names: &[String], session: &mut Session) -> Result<(), ErrorEnvelope> {
    let state = fetch(session).await?;
    let pins = pins::fetch(session).await?;
    let meant = state.certificates.iter().filter(|one| names.is_empty() || one.names == names);
    let mut page = Page::new();
    let mut known = 0;
    for sha256 in meant.filter_map(|one| one.sha256.as_deref()) {
        let count = pins.pins.iter().filter(|pin| pin.sha256 == sha256).count();
        if count > 0 {
            known += count;
            pins::note(&mut page, &pins, sha256);
        }
    }
    if known == 0 {
        return Ok(());
    }
    session.out.context(&page);
    session.consent(say!("cli.cert.renew-ask", count = known)).await
}

async fn fetch(session: &mut Session) -> Result<AcmeState, ErrorEnvelope> {
    match session.ask(Request::AcmeShow).await? {
        Reply::Acme(state) => Ok(*state),
        _ => Err(unexpected()),
    }
}

async fn set_up(setup: Setup, session: &mut Session) -> Outcome {
    let names = setup.names.clone();
    let request = Request::AcmeSetup(Box::new(asked(setup)?));
    let made = change::make(request, session).await?;
    let mut warned = !made.warnings.is_empty();
    if session.out.form() == Form::Human {
        session.out.page(&change::page(&made, say!("cli.word.done"), session.clock));
    }
    if !names.is_empty() {
        renew(names, false, session).await?;
    }
    let state = fetch(session).await?;
    warned |= verdict(&state.certificates) != Verdict::Done;
    match session.out.form() {
        Form::Human => session.out.page(&page(&state, session)),
        Form::Json | Form::Lines => {
            let mut object = fields(&made);
            object["acme"] = fields(&state);
            session.out.object(&object);
        }
    }
    Ok(Verdict::warned(warned))
}

/// The flags as a request, with the files that they name.
fn asked(setup: Setup) -> Result<AcmeSetup, ErrorEnvelope> {
    let secret = setup.secret_file.as_deref().map(|path| read(path, LONGEST_SECRET)).transpose()?;
    let secret = secret.map(|secret| SecretText::new(secret.trim()));
    let roots = setup.ca_root.as_deref().map(|path| read(path, LONGEST_ROOTS)).transpose()?;
    let needs = |word: DnsWord| matches!(word, DnsWord::Cloudflare | DnsWord::Rfc2136);
    let for_dns = setup.dns.is_some_and(needs);
    if for_dns && setup.eab_kid.is_some() {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("cli.acme.two-secrets"),
            say!("cli.acme.two-secrets-because"),
        ));
    }
    let settle = u32::try_from(setup.dns_settle.as_secs()).unwrap_or(u32::MAX);
    let dns = setup.dns.map(|word| match word {
        DnsWord::Cloudflare => DnsSetup::Cloudflare,
        DnsWord::Rfc2136 => DnsSetup::Rfc2136 {
            server: setup.dns_server.unwrap_or_default(),
            zone: setup.dns_zone.unwrap_or_default(),
            key_name: setup.dns_key_name.unwrap_or_default(),
            algorithm: setup.dns_algorithm,
            settle,
        },
        DnsWord::Hook => DnsSetup::Hook {
            program: setup.dns_hook.map(|path| path.display().to_string()).unwrap_or_default(),
            settle,
        },
    });
    Ok(AcmeSetup {
        names: setup.names,
        email: setup.email,
        agree_terms: setup.agree_tos,
        authority: setup.ca,
        only_authority: setup.only,
        roots,
        external_key: setup.eab_kid.as_ref().and_then(|_| secret.clone()),
        external_key_id: setup.eab_kid,
        ways: setup.ways.into_iter().map(Into::into).collect(),
        dns,
        dns_secret: secret.filter(|_| for_dns),
        reuse_key: setup.reuse_key,
    })
}

/// A small text file, or standard input.
fn read(path: &Path, limit: u64) -> Result<String, ErrorEnvelope> {
    let read = |mut from: Box<dyn Read>| {
        let mut text = String::new();
        from.as_mut().take(limit).read_to_string(&mut text).map(|_| text)
    };
    let text = match path == Path::new("-") {
        true => read(Box::new(io::stdin())),
        false => std::fs::File::open(path).and_then(|file| read(Box::new(file))),
    };
    text.map_err(|error| {
        ErrorEnvelope::new(
            Code::Usage,
            say!("cli.file.not-read"),
            say!("core.at-failed", place = path.display(), error = error),
        )
    })
}

/// Asks for certificates, and tells on the way how far each order is.
async fn renew(
    names: Vec<String>,
    force: bool,
    session: &mut Session,
) -> Result<Vec<Certificate>, ErrorEnvelope> {
    let client = session.client().await?;
    let mut events = client.events(&[Topic::Snapshot]).await?;
    let limit = session.globals.timeout.unwrap_or(LONGEST_WAIT);
    let answer = tokio::time::timeout(limit, client.call(Request::AcmeRenew { names, force }));
    let mut told = Vec::new();
    let mut remarks = Vec::new();
    let answer = {
        tokio::pin!(answer);
        let mut following = true;
        loop {
            tokio::select! {
                answer = &mut answer => break answer,
                event = events.next(), if following => match event {
                    Ok(Event::Snapshot(snapshot)) => {
                        remarks.extend(stages(&snapshot.certificates, &mut told));
                    }
                    Ok(_) => {}
                    Err(_) => following = false,
                },
            }
            for remark in remarks.drain(..) {
                session.out.remark(&remark);
            }
        }
    };
    let late = |_| {
        let because = say!("cli.timeout.because", seconds = limit.as_secs());
        ErrorEnvelope::new(Code::Failed, say!("cli.timeout.title"), because)
            .fix_with(say!("cli.timeout.fix"), "gatehouse cert acme status")
    };
    match answer.map_err(late)?? {
        Reply::Certificates(all) => Ok(all),
        _ => Err(unexpected()),
    }
}

/// What is new about orders on their way.
fn stages(all: &[Certificate], told: &mut Vec<(String, gatehouse_api::OrderStage)>) -> Vec<Page> {
    let mut pages = Vec::new();
    for one in all {
        let Some(stage) = one.stage else { continue };
        let news = (one.id.clone(), stage);
        if !told.contains(&news) {
            told.push(news);
            let names = one.names.join(", ");
            pages.push(Page::verdict(
                Tone::Plain,
                "...",
                say!("cli.named-value", name = names, value = words::order_stage(stage)),
            ));
        }
    }
    pages
}

fn show(all: &[Certificate], session: &mut Session) {
    match session.out.form() {
        Form::Human => {
            let mut page = Page::new();
            list(&mut page, all, session.clock);
            session.out.page(&page);
        }
        Form::Json | Form::Lines => session.out.object(&json!({"certificates": all})),
    }
}

fn verdict(all: &[Certificate]) -> Verdict {
    Verdict::warned(all.iter().any(|one| one.problem.is_some()))
}

async fn test(names: Vec<String>, session: &mut Session) -> Outcome {
    let Reply::AcmeTest(tested) = session.ask(Request::AcmeTest { names }).await? else {
        return Err(unexpected());
    };
    session.out.result(&tested_page(&tested), &tested);
    Ok(match tested.works {
        true => Verdict::warned(tested.preflight.findings.iter().any(|one| one.weight == Weight::Doubt)),
        false => Verdict::Told(Code::Certificate),
    })
}

fn tested_page(tested: &AcmeTest) -> Page {
    let (tone, word) = match tested.works {
        true => (Tone::Good, say!("cli.acme.works")),
        false => (Tone::Bad, say!("cli.acme.fails")),
    };
    let about = match &tested.authority {
        Some(authority) => say!("cli.acme.tested-with", authority = authority),
        None if tested.works => say!("cli.acme.looked-only"),
        None => say!("cli.acme.not-tried"),
    };
    let mut page = Page::verdict(tone, word, about);
    findings(&mut page, &tested.preflight);
    if let Some(error) = &tested.error {
        page.toned(2, Tone::Bad, say!("cli.word.failed"), &error.title);
        page.item(&error.because);
        words::fix(&mut page, error.fix.as_deref());
    }
    page
}

fn findings(page: &mut Page, preflight: &Preflight) {
    for one in &preflight.findings {
        let (tone, word) = match one.weight {
            Weight::Good => (Tone::Good, say!("cli.acme.good")),
            Weight::Doubt => (Tone::Warn, say!("cli.acme.doubt")),
            Weight::Hindrance => (Tone::Bad, say!("cli.acme.hindrance")),
        };
        let text = match &one.name {
            Some(name) => say!("cli.named-value", name = name, value = one.text),
            None => one.text.clone(),
        };
        page.toned(2, tone, word, text);
        words::fix(page, one.fix.as_ref());
    }
}

fn page(state: &AcmeState, session: &Session) -> Page {
    let mut page = match state.ready {
        true => Page::verdict(Tone::Good, say!("cli.acme.ready"), say!("cli.acme.ready-about")),
        false => Page::verdict(Tone::Warn, say!("cli.acme.not-ready"), say!("cli.acme.not-ready-about")),
    };
    page.append(accounts(state));
    let ways: Vec<Text> = state.ways.iter().map(|way| words::proof_way(*way).into()).collect();
    page.field(
        say!("cli.field.ways"),
        if ways.is_empty() { say!("cli.acme.all-ways") } else { Text::list(ways) },
    );
    if let Some(dns) = &state.dns {
        page.field(say!("cli.field.dns"), dns_word(dns));
    }
    if state.reuse_key {
        page.field(say!("cli.field.keys"), say!("cli.acme.keys-kept"));
    }
    list(&mut page, &state.certificates, session.clock);
    if !state.ready {
        page.command("gatehouse cert acme setup --email YOU@EXAMPLE.ORG --agree-tos");
    }
    page
}

fn terms(said: &AcmeDirectory) -> Page {
    let mut page = match said.agreed {
        true => Page::verdict(Tone::Good, say!("cli.acme.agreed"), &said.name),
        false => Page::verdict(Tone::Plain, say!("cli.acme.not-agreed"), &said.name),
    };
    match &said.terms {
        Some(terms) => page.field(say!("cli.field.terms"), terms),
        None => page.text(say!("core.acme.terms-nowhere")),
    };
    if said.external_account && said.account.is_none() {
        page.text(say!("core.acme.pre.external", authority = said.name));
    }
    if !said.staging {
        page.text(say!("cli.acme.no-staging"));
    }
    page
}

fn accounts(state: &AcmeState) -> Page {
    let mut page = Page::new();
    for one in &state.authorities {
        let account = match &one.account {
            Some(url) => say!("cli.acme.account", authority = one.name, account = url),
            None => say!("cli.acme.no-account", authority = one.name),
        };
        page.field(say!("cli.field.authority"), account);
        if !one.email.is_empty() {
            page.field("", &one.email);
        }
    }
    page
}

fn dns_word(dns: &DnsSetup) -> Text {
    match dns {
        DnsSetup::Cloudflare => "Cloudflare".into(),
        DnsSetup::Rfc2136 { server, zone, .. } => format!("RFC 2136, {server}, {zone}").into(),
        DnsSetup::Hook { program, .. } => program.into(),
    }
}

async fn log(limit: usize, session: &mut Session) -> Outcome {
    let Reply::AcmeLog(attempts) = session.ask(Request::AcmeLog { limit }).await? else {
        return Err(unexpected());
    };
    let mut page = Page::new();
    if attempts.is_empty() {
        page.text(say!("cli.acme.no-attempts"));
    }
    for one in &attempts {
        let (tone, word) = match one.problem {
            None => (Tone::Good, say!("cli.acme.issued")),
            Some(_) => (Tone::Bad, say!("cli.word.failed")),
        };
        let when = format!("{} {}", session.clock.date(one.at), session.clock.time(one.at));
        let names = one.names.join(", ");
        page.toned(
            0,
            tone,
            word,
            say!("cli.acme.attempt", when = when, names = names, authority = one.authority),
        );
        if let Some(problem) = &one.problem {
            page.item(&problem.because);
            words::fix(&mut page, problem.fix.as_ref());
        }
    }
    session.out.result(&page, &json!({"attempts": attempts}));
    Ok(Verdict::Done)
}

async fn remove(names: Vec<String>, all: bool, session: &mut Session) -> Outcome {
    if all {
        session.consent(say!("cli.acme.ask-all")).await?;
    }
    let made = change::make(Request::AcmeRemove { names }, session).await?;
    session.out.result(&change::page(&made, say!("cli.word.done"), session.clock), &made);
    Ok(change::verdict(&made))
}
