//! `gatehouse link`: what is handed on. The address of `--kind browser` holds no secret; an owner link and a setup code
//! do, and are shown to a terminal only, unless somebody says `--yes`.

use gatehouse_api::{Address, Code, ErrorEnvelope, Reply, Request, Snapshot, TrustInvite};

use super::status;
use crate::{
    args::{Link, LinkKind},
    output::{Form, Page, fields, qr, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Shows what is to be handed on.
pub(crate) async fn run(args: &Link, session: &mut Session) -> Outcome {
    match args.kind {
        LinkKind::Browser => browser(args, session).await,
        LinkKind::Owner => owner(args, session).await,
        LinkKind::App => app(args, session).await,
        LinkKind::Trust => trust(args, session).await,
    }
}

async fn browser(args: &Link, session: &mut Session) -> Outcome {
    let snapshot = status::fetch(session).await?;
    let chosen = match &args.address {
        None => best(&snapshot),
        Some(wanted) => snapshot.addresses.iter().find(|address| address.url == wanted.trim_end_matches('/')),
    };
    let Some(address) = chosen else {
        return Err(ErrorEnvelope::new(
            Code::NoAddress,
            "There is no address to hand on",
            "Nothing is open.",
        )
        .fix_with("Open one.", "gatehouse open --to lan"));
    };
    if session.out.form() != Form::Human {
        session.out.object(&fields(address));
        return Ok(Verdict::Done);
    }
    let mut page = Page::new();
    page.text(&address.url);
    page.item(&format!("{}; {}", words::address_scope(address.scope), words::trusted_by(address.trusted_by)));
    picture(&mut page, args, &address.url, session);
    session.out.page(&page);
    Ok(Verdict::Done)
}

async fn owner(args: &Link, session: &mut Session) -> Outcome {
    secret_may_be_shown("An owner link was asked for", session)?;
    let Reply::Link(link) = session.ask(Request::DashboardLink { address: args.address.clone() }).await?
    else {
        return Err(unexpected());
    };
    let mut page = Page::new();
    page.command(link.url.expose());
    page.item("The first browser that opens it is an owner. It works once: keep it to yourself.");
    if let Some(at) = link.expires_at {
        page.field("Expires", &session.clock.relative(at));
    }
    picture(&mut page, args, link.url.expose(), session);
    session.out.result(&page, &link);
    Ok(Verdict::Done)
}

async fn app(args: &Link, session: &mut Session) -> Outcome {
    secret_may_be_shown("A setup code was asked for", session)?;
    let Reply::PhoneSetup(setup) = session.ask(Request::PhoneSetup { address: args.address.clone() }).await?
    else {
        return Err(unexpected());
    };
    let mut page = Page::new();
    page.command(setup.code.expose());
    page.item("Paste it in the OpenClaw app. It works once: keep it to yourself.");
    page.field("Leads to", &setup.gateway_url);
    if let Some(at) = setup.expires_at {
        page.field("Expires", &session.clock.relative(at));
    }
    picture(&mut page, args, setup.code.expose(), session);
    session.out.result(&page, &setup);
    Ok(Verdict::Done)
}

async fn trust(args: &Link, session: &mut Session) -> Outcome {
    let Reply::Invite(invite) = session.ask(Request::TrustInvite).await? else { return Err(unexpected()) };
    let mut page = Page::new();
    page.text(&invite.url);
    let TrustInvite { ca_name, ca_sha256, expires_at, .. } = &invite;
    page.item("Open it on the device, and go on only if it shows this fingerprint.");
    page.field("Authority", ca_name);
    super::cert::fingerprint_fields(&mut page, "SHA-256", ca_sha256);
    page.field("Expires", &session.clock.relative(*expires_at));
    picture(&mut page, args, &invite.url, session);
    session.out.result(&page, &invite);
    Ok(Verdict::Done)
}

/// A secret goes to the eyes of whoever typed the command. Into a file or a pipe it goes only when told so.
fn secret_may_be_shown(asked: &str, session: &Session) -> Result<(), ErrorEnvelope> {
    if session.globals.yes || session.out.look().terminal {
        return Ok(());
    }
    let because = "It logs in whoever reads it first, and standard output is no terminal.";
    Err(ErrorEnvelope::new(Code::NeedsConfirmation, asked, because).fix("Say it again with --yes."))
}

fn picture(page: &mut Page, args: &Link, text: &str, session: &Session) {
    if args.qr {
        let look = session.out.look();
        match qr::code(text, look.utf8, look.color) {
            Some(code) => page.art(&code),
            None => page.item("It is too long for a QR code."),
        }
    }
}

/// The best address: the core lists it first.
pub(crate) fn best(snapshot: &Snapshot) -> Option<&Address> {
    snapshot.addresses.first()
}
