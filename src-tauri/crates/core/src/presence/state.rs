//! What is there: the file, and what the service manager says, as one word and what needs attention.

use std::path::Path;

use gatehouse_api::{Code, Fix, Presence, PresenceScope, PresenceState, Problem, Text, say};
use gatehouse_host::jobs::{Activity, Exit, Job as Known, JobError, ServiceManager};
use gatehouse_host::presence::{Presence as Job, PresenceError, Scope, Stands};

use super::attention;
use crate::errors::{Explain, problem};

/// `lingers` = whether systemd keeps the user's jobs without a login; `None` = that is no question here.
pub(super) fn read(job: &Job, manager: &dyn ServiceManager, lingers: Option<bool>) -> Presence {
    let mut problems = Vec::new();
    let stands = match job.stands() {
        Ok(stands) => stands,
        Err(error) => {
            problems.push(problem(error.explain()));
            // A name that cannot be written says nothing about what is there.
            matches!(error, PresenceError::Unwritable { .. }).then_some(Stands {
                program: None,
                version: None,
                same: false,
            })
        }
    };
    let known = manager.job(Job::name());
    let (state, detail) = word(stands.is_some(), &known);
    let pid = known.as_ref().ok().and_then(Option::as_ref).and_then(|known| known.pid);
    if let Some(stands) = &stands {
        problems.extend(of_the_file(job, stands));
        if lingers == Some(false) && job.scope == Scope::User {
            problems.push(no_lingering(job));
        }
    }
    Presence {
        scope: match job.scope {
            Scope::User => PresenceScope::User,
            Scope::System => PresenceScope::System,
        },
        user: job.account.name.clone(),
        manager: if cfg!(target_os = "macos") { "launchd" } else { "systemd" }.to_owned(),
        name: Job::name().to_owned(),
        file: job.file().display().to_string(),
        state,
        detail,
        program: stands.as_ref().and_then(|stands| Some(stands.program.as_ref()?.display().to_string())),
        version: stands.and_then(|stands| stands.version),
        pid,
        problems,
    }
}

fn word(stands: bool, known: &Result<Option<Known>, JobError>) -> (PresenceState, Option<Text>) {
    match known {
        Ok(None) if stands => (PresenceState::Stopped, Some(say!("core.presence.not-loaded"))),
        Ok(None) => (PresenceState::NotInstalled, None),
        Ok(Some(known)) if known.switched_off => {
            (PresenceState::SwitchedOff, Some(say!("core.presence.switched-off")))
        }
        Ok(Some(known)) => running(known),
        Err(error) => (PresenceState::Unknown, Some(error.explain().because)),
    }
}

fn running(known: &Known) -> (PresenceState, Option<Text>) {
    match &known.activity {
        Activity::Running => (PresenceState::Running, None),
        Activity::Starting | Activity::Waiting => (PresenceState::Restarting, ended(known)),
        Activity::Stopping | Activity::Stopped | Activity::Failed | Activity::Other(_) => {
            (PresenceState::Stopped, ended(known))
        }
    }
}

/// How it ended last.
fn ended(known: &Known) -> Option<Text> {
    match known.last_exit.as_ref()? {
        Exit::Status(status) => Some(say!("core.jobs.ended-status", status = status)),
        Exit::Signal(signal) => Some(say!("core.jobs.ended-signal", signal = signal)),
    }
}

/// The program that it starts must be there, and be this one.
fn of_the_file(job: &Job, stands: &Stands) -> Option<Problem> {
    let again = || {
        let command = match job.scope {
            Scope::User => "gatehouse service install".to_owned(),
            Scope::System => {
                format!("sudo gatehouse service install --scope system --user {}", job.account.name)
            }
        };
        Some(Fix { text: say!("core.presence.install-again"), command: Some(command) })
    };
    let missing = stands.program.as_deref().filter(|program| !Path::exists(program));
    if let Some(program) = missing {
        let because = say!("core.presence.gone-because", program = program.display());
        return Some(attention(Code::NotFound, say!("core.presence.gone"), because, again()));
    }
    if stands.same {
        return None;
    }
    let version = stands.version.as_deref().map_or_else(|| say!("core.presence.unknown-version"), Text::from);
    let because = say!("core.presence.older-because", installed = version, version = job.version);
    Some(attention(Code::Version, say!("core.presence.older"), because, again()))
}

fn no_lingering(job: &Job) -> Problem {
    let fix = Fix {
        text: say!("core.presence.linger-fix"),
        command: Some(format!("sudo loginctl enable-linger {}", job.account.name)),
    };
    let because = say!("core.presence.linger-because", user = job.account.name);
    attention(Code::Failed, say!("core.presence.linger"), because, Some(fix))
}
