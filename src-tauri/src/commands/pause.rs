//! `gatehouse pause` and `gatehouse resume`: the listener answers 503 for a while.

use gatehouse_api::{Code, ErrorEnvelope, Reply, Request, say};

use super::status;
use crate::{
    args::Pause,
    output::{Form, keyed},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Pauses.
pub(crate) async fn pause(args: &Pause, session: &mut Session) -> Outcome {
    if args.length.is_some_and(|length| length.is_zero()) {
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.pause.title"), say!("cli.pause.because"))
            .fix_with(say!("cli.pause.fix"), "gatehouse pause --for 10m"));
    }
    change(Request::Pause { seconds: args.length.map(|length| length.as_secs()) }, session).await
}

/// Ends a pause.
pub(crate) async fn resume(session: &mut Session) -> Outcome {
    change(Request::Resume, session).await
}

async fn change(request: Request, session: &mut Session) -> Outcome {
    match session.ask(request).await? {
        Reply::Done | Reply::Change(_) => {}
        Reply::Status(snapshot) => return Ok(show(&snapshot, session)),
        _ => return Err(unexpected()),
    }
    let snapshot = status::fetch(session).await?;
    Ok(show(&snapshot, session))
}

fn show(snapshot: &gatehouse_api::Snapshot, session: &mut Session) -> Verdict {
    match session.out.form() {
        Form::Human => session.out.page(&status::page(snapshot, session.clock)),
        Form::Json | Form::Lines => session.out.object(&keyed("actual", &snapshot.actual)),
    }
    Verdict::Done
}
