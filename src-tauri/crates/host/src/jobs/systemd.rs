//! systemd through `systemctl`: `show` is its stable interface, name=value lines (systemctl(1)).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Activity, Exit, Here, Job, JobError, Reach, Run, Scope, ServiceManager, said};
use crate::command::Finished;

const SYSTEMCTL: &str = "/usr/bin/systemctl";
/// A question.
const ASK: Duration = Duration::from_secs(10);
/// A change: systemd waits for a unit's own stop limit, which we set to 30 s for ours.
const CHANGE: Duration = Duration::from_secs(60);
const PROPERTIES: &str = "LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,Result,ExecMainCode,ExecMainStatus,FragmentPath";

/// systemd of the machine or of the user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Systemd<R = Here> {
    scope: Scope,
    run: R,
}

impl Systemd {
    /// The manager of this scope.
    pub(super) fn new(scope: Scope) -> Self {
        Self { scope, run: Here }
    }
}

impl<R: Run> ServiceManager for Systemd<R> {
    fn reach(&self) -> Result<Reach, JobError> {
        self.ask(&["show", "--property", "Version"]).map(|_| Reach::Full)
    }

    fn job(&self, name: &str) -> Result<Option<Job>, JobError> {
        let shown = self.ask(&["show", "--property", PROPERTIES, "--", name])?;
        Ok(parse(&shown.stdout))
    }

    fn load(&self, name: &str, _: &Path) -> Result<(), JobError> {
        self.change(&["daemon-reload"])?;
        // A mask outlives everything and makes `enable` fail.
        if self.job(name)?.is_some_and(|job| job.switched_off) {
            self.change(&["unmask", "--quiet", "--", name])?;
        }
        self.change(&["enable", "--quiet", "--", name])?;
        self.restart(name)
    }

    fn unload(&self, name: &str) -> Result<(), JobError> {
        if self.job(name)?.is_none() {
            return Ok(());
        }
        self.change(&["disable", "--quiet", "--now", "--", name])
    }

    /// Disabled is enough: nothing but a person starts such a unit.
    fn switch_off(&self, name: &str) -> Result<(), JobError> {
        self.unload(name)
    }

    fn start(&self, name: &str) -> Result<(), JobError> {
        // A unit that failed too often is not started again before that is forgotten.
        let _ = self.change(&["reset-failed", "--", name]);
        self.change(&["start", "--", name])
    }

    fn stop(&self, name: &str) -> Result<(), JobError> {
        self.change(&["stop", "--", name])
    }

    fn restart(&self, name: &str) -> Result<(), JobError> {
        let _ = self.change(&["reset-failed", "--", name]);
        self.change(&["restart", "--", name])
    }

    fn files_removed(&self) -> Result<(), JobError> {
        self.change(&["daemon-reload"])
    }
}

impl<R: Run> Systemd<R> {
    fn ask(&self, arguments: &[&str]) -> Result<Finished, JobError> {
        self.call(arguments, ASK)
    }

    fn change(&self, arguments: &[&str]) -> Result<(), JobError> {
        self.call(arguments, CHANGE).map(drop)
    }

    fn call(&self, arguments: &[&str], limit: Duration) -> Result<Finished, JobError> {
        let scope: &[&str] = match self.scope {
            Scope::User => &["--user"],
            Scope::System => &["--system"],
        };
        let all = [scope, &["--no-pager", "--no-ask-password"], arguments].concat();
        let finished = self
            .run
            .run(SYSTEMCTL, &all, limit)
            .map_err(|source| JobError::Run { program: "systemctl", source })?;
        if finished.succeeded() { Ok(finished) } else { Err(refusal(arguments, &finished)) }
    }
}

/// What a failure means, by the words of systemd 247 to 257.
fn refusal(arguments: &[&str], finished: &Finished) -> JobError {
    let said = said(finished);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // A session bus without a user manager tries to start one, and fails.
    let no_manager = ["Process org.freedesktop.systemd1", "The name org.freedesktop.systemd1"];
    if has(&["Failed to connect to bus", "has not been booted with systemd", "Host is down"])
        || has(&no_manager)
    {
        JobError::NoManager { said }
    } else if has(&["Access denied", "authentication required", "Permission denied"]) {
        JobError::Permission { said }
    } else if has(&["is masked"]) {
        JobError::SwitchedOff { said }
    } else if has(&["not found", "not loaded", "does not exist"]) {
        JobError::NotFound
    } else {
        let verb = arguments.first().copied().unwrap_or_default().to_owned();
        JobError::Failed { program: "systemctl", verb, said }
    }
}

/// Reads `systemctl show`; `None` = no such unit.
fn parse(shown: &str) -> Option<Job> {
    let value = |key: &str| {
        let mut values = shown.lines().filter_map(|line| line.split_once('='));
        values.find(|(name, _)| *name == key).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    let load = value("LoadState")?;
    if load == "not-found" {
        return None;
    }
    let number = |key: &str| value(key).and_then(|text| text.parse::<u32>().ok());
    let state = value("ActiveState").unwrap_or_default();
    let sub = value("SubState").unwrap_or_default();
    Some(Job {
        activity: match (state, sub) {
            ("activating", "auto-restart" | "auto-restart-queued") => Activity::Waiting,
            ("active" | "reloading" | "refreshing", _) => Activity::Running,
            ("activating", _) => Activity::Starting,
            ("deactivating", _) => Activity::Stopping,
            ("inactive", _) => Activity::Stopped,
            ("failed", _) => Activity::Failed,
            (other, _) => Activity::Other(other.to_owned()),
        },
        pid: number("MainPID").filter(|pid| *pid != 0),
        file: value("FragmentPath").map(PathBuf::from),
        starts_itself: value("UnitFileState")
            .map(|state| matches!(state, "enabled" | "enabled-runtime" | "linked")),
        switched_off: load == "masked",
        last_exit: last_exit(value("ExecMainCode"), value("ExecMainStatus")),
        starts: number("NRestarts"),
    })
}

/// `ExecMainCode` is a `CLD_…` number of `waitid(2)`: 0 = never ended, 1 = exited, 2 and 3 = ended by a signal.
fn last_exit(code: Option<&str>, status: Option<&str>) -> Option<Exit> {
    let status = status?;
    match code? {
        "1" | "exited" => status.parse().ok().map(Exit::Status),
        "2" | "3" | "killed" | "dumped" => Some(Exit::Signal(status.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
