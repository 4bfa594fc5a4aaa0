//! `gatehouse undo`: a change is taken back, exactly what it added.

use gatehouse_api::{Request, say};

use super::{change, plan};
use crate::{
    args::Undo,
    session::{Outcome, Session},
};

/// Undoes a change, or shows how.
pub(crate) async fn run(args: &Undo, session: &mut Session) -> Outcome {
    let id = args.id.clone();
    if args.dry_run {
        return plan::show(Request::PlanUndo { id }, session).await;
    }
    let made = change::make(Request::Undo { id, force_drift: args.force_drift }, session).await?;
    session.out.result(&change::page(&made, say!("cli.word.undone"), session.clock), &made);
    Ok(change::verdict(&made))
}
