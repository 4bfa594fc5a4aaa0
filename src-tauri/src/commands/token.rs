//! `gatehouse token`: the gateway's shared token. It comes from a file or standard input, and is shown only where it was
//! asked for.

mod copy;
pub(crate) mod secret_ref;

use gatehouse_api::{ErrorEnvelope, GatewayToken, Reply, Request, SecretText, TokenEdit, TokenState, say};
use serde_json::json;

use super::{change, plan, secret};
use crate::{
    args::Token,
    output::{Form, Page, Tone},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(crate) async fn run(command: Token, session: &mut Session) -> Outcome {
    match command {
        Token::Status => status(Request::TokenStatus, session).await,
        Token::Import(given) => {
            status(Request::TokenImport { secret: secret::read(given.secret_file.as_deref())? }, session)
                .await
        }
        Token::Generate { dry_run } => edit(TokenEdit::Generate, dry_run, session).await,
        Token::Rotate { given, dry_run } => {
            let edit = TokenEdit::Rotate { secret: secret::read(given.secret_file.as_deref())? };
            if dry_run {
                return plan::show(Request::PlanTokenChange(edit), session).await;
            }
            rotate(edit, session).await
        }
        Token::UseSecretRef { dry_run } => edit(TokenEdit::UseStore, dry_run, session).await,
        Token::Plain { dry_run } => edit(TokenEdit::UsePlain, dry_run, session).await,
        Token::Copy { length } => copy::run(length, session).await,
        Token::Reveal { .. } => reveal(session).await,
    }
}

async fn status(request: Request, session: &mut Session) -> Outcome {
    let Reply::Token(token) = session.ask(request).await? else { return Err(unexpected()) };
    session.out.result(&page(&token), &token);
    Ok(Verdict::warned(!is_well(&token)))
}

fn is_well(token: &GatewayToken) -> bool {
    token.state == TokenState::Known && token.accepted != Some(false)
}

fn page(token: &GatewayToken) -> Page {
    let (tone, word) = match is_well(token) {
        true => (Tone::Good, say!("cli.token.known")),
        false => (Tone::Warn, say!("cli.word.caution")),
    };
    let mut page = Page::verdict(tone, word, &token.title);
    page.item(&token.because);
    let accepted = match token.accepted {
        Some(true) => say!("cli.token.accepted"),
        Some(false) => say!("cli.token.refused"),
        None => say!("cli.token.not-asked"),
    };
    page.field(say!("cli.field.gateway"), accepted);
    let store = match token.store.as_str() {
        "keychain" => say!("core.token.keychain"),
        "secret-service" => say!("core.token.secret-service"),
        _ => say!("core.token.file"),
    };
    page.field(say!("cli.token.store"), store);
    if let Some(fix) = &token.fix {
        page.item(&fix.text);
        if let Some(command) = &fix.command {
            page.command(command);
        }
    }
    page
}

/// What it signs out is said before anybody is asked.
async fn rotate(edit: TokenEdit, session: &mut Session) -> Outcome {
    let Reply::Plan(plan) = session.ask(Request::PlanTokenChange(edit.clone())).await? else {
        return Err(unexpected());
    };
    if session.out.form() == Form::Human {
        let mut page = Page::new();
        for warning in &plan.warnings {
            page.toned(2, Tone::Warn, say!("cli.word.note"), warning);
        }
        session.out.remark(&page);
    }
    session.consent(say!("cli.token.ask-rotate")).await?;
    changed(edit, session).await
}

async fn edit(edit: TokenEdit, dry_run: bool, session: &mut Session) -> Outcome {
    match dry_run {
        true => plan::show(Request::PlanTokenChange(edit), session).await,
        false => changed(edit, session).await,
    }
}

async fn changed(edit: TokenEdit, session: &mut Session) -> Outcome {
    let made = change::make(Request::TokenChange(edit), session).await?;
    session.out.result(&change::page(&made, say!("cli.word.done"), session.clock), &made);
    Ok(change::verdict(&made))
}

async fn reveal(session: &mut Session) -> Outcome {
    let token = ask(session).await?;
    match session.out.form() {
        Form::Human => {
            let mut page = Page::new();
            page.command(token.expose());
            session.out.page(&page);
        }
        Form::Json | Form::Lines => session.out.object(&json!({"token": token})),
    }
    Ok(Verdict::Done)
}

async fn ask(session: &mut Session) -> Result<SecretText, ErrorEnvelope> {
    match session.ask(Request::TokenReveal).await? {
        Reply::Secret(token) => Ok(token),
        _ => Err(unexpected()),
    }
}
