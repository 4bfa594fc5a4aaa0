//! `gatehouse close`: the address goes away, and so does what was added to the gateway's configuration.

use gatehouse_api::{Request, say};

use super::{change, plan};
use crate::{
    args::Close,
    session::{Outcome, Session},
};

/// Closes, or shows how.
pub(crate) async fn run(args: &Close, session: &mut Session) -> Outcome {
    if args.dry_run {
        return plan::show(Request::PlanClose { purge: args.purge }, session).await;
    }
    if args.purge {
        // What goes is told before anybody is asked.
        if !session.globals.yes {
            let page = plan::page(&plan::fetch(Request::PlanClose { purge: true }, session).await?);
            session.out.context(&page);
        }
        session.consent(say!("cli.close.ask")).await?;
    }
    let made = change::make(Request::Close { purge: args.purge }, session).await?;
    session.out.result(&change::page(&made, say!("cli.word.done"), session.clock), &made);
    Ok(change::verdict(&made))
}
