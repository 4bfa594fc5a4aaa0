//! `gatehouse service`: Gatehouse's own place among the system's jobs. It works where no core runs, because it is what
//! starts one.

mod ready;
mod remove;

use std::time::Duration;

use gatehouse_api::{
    Code, ErrorEnvelope, Presence, PresenceChange, PresenceScope, PresenceState, Request, Text, say,
};
use gatehouse_core::presence::{self, Wish};
use serde_json::json;

use crate::{
    args::{Service, ServiceInstall, ServiceStatus},
    output::{Form, Page, Tone, words},
    session::{Outcome, Session, Verdict, environment},
};

/// How long a job may take until it answers: it opens keychain and gateway first.
const UP: Duration = Duration::from_secs(30);
/// How long a job that cannot be asked must run before it is believed.
const STEADY: Duration = Duration::from_secs(3);
/// How long a core may take to end: what is under way is rolled back.
const GONE: Duration = Duration::from_secs(45);
const STEP: Duration = Duration::from_millis(250);

/// Runs one of them.
pub(crate) async fn run(command: &Service, session: &mut Session) -> Outcome {
    match command {
        Service::Install(args) => install(args, session).await,
        Service::Uninstall(args) => remove::run(args, session).await,
        Service::Status(args) => status(args, session).await,
        Service::Readiness => ready::run(session).await,
    }
}

fn wish(scope: PresenceScope, user: Option<&String>) -> Result<Wish, ErrorEnvelope> {
    Ok(Wish { user: user.cloned(), ..Wish::of_this_program(scope, environment())? })
}

/// Runs what blocks where it may.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorEnvelope> + Send + 'static,
) -> Result<T, ErrorEnvelope> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(ErrorEnvelope::new(Code::Failed, say!("core.request.not-finished"), error.to_string()))
    })
}

async fn install(args: &ServiceInstall, session: &mut Session) -> Outcome {
    let wish = wish(args.scope.into(), args.user.as_ref())?;
    let running = running(session).await;
    let planned = wish.clone();
    let plan = apart(move || presence::plan_install(&planned, running)).await?;
    if args.dry_run {
        return Ok(show(&plan, say!("cli.service.would"), session));
    }
    if plan.steps.is_empty() {
        return Ok(show(&plan, say!("cli.word.unchanged"), session));
    }
    let other = running.filter(|pid| plan.presence.pid != Some(*pid));
    if let Some(pid) = other {
        session.out.remark(&steps(&plan));
        session.consent(say!("cli.service.ask-stop", pid = pid)).await?;
        stop_core(session).await?;
    }
    let wanted = wish.clone();
    let mut presence = apart(move || presence::install(&wanted)).await?;
    presence = settled(&wish, presence, session).await?;
    let done = PresenceChange { done: true, presence, ..plan };
    let word = if done.presence.state == PresenceState::Running {
        say!("cli.word.installed")
    } else {
        say!("cli.service.not-up")
    };
    Ok(show(&done, word, session))
}

/// The process of a core that answers.
async fn running(session: &mut Session) -> Option<u32> {
    session.client().await.ok().map(|client| client.core().pid)
}

/// Asks the core that runs to end, and waits until it has.
async fn stop_core(session: &mut Session) -> Result<(), ErrorEnvelope> {
    session.ask(Request::Shutdown).await?;
    session.forget_client();
    let gone = async {
        while session.client().await.is_ok() {
            session.forget_client();
            tokio::time::sleep(STEP).await;
        }
    };
    tokio::time::timeout(GONE, gone).await.map_err(|_| {
        ErrorEnvelope::new(Code::Busy, say!("cli.service.not-gone"), say!("cli.service.not-gone-because"))
            .fix_with(say!("cli.timeout.fix"), "gatehouse status")
    })
}

/// Waits until the job answers as a core. Another user's cannot be asked: it must stay for a while.
async fn settled(
    wish: &Wish,
    mut presence: Presence,
    session: &mut Session,
) -> Result<Presence, ErrorEnvelope> {
    let begun = tokio::time::Instant::now();
    let mut since = begun;
    let mine = wish.scope == PresenceScope::User;
    while begun.elapsed() < UP {
        let answers = mine && running(session).await.is_some_and(|pid| presence.pid == Some(pid));
        if answers || (!mine && presence.pid.is_some() && since.elapsed() >= STEADY) {
            return Ok(presence);
        }
        session.forget_client();
        tokio::time::sleep(STEP).await;
        let before = presence.pid;
        let asked = wish.clone();
        presence = apart(move || presence::status(&asked)).await?;
        if presence.pid != before {
            since = tokio::time::Instant::now();
        }
    }
    // It runs and does not answer: that is not what was asked for.
    if presence.state == PresenceState::Running && mine {
        presence.state = PresenceState::Restarting;
    }
    Ok(presence)
}

