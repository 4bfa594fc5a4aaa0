//! `gatehouse history`: what was changed, newest first.

use gatehouse_api::{HistoryEntry, Reply, Request, Text, say};

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
        return Page::verdict(Tone::Plain, say!("cli.history.nothing"), say!("cli.history.nothing-about"));
    }
    let mut page = Page::verdict(
        Tone::Strong,
        say!("cli.count.changes", count = entries.len()),
        say!("cli.history.order"),
    );
    for entry in entries {
        let (tone, state) = words::change_state(entry.state);
        let undo = match entry.undo_until {
            Some(until) if until > clock.now() => {
                say!("cli.history.undo", span = span((until - clock.now()).unsigned_abs()))
            }
            Some(_) | None => Text::default(),
        };
        let relative = clock.relative(entry.at);
        let about =
            say!("cli.history.line", id = entry.id, title = entry.title, relative = relative, undo = undo);
        page.toned(2, tone, state, &about);
        for detail in &entry.details {
            page.toned(4, Tone::Plain, "", detail);
        }
    }
    page
}
