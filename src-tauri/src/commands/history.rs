//! `gatehouse history`: what was changed, newest first.

use gatehouse_api::{HistoryEntry, Reply, Request};

use crate::{
    args::History,
    output::{Page, Tone, keyed, when::Clock, when::span, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Shows the history.
pub(crate) async fn run(args: &History, session: &mut Session) -> Outcome {
    let request = Request::History { limit: usize::from(args.limit) };
    let Reply::History(entries) = session.ask(request).await? else { return Err(unexpected()) };
    session.out.result(&page(&entries, session.clock), &keyed("history", &entries));
    Ok(Verdict::Done)
}

fn page(entries: &[HistoryEntry], clock: Clock) -> Page {
    if entries.is_empty() {
        return Page::verdict(Tone::Plain, "Nothing", "was changed yet");
    }
    let mut page =
        Page::verdict(Tone::Strong, &words::count(entries.len(), "change", "changes"), "newest first");
    for entry in entries {
        let (tone, state) = words::change_state(entry.state);
        let undo = match entry.undo_until {
            Some(until) if until > clock.now() => {
                format!(", can be undone for {}", span((until - clock.now()).unsigned_abs()))
            }
            Some(_) | None => String::new(),
        };
        let about = format!("{} {} ({}{undo})", entry.id, entry.title, clock.relative(entry.at));
        page.toned(2, tone, state, &about);
        for detail in &entry.details {
            page.toned(4, Tone::Plain, "", detail);
        }
    }
    page
}
