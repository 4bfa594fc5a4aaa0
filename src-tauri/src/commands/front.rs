//! `gatehouse front`: which proxy or tunnel stands in front and may say for whom it asks.

use gatehouse_api::{Change, ConfigEdit, Reply, Request, Text, say};
use gatehouse_core::edge_config::{self, Tunnel};
use serde_json::json;

use super::{change, config, secret};
use crate::{
    args::Front,
    output::{Page, Tone, fields},
    session::{Outcome, Session, Verdict, unexpected},
};

/// The setting.
const KEY: &str = "front";
const NONE: &str = "none";
const CLOUDFLARE: &str = "cloudflare";

/// Runs one of them.
pub(crate) async fn run(command: Front, session: &mut Session) -> Outcome {
    match command {
        Front::Status => status(session).await,
        Front::None => config::set(edit(NONE), false, session).await,
        Front::Cloudflare => config::set(edit(CLOUDFLARE), false, session).await,
        Front::Tunnel { secret_file } => {
            let given = secret::read(secret_file.as_deref())?;
            let tunnel = edge_config::tunnel(given.as_ref())?;
            let request = Request::ConfigSet { edits: edit(&tunnel.setting), replace: false };
            let made = change::make(request, session).await?;
            let mut object = fields(&made);
            object["header"] = json!(tunnel.header);
            // Who brought it knows it.
            if given.is_none() {
                object["secret"] = json!(tunnel.secret);
            }
            session.out.result(&shown(&made, &tunnel, given.is_none(), session), &object);
            Ok(change::verdict(&made))
        }
    }
}

async fn status(session: &mut Session) -> Outcome {
    let Reply::Configuration(configuration) = session.ask(Request::ConfigShow).await? else {
        return Err(unexpected());
    };
    let front = configuration.entries.into_iter().find(|entry| entry.key == KEY).ok_or_else(unexpected)?;
    let (word, about): (Text, Text) = match front.value.as_str() {
        NONE => (say!("cli.front.nothing"), say!("cli.front.nothing-about")),
        CLOUDFLARE => ("Cloudflare".into(), say!("cli.front.cloudflare-about")),
        _ => (say!("cli.front.tunnel"), say!("cli.front.tunnel-about")),
    };
    let mut page = Page::verdict(Tone::Strong, say!("cli.front.word"), word);
    page.item(about);
    if let Some(problem) = &front.problem {
        page.toned(2, Tone::Warn, say!("cli.config.not-in-force"), problem);
    }
    session.out.result(&page, &json!({"front": front.value, "problem": front.problem}));
    Ok(Verdict::warned(front.problem.is_some()))
}

fn edit(front: &str) -> Vec<ConfigEdit> {
    vec![ConfigEdit { key: KEY.to_owned(), value: Some(front.to_owned()) }]
}

fn shown(made: &Change, tunnel: &Tunnel, is_new: bool, session: &Session) -> Page {
    let mut page = change::page(made, say!("cli.config.set"), session.clock);
    page.item(say!("cli.front.shows"));
    match is_new {
        true => {
            page.command(&format!("{}: {}", tunnel.header, tunnel.secret.expose()));
            page.item(say!("cli.front.once"));
        }
        false => page.command(&format!("{}: …", tunnel.header)),
    }
    page
}
