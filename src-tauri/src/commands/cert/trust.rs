//! `gatehouse cert trust` and `untrust`: this machine's own trust in the authority.

use std::path::PathBuf;

use gatehouse_api::{
    ErrorEnvelope, Reply, Request, Text, TrustKind, TrustPlace, TrustPlaces, TrustState, say,
};

use crate::{
    args::{TrustWhere, UntrustWhere},
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// What is wanted of each place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Trusted,
    Gone,
    StaleGone,
}

/// Has it trusted.
pub(crate) async fn add(args: TrustWhere, session: &mut Session) -> Outcome {
    let place = args.place.map(text);
    let request = match args.dry_run {
        true => Request::TrustShow,
        false => Request::TrustAdd { place: place.clone() },
    };
    ask(request, Aim::Trusted, args.dry_run, place, session).await
}

/// Has it trusted no more.
pub(crate) async fn remove(args: UntrustWhere, session: &mut Session) -> Outcome {
    let aim = if args.stale { Aim::StaleGone } else { Aim::Gone };
    let place = args.place.map(text);
    let request = match args.dry_run {
        true => Request::TrustShow,
        false => Request::TrustRemove { place: place.clone(), stale: args.stale },
    };
    ask(request, aim, args.dry_run, place, session).await
}

fn text(path: PathBuf) -> String {
    path.display().to_string()
}

async fn ask(
    request: Request,
    aim: Aim,
    dry_run: bool,
    place: Option<String>,
    session: &mut Session,
) -> Outcome {
    let places = fetch(request, session).await?;
    let open = |found: &&TrustPlace| {
        let chosen = place.as_ref().is_none_or(|place| *place == found.path);
        chosen && !reached(aim, found)
    };
    let left = places.places.iter().filter(open).count();
    session.out.result(&page(&places, aim, dry_run), &places);
    Ok(Verdict::warned(left > 0 && !dry_run))
}

async fn fetch(request: Request, session: &mut Session) -> Result<TrustPlaces, ErrorEnvelope> {
    match session.ask(request).await? {
        Reply::TrustPlaces(places) => Ok(places),
        _ => Err(unexpected()),
    }
}

/// A place that cannot be looked into for want of a tool has no say.
fn reached(aim: Aim, place: &TrustPlace) -> bool {
    match aim {
        Aim::Trusted => place.state == TrustState::Trusted,
        Aim::Gone => place.state != TrustState::Trusted && place.because.is_none(),
        Aim::StaleGone => place.stale.is_empty(),
    }
}

fn page(places: &TrustPlaces, aim: Aim, dry_run: bool) -> Page {
    let mut page = Page::new();
    if let Some(name) = &places.ca_name {
        page.text(name);
    }
    for place in &places.places {
        let (tone, word) = match place.state {
            TrustState::Trusted => (Tone::Good, say!("cli.trust.trusted")),
            TrustState::NotTrusted => (Tone::Faint, say!("cli.trust.not-trusted")),
            TrustState::Unknown => (Tone::Warn, say!("cli.trust.unknown")),
        };
        page.toned(0, tone, word, say!("cli.trust.place", kind = kind(place.kind), path = place.path));
        if place.changed {
            page.item(if aim == Aim::Trusted { say!("cli.trust.added") } else { say!("cli.trust.removed") });
        } else if dry_run && !reached(aim, place) && place.because.is_none() {
            page.item(if aim == Aim::Trusted {
                say!("cli.trust.would-add")
            } else {
                say!("cli.trust.would-remove")
            });
        }
        if let Some(because) = &place.because {
            page.item(because);
        }
        words::fix(&mut page, place.fix.as_ref());
        for stale in &place.stale {
            page.item(say!("cli.trust.stale", name = stale.name));
            super::fingerprint_fields(&mut page, "SHA-256", &stale.sha256);
        }
    }
    if aim != Aim::StaleGone && places.places.iter().any(|place| !place.stale.is_empty()) {
        page.toned(0, Tone::Strong, say!("cli.word.next"), say!("cli.trust.stale-fix"));
        page.command("gatehouse cert untrust --stale");
    }
    page
}

fn kind(kind: TrustKind) -> Text {
    match kind {
        TrustKind::LoginKeychain => say!("cli.trust.login-keychain"),
        TrustKind::SystemStore => say!("cli.trust.system-store"),
        TrustKind::Chromium => say!("cli.trust.chromium"),
        TrustKind::Firefox => say!("cli.trust.firefox"),
    }
}
