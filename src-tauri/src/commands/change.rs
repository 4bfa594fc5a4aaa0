//! What every change has in common: its steps on standard error, and its result.

use std::time::Duration;

use gatehouse_api::{
    Change, ChangeState, Code, ErrorEnvelope, Event, Reply, Request, Text, say,
    socket::{Client, Events, Topic},
};

use crate::{
    output::{Page, Tone, progress::Steps, when::Clock},
    session::{Session, Verdict, unexpected},
};

/// How long after the answer the last steps may still come in.
const LAST_STEPS: Duration = Duration::from_millis(100);

/// Makes a change and shows its steps.
pub(crate) async fn make(request: Request, session: &mut Session) -> Result<Change, ErrorEnvelope> {
    match with_steps(request, session).await? {
        Reply::Change(change) => Ok(change),
        _ => Err(unexpected()),
    }
}

/// Asks for something that takes its time, and shows its steps.
pub(crate) async fn with_steps(request: Request, session: &mut Session) -> Result<Reply, ErrorEnvelope> {
    let client = session.client().await?;
    let mut events = client.events(&[Topic::Progress]).await?;
    let mut steps = Steps::in_place(&session.out);
    let limit = session.globals.timeout;
    let answer = {
        let call = client.call(request);
        tokio::pin!(call);
        let deadline = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        let mut following = true;
        let mut stopping = false;
        loop {
            tokio::select! {
                answer = &mut call => break answer,
                Ok(()) = tokio::signal::ctrl_c() => {
                    if std::mem::replace(&mut stopping, true) {
                        break Err(left());
                    }
                    steps.end(&mut session.out);
                    session.out.remark(&stop(&client).await);
                }
                () = &mut deadline => break Err(too_long(limit.unwrap_or_default())),
                event = events.next(), if following => match event {
                    Ok(Event::Progress(progress)) => steps.show(&progress, &mut session.out),
                    Ok(_) => {}
                    Err(_) => following = false,
                },
            }
        }
    };
    drain(&mut events, &mut steps, session).await;
    steps.end(&mut session.out);
    answer
}

/// Shows the steps that are on their way behind the answer.
async fn drain(events: &mut Events, steps: &mut Steps, session: &mut Session) {
    while let Ok(Ok(event)) = tokio::time::timeout(LAST_STEPS, events.next()).await {
        if let Event::Progress(progress) = event {
            steps.show(&progress, &mut session.out);
        }
    }
}

/// Asks the core to stop the change; the change itself answers when everything is put back.
async fn stop(client: &Client) -> Page {
    match client.call(Request::CancelChange).await {
        Ok(_) => Page::verdict(Tone::Warn, say!("cli.word.stopping"), say!("cli.change.stopping")),
        Err(_) => Page::verdict(Tone::Warn, say!("cli.word.not-stopped"), say!("cli.change.not-stopped")),
    }
}

fn left() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Failed, say!("cli.change.left"), say!("cli.change.left-because"))
        .fix_with(say!("cli.timeout.fix"), "gatehouse status")
}

fn too_long(limit: Duration) -> ErrorEnvelope {
    let because = say!("cli.timeout.change", seconds = limit.as_secs());
    ErrorEnvelope::new(Code::Failed, say!("cli.timeout.title"), because)
        .fix_with(say!("cli.timeout.fix"), "gatehouse status")
}

/// The result of a change for a person: `word` and its title, then what to know.
pub(crate) fn page(change: &Change, word: Text, clock: Clock) -> Page {
    let (tone, word) = match (change.state, &change.id) {
        (Some(ChangeState::AwaitingConfirmation), _) => (Tone::Warn, word),
        (Some(ChangeState::RolledBack | ChangeState::RollbackPending), _) => {
            (Tone::Bad, say!("cli.word.reverted"))
        }
        (_, None) => (Tone::Good, say!("cli.word.unchanged")),
        (_, Some(_)) => (Tone::Good, word),
    };
    let title = match &change.id {
        Some(id) => say!("cli.titled", title = change.title, id = id),
        None => change.title.clone(),
    };
    let mut page = Page::verdict(tone, word, &title);
    for warning in &change.warnings {
        page.toned(2, Tone::Warn, say!("cli.word.note"), warning);
    }
    if let Some(by) = change.confirm_by {
        let when = say!("cli.change.reverts", relative = clock.relative(by));
        page.toned(2, Tone::Warn, say!("cli.word.unconfirmed"), &when);
        page.command("gatehouse confirm");
    }
    page
}

/// The exit status that belongs to a change.
pub(crate) fn verdict(change: &Change) -> Verdict {
    match change.state {
        Some(ChangeState::RolledBack | ChangeState::RollbackPending) => Verdict::Told(Code::RolledBack),
        Some(ChangeState::AwaitingConfirmation) => Verdict::Warnings,
        Some(ChangeState::Running | ChangeState::Committed | ChangeState::Undone) | None => {
            Verdict::warned(!change.warnings.is_empty())
        }
    }
}
