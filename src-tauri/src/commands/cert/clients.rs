//! `gatehouse cert clients`: which names want certificates from their clients, and who has one.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use gatehouse_api::{
    ClientCertificate, ClientCertificates, ErrorEnvelope, IssuedClient, Reply, Request, say,
};
use serde_json::json;

use super::brought::{absolute, made, password};
use super::{export::not_written, fingerprint_fields};
use crate::{
    args::Clients,
    output::{Form, Page, Tone, when::Clock},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(super) async fn run(command: Clients, session: &mut Session) -> Outcome {
    match command {
        Clients::List => list(session).await,
        Clients::Require { name, ca, crl } => {
            let request = Request::ClientsRequire {
                host: name,
                ca: ca.as_deref().map(absolute).transpose()?,
                crls: crl.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?,
            };
            made(request, say!("cli.clients.required"), session).await
        }
        Clients::Off { name } => {
            session.consent(say!("cli.clients.ask-off", name = &name)).await?;
            made(Request::ClientsOff { host: name }, say!("cli.clients.off"), session).await
        }
        Clients::Issue { label, out, format, days, password_file } => {
            let password = password_file.as_deref().map(password).transpose()?;
            let request = Request::ClientsIssue { label, days, form: format.into(), password };
            let Reply::ClientIssued(issued) = session.ask(request).await? else { return Err(unexpected()) };
            written(&out, &issued, session)
        }
        Clients::Revoke { client } => {
            session.consent(say!("cli.clients.ask-revoke", client = &client)).await?;
            let Reply::ClientRevoked(revoked) = session.ask(Request::ClientsRevoke { client }).await? else {
                return Err(unexpected());
            };
            let page = Page::verdict(Tone::Good, say!("cli.clients.revoked"), &revoked.label);
            session.out.result(&page, &revoked);
            Ok(Verdict::Done)
        }
    }
}

async fn list(session: &mut Session) -> Outcome {
    let Reply::Clients(clients) = session.ask(Request::ClientsList).await? else { return Err(unexpected()) };
    session.out.result(&page(&clients, session.clock), &clients);
    Ok(Verdict::warned(clients.rules.iter().any(|rule| rule.problem.is_some())))
}

fn page(clients: &ClientCertificates, clock: Clock) -> Page {
    let mut page = match clients.rules.is_empty() {
        true => Page::verdict(Tone::Plain, say!("cli.word.none"), say!("cli.clients.no-rules")),
        false => Page::verdict(Tone::Strong, say!("cli.clients.word"), say!("cli.clients.rules")),
    };
    for rule in &clients.rules {
        let whose = rule.ca.as_deref().map_or_else(|| say!("cli.clients.own"), Into::into);
        page.item(&say!("cli.clients.rule", host = &rule.host, whose = whose));
        if let Some(problem) = &rule.problem {
            page.toned(4, Tone::Warn, say!("cli.word.caution"), problem);
        }
    }
    for one in &clients.certificates {
        let (tone, state) = state(one, clock);
        page.toned(2, tone, &one.label, state);
        page.field("", &one.serial);
    }
    page
}

fn state(one: &ClientCertificate, clock: Clock) -> (Tone, gatehouse_api::Text) {
    match one.revoked_at {
        Some(at) => (Tone::Bad, say!("cli.clients.state-revoked", relative = clock.relative(at))),
        None if one.not_after < clock.now() => {
            (Tone::Bad, say!("cli.clients.state-over", date = clock.date(one.not_after)))
        }
        None => (Tone::Good, say!("cli.clients.state-good", date = clock.date(one.not_after))),
    }
}

/// The file holds a key: nobody but the user may read it.
fn written(path: &Path, issued: &IssuedClient, session: &mut Session) -> Result<Verdict, ErrorEnvelope> {
    let bytes = STANDARD.decode(issued.content.expose()).map_err(|_| unexpected())?;
    let ClientCertificate { label, serial, sha256, not_after, .. } = &issued.certificate;
    if path == Path::new("-") {
        match session.out.form() {
            Form::Human => session.out.data(&bytes),
            Form::Json | Form::Lines => session.out.object(&json!({
                "content": issued.content.expose(),
                "password": issued.password.as_ref().map(|password| password.expose()),
                "certificate": issued.certificate,
            })),
        }
        if let (Form::Human, Some(password)) = (session.out.form(), &issued.password) {
            let mut page = Page::verdict(Tone::Warn, say!("cli.clients.password"), password.expose());
            page.item(&say!("cli.clients.password-once"));
            session.out.remark(&page);
        }
        return Ok(Verdict::Done);
    }
    gatehouse_files::write_atomic(path, &bytes, gatehouse_files::PRIVATE)
        .map_err(|error| not_written(path, &error))?;
    let mut page = Page::verdict(Tone::Good, say!("cli.cert.written"), path.display().to_string());
    page.field(say!("cli.clients.field-client"), label);
    page.field(say!("cli.clients.field-until"), session.clock.date(*not_after));
    page.field(say!("cli.clients.field-serial"), serial);
    fingerprint_fields(&mut page, "SHA-256", sha256);
    if let Some(password) = &issued.password {
        page.field(say!("cli.clients.password"), password.expose());
        page.item(&say!("cli.clients.password-once"));
    }
    let value = json!({
        "path": path.display().to_string(),
        "password": issued.password.as_ref().map(|password| password.expose()),
        "certificate": issued.certificate,
    });
    session.out.result(&page, &value);
    Ok(Verdict::Done)
}