async fn status(args: &ServiceStatus, session: &mut Session) -> Outcome {
    let scopes = match args.scope {
        Some(scope) => vec![scope.into()],
        None => vec![PresenceScope::User, PresenceScope::System],
    };
    let mut found = Vec::new();
    for scope in scopes {
        let asked = Wish::of_this_program(scope, environment())?;
        match apart(move || presence::status(&asked)).await {
            Ok(presence) => found.push(presence),
            // Root without sudo has no job of its own for the machine to look at.
            Err(error) if args.scope.is_none() && error.code == Code::Usage => {}
            Err(error) => return Err(error),
        }
    }
    if args.scope.is_none() && found.len() > 1 {
        let there = |presence: &Presence| {
            !matches!(presence.state, PresenceState::NotInstalled | PresenceState::Unknown)
                || !presence.problems.is_empty()
        };
        let any = found.iter().any(there);
        let mut first = true;
        found.retain(|presence| there(presence) || (!any && std::mem::take(&mut first)));
    }
    let verdict = found.iter().map(verdict).fold(Verdict::Done, worse);
    match session.out.form() {
        Form::Human => {
            let mut page = Page::new();
            for presence in &found {
                page.append(self::page(presence));
            }
            session.out.page(&page);
        }
        Form::Json | Form::Lines => session.out.object(&json!({"services": found})),
    }
    Ok(verdict)
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    if one.exit_status() == 0 { other } else { one }
}

/// The exit status that belongs to a job.
fn verdict(presence: &Presence) -> Verdict {
    match presence.state {
        PresenceState::Running => Verdict::warned(!presence.problems.is_empty()),
        PresenceState::Restarting => Verdict::Warnings,
        PresenceState::NotInstalled => Verdict::Told(Code::NotFound),
        PresenceState::Stopped | PresenceState::SwitchedOff => Verdict::Told(Code::NotRunning),
        PresenceState::Unknown => Verdict::Told(Code::Failed),
    }
}

/// Prints what was or would be done.
fn show(change: &PresenceChange, word: Text, session: &mut Session) -> Verdict {
    let tone = match change.presence.state {
        PresenceState::Running | PresenceState::NotInstalled => Tone::Good,
        PresenceState::Restarting
        | PresenceState::Stopped
        | PresenceState::SwitchedOff
        | PresenceState::Unknown => Tone::Warn,
    };
    let tone = if change.done { tone } else { Tone::Plain };
    let about = say!("cli.service.about", name = change.presence.name, user = change.presence.user);
    let mut page = Page::verdict(tone, word, about);
    page.append(steps(change));
    if change.done {
        facts(&mut page, &change.presence);
        problems(&mut page, &change.presence);
    }
    session.out.result(&page, change);
    if change.done { verdict_of_change(change) } else { Verdict::Done }
}

/// A job that is gone is what a removal wants.
fn verdict_of_change(change: &PresenceChange) -> Verdict {
    match change.presence.state {
        PresenceState::NotInstalled => Verdict::Done,
        _ => verdict(&change.presence),
    }
}

fn steps(change: &PresenceChange) -> Page {
    let mut page = Page::new();
    for step in &change.steps {
        page.toned(2, Tone::Plain, "-", step);
    }
    for kept in &change.keeps {
        page.toned(2, Tone::Faint, say!("cli.word.kept"), kept);
    }
    page
}

fn page(presence: &Presence) -> Page {
    let (tone, word) = match presence.state {
        PresenceState::NotInstalled => (Tone::Plain, say!("cli.service.none")),
        PresenceState::Running => (Tone::Good, say!("cli.service.runs")),
        PresenceState::Restarting => (Tone::Warn, say!("cli.service.restarting")),
        PresenceState::Stopped => (Tone::Bad, say!("cli.word.stopped")),
        PresenceState::SwitchedOff => (Tone::Bad, say!("cli.service.off")),
        PresenceState::Unknown => (Tone::Warn, say!("cli.service.unknown")),
    };
    let about = match presence.state {
        PresenceState::NotInstalled => say!("cli.service.none-about"),
        _ => say!("cli.service.about", name = presence.name, user = presence.user),
    };
    let mut page = Page::verdict(tone, word, about);
    facts(&mut page, presence);
    problems(&mut page, presence);
    if presence.state == PresenceState::NotInstalled {
        page.toned(2, Tone::Strong, say!("cli.word.next"), say!("cli.service.install-it"));
        page.command("gatehouse service install");
    }
    page
}

fn facts(page: &mut Page, presence: &Presence) {
    if let Some(detail) = &presence.detail {
        page.item(detail);
    }
    if presence.state == PresenceState::NotInstalled {
        return;
    }
    if let Some(pid) = presence.pid {
        page.field(say!("cli.field.process"), pid.to_string());
    }
    if let Some(program) = &presence.program {
        page.field(say!("cli.field.program"), program);
    }
    if let Some(version) = &presence.version {
        page.field(say!("cli.field.version"), version);
    }
    page.field(say!("cli.field.file"), &presence.file);
}

fn problems(page: &mut Page, presence: &Presence) {
    for problem in &presence.problems {
        page.toned(2, Tone::Warn, say!("cli.word.note"), &problem.title);
        page.item(&problem.because);
        words::fix(page, problem.fix.as_ref());
    }
}
