//! `gatehouse origins`: the browser origins that the gateway accepts, and those that were seen.

use gatehouse_api::{OriginList, OriginOwner, OriginSeen, OriginTest, OriginVerdict, Reply, Request, say};

use super::change;
use crate::{
    args::Origins,
    output::{Form, Page, Tone, fields, keyed, when::Clock},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Runs one of them.
pub(crate) async fn run(command: Origins, session: &mut Session) -> Outcome {
    match command {
        Origins::List => list(session).await,
        Origins::Add { origin } => edit(Request::OriginsAdd { origin }, session).await,
        Origins::Remove { origin } => edit(Request::OriginsRemove { origin }, session).await,
        Origins::Test { origin } => test(origin, session).await,
        Origins::Seen { refused, since } => {
            let Reply::OriginsSeen(mut seen) =
                session.ask(Request::OriginsSeen { refused_only: refused }).await?
            else {
                return Err(unexpected());
            };
            if let Some(since) = since {
                let earliest = session.clock.now() - since;
                seen.retain(|seen| seen.last_seen >= earliest);
            }
            session.out.result(&seen_page(&seen, session.clock), &keyed("seen", &seen));
            Ok(Verdict::Done)
        }
    }
}

async fn list(session: &mut Session) -> Outcome {
    let Reply::Origins(list) = session.ask(Request::OriginsList).await? else { return Err(unexpected()) };
    session.out.result(&list_page(&list, session.clock), &list);
    Ok(Verdict::warned(list.origins.iter().any(|entry| entry.never_matches.is_some())))
}

async fn edit(request: Request, session: &mut Session) -> Outcome {
    let made = change::make(request, session).await?;
    session.out.result(&change::page(&made, say!("cli.word.done"), session.clock), &made);
    Ok(change::verdict(&made))
}

async fn test(origin: String, session: &mut Session) -> Outcome {
    let Reply::OriginTest(test) = session.ask(Request::OriginsTest { origin }).await? else {
        return Err(unexpected());
    };
    match session.out.form() {
        Form::Human => session.out.page(&test_page(&test)),
        Form::Json | Form::Lines => session.out.object(&fields(&test)),
    }
    let accepted = !matches!(test.verdict, OriginVerdict::Refused | OriginVerdict::NotAnOrigin);
    Ok(Verdict::warned(!accepted))
}

fn list_page(list: &OriginList, clock: Clock) -> Page {
    if list.origins.is_empty() {
        return Page::verdict(Tone::Plain, say!("cli.word.none"), say!("cli.origins.empty"));
    }
    let count = say!("cli.count.origins", count = list.origins.len());
    let mut page = Page::verdict(Tone::Strong, &count, say!("cli.origins.in-list"));
    for entry in &list.origins {
        let owner = match entry.owner {
            OriginOwner::Gatehouse => say!("cli.origins.by-gatehouse"),
            OriginOwner::User => say!("cli.origins.by-you"),
        };
        let seen = entry
            .last_seen
            .map(|at| say!("cli.origins.used", relative = clock.relative(at)))
            .unwrap_or_default();
        page.item(&say!("cli.origins.line", origin = entry.origin, owner = owner, seen = seen));
        if let Some(reason) = &entry.never_matches {
            page.toned(4, Tone::Warn, say!("cli.origins.never"), reason);
        }
    }
    page
}

fn test_page(test: &OriginTest) -> Page {
    let (tone, word) = match test.verdict {
        OriginVerdict::Listed | OriginVerdict::Wildcard | OriginVerdict::PrivateSameOrigin => {
            (Tone::Good, say!("cli.origins.accepted"))
        }
        OriginVerdict::Refused => (Tone::Bad, say!("cli.origins.refused")),
        OriginVerdict::NotAnOrigin => (Tone::Bad, say!("cli.origins.unknown")),
    };
    let mut page = Page::verdict(tone, word, test.canonical.as_deref().unwrap_or(&test.origin));
    page.item(&test.because);
    page
}

fn seen_page(seen: &[OriginSeen], clock: Clock) -> Page {
    if seen.is_empty() {
        return Page::verdict(Tone::Plain, say!("cli.word.none"), say!("cli.origins.none-seen"));
    }
    let count = say!("cli.count.origins", count = seen.len());
    let mut page = Page::verdict(Tone::Strong, &count, say!("cli.origins.seen-since"));
    for one in seen {
        let (tone, word) = if one.refused { (Tone::Bad, "refused ") } else { (Tone::Good, "accepted") };
        let times = say!("cli.count.times", count = one.count);
        let about = say!(
            "cli.origins.seen-line",
            origin = one.origin,
            times = times,
            relative = clock.relative(one.last_seen),
            client = one.client
        );
        page.toned(2, tone, word, &about);
    }
    page
}
