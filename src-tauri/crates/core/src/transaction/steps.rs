//! The steps, one file each, and the scripts made of them.

mod authentication;
mod bring;
mod certificate;
mod commit;
mod configure;
mod configure_edge;
mod find_gateway;
mod issue;
mod listen;
mod loopback;
mod map_port;
mod public_certificates;
mod token;
mod token_proof;
mod verify;

use gatehouse_api::{
    ChangeKind, ConfigEdit, ErrorEnvelope, OpenRequest, Scope, StepId, Text, TokenEdit, say,
};
use gatehouse_openclaw::origin;

use super::Intent;
use super::draft::Draft;
use super::step::{Script, Step};
use crate::context::Context;
use crate::errors::Explain;
use crate::public;

pub use self::bring::Bringing;
pub(crate) use self::bring::remember as bring_back;
pub(crate) use self::commit::remember;
pub(crate) use self::configure::{ORIGINS, PROXIES, Wish};
pub(crate) use self::configure_edge::configure;
pub(crate) use self::find_gateway::find;
pub(crate) use self::public_certificates::remember as remember_acme;
pub(crate) use self::token::{Form, checked, fresh, no_token, store_name, take_back as take_token_back};

/// The script of an intent.
pub(crate) fn script(context: &Context, intent: &Intent) -> Result<Script, ErrorEnvelope> {
    match intent {
        Intent::Open(request) => {
            map_port::allowed(request)?;
            Ok(open(context, request))
        }
        Intent::Close { purge } => Ok(close(context, *purge)),
        Intent::AddOrigin { origin } => {
            let origin = origin::canonical(origin).map_err(|error| error.explain())?;
            let title = say!("core.title.allow", origin = origin);
            Ok(origins(context, title, Wish::Add(origin)))
        }
        Intent::RemoveOrigin { origin } => {
            let title = say!("core.title.disallow", origin = origin);
            Ok(origins(context, title, Wish::Remove(origin.clone())))
        }
        Intent::Bring(what) => Ok(bring_script(context, what)),
        Intent::PublicCertificates { acme, title } => Ok(Script {
            kind: ChangeKind::Certificates,
            title: title.clone(),
            steps: vec![Box::new(public_certificates::PublicCertificates::new(context, acme.as_deref()))],
            draft: Draft::default(),
            confirm_within: None,
            undoable: true,
        }),
        Intent::Token(edit) => Ok(token_script(context, edit)),
        Intent::ConfigureEdge { edits, replace } => Ok(edge_script(context, edits, *replace)),
    }
}

fn token_script(context: &Context, edit: &TokenEdit) -> Script {
    let mut steps: Vec<Box<dyn Step>> = vec![Box::new(find_gateway::FindGateway::new(context))];
    let title = match edit {
        TokenEdit::Generate => {
            steps.push(Box::new(authentication::Authentication::new(context)));
            say!("core.token.title-generate")
        }
        TokenEdit::Rotate { .. } => say!("core.token.title-rotate"),
        TokenEdit::UseStore => say!("core.token.title-store"),
        TokenEdit::UsePlain => say!("core.token.title-plain"),
    };
    if *edit != TokenEdit::Generate {
        steps.push(Box::new(token::MoveToken::new(context, edit)));
        steps.push(Box::new(token_proof::TokenProof::new(context)));
    }
    Script {
        kind: ChangeKind::Token,
        title,
        steps,
        draft: Draft::default(),
        confirm_within: None,
        // The old token of a rotation may be known to somebody: it does not come back.
        undoable: !matches!(edit, TokenEdit::Rotate { .. }),
    }
}

fn bring_script(context: &Context, what: &Bringing) -> Script {
    let mut steps: Vec<Box<dyn Step>> = vec![Box::new(bring::Bring::new(context, what))];
    if let (true, Some(open)) = (what.changes_names(), &context.settings.current().open) {
        let scope = open.request.scope;
        steps.insert(0, Box::new(find_gateway::FindGateway::new(context)));
        steps.push(Box::new(listen::Listen::new(context)));
        steps.push(Box::new(configure::Configure::new(context, Wish::Open(scope))));
        steps.push(Box::new(verify::Verify::new(context)));
    }
    Script {
        kind: ChangeKind::Certificates,
        title: what.title(),
        steps,
        draft: Draft::default(),
        confirm_within: None,
        undoable: true,
    }
}

