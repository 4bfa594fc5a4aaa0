//! `gatehouse confirm`: a change that would revert by itself stays.

use gatehouse_api::{Change, Reply, Request, say};

use super::change;
use crate::session::{Outcome, Session, unexpected};

/// Confirms.
pub(crate) async fn run(session: &mut Session) -> Outcome {
    let made = match session.ask(Request::Confirm).await? {
        Reply::Change(made) => made,
        Reply::Done => Change {
            id: None,
            title: say!("cli.confirm.stays"),
            state: None,
            warnings: Vec::new(),
            confirm_by: None,
        },
        _ => return Err(unexpected()),
    };
    let mut page = change::page(&made, say!("cli.word.kept"), session.clock);
    if made.id.is_none() {
        page = crate::output::Page::verdict(crate::output::Tone::Good, say!("cli.word.kept"), &made.title);
    }
    session.out.result(&page, &made);
    Ok(change::verdict(&made))
}
