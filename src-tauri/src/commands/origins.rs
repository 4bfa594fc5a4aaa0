//! `gatehouse origins`: the browser origins that the gateway accepts, and those that were seen.

use gatehouse_api::{OriginList, OriginOwner, OriginSeen, OriginTest, OriginVerdict, Reply, Request};

use super::change;
use crate::{
    args::Origins,
    output::{Form, Page, Tone, fields, keyed, when::Clock, words},
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
    session.out.result(&change::page(&made, "Done:", session.clock), &made);
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
        return Page::verdict(Tone::Plain, "None", "the gateway's list is empty");
    }
    let count = words::count(list.origins.len(), "origin", "origins");
    let mut page = Page::verdict(Tone::Strong, &count, "in the gateway's list");
    for entry in &list.origins {
        let owner = match entry.owner {
            OriginOwner::Gatehouse => "added by Gatehouse",
            OriginOwner::User => "added by you",
        };
        let seen = entry.last_seen.map(|at| format!(", used {}", clock.relative(at))).unwrap_or_default();
        page.item(&format!("{} ({owner}{seen})", entry.origin));
        if let Some(reason) = &entry.never_matches {
            page.toned(4, Tone::Warn, "never matches:", reason);
        }
    }
    page
}

fn test_page(test: &OriginTest) -> Page {
    let (tone, word) = match test.verdict {
        OriginVerdict::Listed | OriginVerdict::Wildcard | OriginVerdict::PrivateSameOrigin => {
            (Tone::Good, "Accepted")
        }
        OriginVerdict::Refused => (Tone::Bad, "Refused"),
        OriginVerdict::NotAnOrigin => (Tone::Bad, "Unknown"),
    };
    let mut page = Page::verdict(tone, word, test.canonical.as_deref().unwrap_or(&test.origin));
    page.item(&test.because);
    page
}

fn seen_page(seen: &[OriginSeen], clock: Clock) -> Page {
    if seen.is_empty() {
        return Page::verdict(Tone::Plain, "None", "no browser came through Gatehouse since it started");
    }
    let count = words::count(seen.len(), "origin", "origins");
    let mut page = Page::verdict(Tone::Strong, &count, "seen since Gatehouse started");
    for one in seen {
        let (tone, word) = if one.refused { (Tone::Bad, "refused ") } else { (Tone::Good, "accepted") };
        let times = words::count(usize::try_from(one.count).unwrap_or(usize::MAX), "time", "times");
        let about =
            format!("{} {times}, last {} by {}", one.origin, clock.relative(one.last_seen), one.client);
        page.toned(2, tone, word, &about);
    }
    page
}