/// Whoever declares a proxy in front ends that this machine is local to the gateway: its browsers need their origins allowed
/// then, first.
fn edge_script(context: &Context, edits: &[ConfigEdit], replace: bool) -> Script {
    let edge = configure_edge::ConfigureEdge::new(context, edits, replace);
    let mut steps: Vec<Box<dyn Step>> = Vec::new();
    if let (true, Some(served)) = (edge.declares_front(), context.served.load_full()) {
        let origins = served.plan.origins(true).map(str::to_owned).collect();
        steps.push(Box::new(find_gateway::FindGateway::new(context)));
        steps.push(Box::new(configure::Configure::new(context, Wish::Cover(origins))));
    }
    steps.push(Box::new(edge));
    Script {
        kind: ChangeKind::Settings,
        title: edge_title(edits, replace),
        steps,
        draft: Draft::default(),
        confirm_within: None,
        undoable: true,
    }
}

fn edge_title(edits: &[ConfigEdit], replace: bool) -> Text {
    match edits {
        [only] if !replace => match &only.value {
            Some(value) => say!("core.title.set", key = &only.key, value = value.to_string()),
            None => say!("core.title.set-default", key = &only.key),
        },
        _ => say!("core.title.edge"),
    }
}

fn open(context: &Context, request: &OpenRequest) -> Script {
    let mut steps: Vec<Box<dyn Step>> = vec![
        Box::new(find_gateway::FindGateway::new(context)),
        Box::new(authentication::Authentication::new(context)),
        Box::new(loopback::Loopback::new(context)),
        Box::new(certificate::Certificate::new(context, request)),
        Box::new(listen::Listen::new(context)),
        Box::new(map_port::MapPort::open(context, request)),
        Box::new(issue::Issue::new(context)),
        Box::new(configure::Configure::new(context, Wish::Open(request.scope))),
        Box::new(verify::Verify::new(context)),
        Box::new(commit::Commit::open(context, request)),
    ];
    // Where nothing is public there is nothing to get.
    if !public::needs(request) {
        steps.retain(|step| step.id() != StepId::Issue);
    }
    if !map_port::MapPort::concerns(context, request.map_port) {
        steps.retain(|step| step.id() != StepId::MapPort);
    }
    Script {
        kind: ChangeKind::Open,
        title: open_title(request.scope),
        steps,
        draft: Draft::default(),
        confirm_within: request.confirm_within,
        undoable: true,
    }
}

fn close(context: &Context, purge: bool) -> Script {
    let mut steps: Vec<Box<dyn Step>> = vec![
        Box::new(find_gateway::FindGateway::tolerant(context)),
        Box::new(configure::Configure::new(context, Wish::Close)),
        Box::new(listen::Close::new(context)),
    ];
    if map_port::MapPort::concerns(context, None) {
        steps.push(Box::new(map_port::MapPort::close(context)));
    }
    steps.push(Box::new(commit::Commit::close(context)));
    if purge {
        steps.push(Box::new(certificate::Purge::new(context)));
    }
    let title = if purge { say!("core.title.purge") } else { say!("core.title.close") };
    Script {
        kind: ChangeKind::Close,
        title: title.to_owned(),
        steps,
        draft: Draft::default(),
        confirm_within: None,
        undoable: !purge,
    }
}

fn origins(context: &Context, title: Text, wish: Wish) -> Script {
    Script {
        kind: ChangeKind::Origins,
        title,
        steps: vec![
            Box::new(find_gateway::FindGateway::new(context)),
            Box::new(configure::Configure::new(context, wish)),
        ],
        draft: Draft::default(),
        confirm_within: None,
        undoable: true,
    }
}

fn open_title(scope: Scope) -> Text {
    match scope {
        Scope::Mac => say!("core.title.open-mac"),
        Scope::Lan => say!("core.title.open-lan"),
        Scope::Internet => say!("core.title.open-internet"),
    }
}
