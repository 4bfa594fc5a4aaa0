//! `gatehouse link`: what is handed on. The address of `--kind browser` holds no secret; an owner link and a setup code
//! do, and are shown to a terminal only, unless somebody says `--yes`.

use gatehouse_api::{Address, Code, ErrorEnvelope, Reply, Request, Snapshot, Text, TrustInvite, say};

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
        return Err(ErrorEnvelope::new(Code::NoAddress, say!("core.link.none"), say!("cli.link.closed"))
            .fix_with(say!("core.open-one"), "gatehouse open --to lan"));
    };
    if session.out.form() != Form::Human {
        session.out.object(&fields(address));
        return Ok(Verdict::Done);
    }
    let mut page = Page::new();
    page.text(&address.url);
    page.item(Text::list([words::address_scope(address.scope), words::trusted_by(address.trusted_by)]));
    picture(&mut page, args, &address.url, session);
    session.out.page(&page);
    Ok(Verdict::Done)
}

async fn owner(args: &Link, session: &mut Session) -> Outcome {
    secret_may_be_shown(say!("cli.link.owner"), session)?;
    let Reply::Link(link) = session.ask(Request::DashboardLink { address: args.address.clone() }).await?
    else {
        return Err(unexpected());
    };
    let mut page = Page::new();
    page.command(link.url.expose());
    page.item(say!("cli.link.owner-text"));
    if let Some(at) = link.expires_at {
        page.field(say!("cli.field.expires"), session.clock.relative(at));
    }
    picture(&mut page, args, link.url.expose(), session);
    session.out.result(&page, &link);
    Ok(Verdict::Done)
}

async fn app(args: &Link, session: &mut Session) -> Outcome {
    secret_may_be_shown(say!("cli.link.app"), session)?;
    let Reply::PhoneSetup(setup) = session.ask(Request::PhoneSetup { address: args.address.clone() }).await?
    else {
        return Err(unexpected());
    };
    let mut page = Page::new();
    page.command(setup.code.expose());
    page.item(say!("cli.link.app-text"));
    page.field(say!("cli.field.leads-to"), &setup.gateway_url);
    if let Some(at) = setup.expires_at {
        page.field(say!("cli.field.expires"), session.clock.relative(at));
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
    page.item(say!("cli.link.trust-text"));
    page.field(say!("cli.field.authority"), ca_name);
    super::cert::fingerprint_fields(&mut page, "SHA-256", ca_sha256);
    page.field(say!("cli.field.expires"), session.clock.relative(*expires_at));
    picture(&mut page, args, &invite.url, session);
    session.out.result(&page, &invite);
    Ok(Verdict::Done)
}

/// A secret goes to the eyes of whoever typed the command. Into a file or a pipe it goes only when told so.
fn secret_may_be_shown(asked: Text, session: &Session) -> Result<(), ErrorEnvelope> {
    if session.globals.yes || session.out.look().terminal {
        return Ok(());
    }
    let because = say!("cli.link.secret-because");
    Err(ErrorEnvelope::new(Code::NeedsConfirmation, asked, because).fix(say!("cli.say-yes")))
}

fn picture(page: &mut Page, args: &Link, text: &str, session: &Session) {
    if args.qr {
        let look = session.out.look();
        match qr::code(text, look.utf8, look.color) {
            Some(code) => page.art(&code),
            None => page.item(say!("cli.link.too-long")),
        }
    }
}

/// The best address: the core lists it first.
pub(crate) fn best(snapshot: &Snapshot) -> Option<&Address> {
    snapshot.addresses.first()
}
