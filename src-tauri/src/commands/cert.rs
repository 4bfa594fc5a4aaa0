//! `gatehouse cert`: the certificate that is served, the authority that devices are asked to trust, and who remembers what.

mod acme;
mod brought;
mod clients;
mod export;
mod fingerprint;
mod pins;
mod trust;

use gatehouse_api::{
    CertSummary, Certificate, CertificateState, Code, ErrorEnvelope, Reply, Request, Text, say,
};
use serde_json::json;

use crate::{
    args::Cert,
    output::{Form, Page, Tone, fields, when::Clock, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(crate) async fn run(command: Cert, session: &mut Session) -> Outcome {
    match command {
        Cert::Show => show(session).await,
        Cert::Acme(command) => acme::run(command, session).await,
        Cert::Import(words) => brought::import(words, session).await,
        Cert::Remove { name } => brought::remove(name, session).await,
        Cert::Clients(command) => clients::run(command, session).await,
        Cert::Fingerprint(args) => fingerprint::run(&args, session).await,
        Cert::Export(args) => export::run(&args, session).await,
        Cert::Trust(args) => trust::add(args, session).await,
        Cert::Untrust(args) => trust::remove(args, session).await,
        Cert::Pins => pins::run(session).await,
        Cert::Renew { reuse_key } => renew(reuse_key, session).await,
    }
}

/// The local certificate in detail, then every certificate in a line or two.
async fn show(session: &mut Session) -> Outcome {
    let Reply::Certificates(all) = session.ask(Request::CertList).await? else { return Err(unexpected()) };
    let local = match fetch(session).await {
        Ok(local) => Some(local),
        Err(error) if error.code == Code::NotFound && !all.is_empty() => None,
        Err(error) => return Err(error),
    };
    match session.out.form() {
        Form::Human => {
            let mut shown = local.as_ref().map_or_else(Page::new, |local| page(local, session.clock));
            // A core of an earlier version does not know them.
            if let (Some(local), Ok(pins)) = (&local, pins::fetch(session).await) {
                pins::note(&mut shown, &pins, &local.sha256);
            }
            list(&mut shown, &all, session.clock);
            session.out.page(&shown);
        }
        Form::Json | Form::Lines => {
            let mut object = local.as_ref().map_or_else(|| json!({}), fields);
            object["certificates"] = fields(&all);
            session.out.object(&object);
        }
    }
    Ok(Verdict::warned(all.iter().any(|one| one.problem.is_some())))
}

/// Every certificate: its state and names, then where it comes from, what is left of it, and what comes next.
pub(super) fn list(page: &mut Page, all: &[Certificate], clock: Clock) {
    for one in all {
        let (tone, word) = match one.state {
            CertificateState::Valid => (Tone::Good, say!("cli.cert.valid")),
            CertificateState::Expiring => (Tone::Warn, say!("cli.cert.expiring")),
            CertificateState::Expired => (Tone::Bad, say!("cli.cert.expired")),
            CertificateState::Missing => (Tone::Warn, say!("cli.cert.missing")),
        };
        page.toned(0, tone, word, one.names.join(", "));
        let from = match (one.kind, &one.issuer) {
            (kind, Some(issuer)) => {
                say!("cli.cert.from", kind = words::certificate_kind(kind), issuer = issuer)
            }
            (kind, None) => words::certificate_kind(kind),
        };
        page.item(from);
        if let (Some(end), Some(left)) = (one.not_after, one.life_left) {
            let relative = clock.relative(end);
            page.item(say!("cli.cert.left", date = clock.date(end), relative = relative, percent = left));
        }
        if let Some(stage) = one.stage {
            page.item(words::order_stage(stage));
        }
        if let Some(next) = one.next_attempt {
            page.item(say!("cli.cert.next", date = clock.date(next), time = clock.time(next)));
        }
        if let Some(problem) = &one.problem {
            page.toned(2, Tone::Warn, say!("cli.word.problem"), &problem.title);
            page.item(&problem.because);
            words::fix(page, problem.fix.as_ref());
        }
    }
}

async fn fetch(session: &mut Session) -> Result<CertSummary, ErrorEnvelope> {
    let Reply::Cert(cert) = session.ask(Request::CertShow).await? else { return Err(unexpected()) };
    cert.ok_or_else(none)
}

/// Apps that remember the certificate are told before it goes.
async fn renew(reuse_key: bool, session: &mut Session) -> Outcome {
    let cert = fetch(session).await?;
    let pins = pins::fetch(session).await?;
    let known = pins.pins.iter().filter(|pin| pin.sha256 == cert.sha256).count();
    if known > 0 {
        let mut page = Page::new();
        pins::note(&mut page, &pins, &cert.sha256);
        session.out.context(&page);
        session.consent(say!("cli.cert.renew-ask", count = known)).await?;
    }
    let Reply::Cert(renewed) = session.ask(Request::CertRenew { reuse_key }).await? else {
        return Err(unexpected());
    };
    let renewed = renewed.ok_or_else(none)?;
    session.out.result(&page(&renewed, session.clock), &renewed);
    Ok(Verdict::Done)
}

fn none() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotFound, say!("cli.cert.none"), say!("cli.cert.none-because"))
        .fix_with(say!("core.open-one"), "gatehouse open --to lan")
}

fn page(cert: &CertSummary, clock: Clock) -> Page {
    let until =
        say!("cli.until", date = clock.date(cert.not_after), relative = clock.relative(cert.not_after));
    let valid = cert.not_after > clock.now();
    let (tone, word) =
        if valid { (Tone::Good, say!("cli.cert.valid")) } else { (Tone::Bad, say!("cli.cert.expired")) };
    let mut page = Page::verdict(tone, word, &until);
    page.field(say!("cli.field.issuer"), &cert.issuer);
    page.field(say!("cli.field.names"), cert.names.join(", "));
    fingerprint_fields(&mut page, "SHA-256", &cert.sha256);
    if let Some(ca) = &cert.ca_sha256 {
        fingerprint_fields(&mut page, say!("cli.field.ca-sha256"), ca);
    }
    page
}

/// A fingerprint on two lines of sixteen bytes, which fit 80 columns and compare well.
pub(crate) fn fingerprint_fields(page: &mut Page, name: impl Into<Text>, colons: &str) {
    let half = 16 * 3 - 1;
    match (colons.get(..half), colons.get(half + 1..)) {
        (Some(first), Some(second)) => {
            page.field(name, first);
            page.field("", second);
        }
        _ => page.field(name, colons),
    }
}
