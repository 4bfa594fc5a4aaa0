//! launchd through `launchctl`. Sources: launchctl(1), the fact sheet on macOS, and what OpenClaw's own
//! `src/daemon/launchd.ts` accepts.

mod print;

use std::path::Path;
use std::time::Duration;

use super::{Activity, Here, Job, JobError, Reach, Run, Scope, ServiceManager, said};
use crate::command::Finished;

const LAUNCHCTL: &str = "/bin/launchctl";
const LIMIT: Duration = Duration::from_secs(15);
/// A job that is told to stop may drain for its `ExitTimeOut` (30 s for ours, 20 s for OpenClaw's).
const GONE: Duration = Duration::from_secs(40);
const STEP: Duration = Duration::from_millis(200);

/// launchd, for the machine or one user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Launchd<R = Here> {
    scope: Scope,
    uid: u32,
    run: R,
}

impl Launchd {
    /// The manager of this scope. `uid` counts for [`Scope::User`].
    pub(super) fn new(scope: Scope, uid: u32) -> Self {
        Self { scope, uid, run: Here }
    }
}

impl<R: Run> ServiceManager for Launchd<R> {
    fn reach(&self) -> Result<Reach, JobError> {
        let best = self.domains().into_iter().next();
        let domain = self.domain()?;
        Ok(if best.as_ref() == Some(&domain) { Reach::Full } else { Reach::WithoutScreen })
    }

    fn job(&self, name: &str) -> Result<Option<Job>, JobError> {
        for domain in self.domains() {
            let target = format!("{domain}/{name}");
            let finished = self.call(&["print", &target])?;
            if finished.succeeded() {
                let mut job = print::job(&finished.stdout);
                job.switched_off = self.is_switched_off(&domain, name)?;
                return Ok(Some(job));
            }
            match refusal("print", &finished) {
                JobError::NotFound | JobError::NoManager { .. } => {}
                other => return Err(other),
            }
        }
        Ok(None)
    }

    fn load(&self, name: &str, file: &Path) -> Result<(), JobError> {
        let domain = self.domain()?;
        let target = format!("{domain}/{name}");
        self.unload(name)?;
        // An override of an earlier `disable` or `unload -w` outlives everything and makes `bootstrap` fail with 5.
        self.must(&["enable", &target])?;
        let file = file.to_string_lossy();
        let finished = self.call(&["bootstrap", &domain, &file])?;
        // 37 and "already" are told where another program loaded it meanwhile; the job itself says what is true.
        if !finished.succeeded() && self.job(name)?.is_none() {
            self.run.pause(STEP);
            let again = self.call(&["bootstrap", &domain, &file])?;
            if !again.succeeded() && self.job(name)?.is_none() {
                return Err(refusal("bootstrap", &again));
            }
        }
        Ok(())
    }

    fn unload(&self, name: &str) -> Result<(), JobError> {
        for domain in self.domains() {
            let target = format!("{domain}/{name}");
            if !self.call(&["print", &target])?.succeeded() {
                continue;
            }
            let finished = self.call(&["bootout", &target])?;
            if !finished.succeeded() {
                // 3 = gone already, 36 = under way: what follows finds out.
                if let JobError::Permission { said } = refusal("bootout", &finished) {
                    return Err(JobError::Permission { said });
                }
            }
            self.wait_until_gone(&target, name)?;
        }
        Ok(())
    }

    /// `bootout` alone lasts until the next login.
    fn switch_off(&self, name: &str) -> Result<(), JobError> {
        let domain = self.domain()?;
        self.must(&["disable", &format!("{domain}/{name}")])?;
        self.unload(name)
    }

    fn start(&self, name: &str) -> Result<(), JobError> {
        let target = self.target(name)?;
        self.must(&["enable", &target])?;
        self.must(&["kickstart", &target])
    }

    /// launchd restarts what it keeps alive: stopping means that the job is no longer loaded.
    fn stop(&self, name: &str) -> Result<(), JobError> {
        self.unload(name)
    }

    fn restart(&self, name: &str) -> Result<(), JobError> {
        let target = self.target(name)?;
        self.must(&["kickstart", "-k", &target])
    }

    /// launchd reads a file only when it is told to load it.
    fn files_removed(&self) -> Result<(), JobError> {
        Ok(())
    }
}

impl<R: Run> Launchd<R> {
    /// Where a job of this scope may be, best first. `gui` exists only with a login on the screen, `user` with any.
    fn domains(&self) -> Vec<String> {
        match self.scope {
            Scope::System => vec!["system".to_owned()],
            Scope::User => vec![format!("gui/{}", self.uid), format!("user/{}", self.uid)],
        }
    }

    /// The best domain that exists.
    fn domain(&self) -> Result<String, JobError> {
        let mut last = None;
        for domain in self.domains() {
            let finished = self.call(&["print", &domain])?;
            if finished.succeeded() {
                return Ok(domain);
            }
            last = Some(said(&finished));
        }
        Err(JobError::NoManager { said: last.unwrap_or_default() })
    }

    /// The domain that has the job, with its name.
    fn target(&self, name: &str) -> Result<String, JobError> {
        for domain in self.domains() {
            let target = format!("{domain}/{name}");
            if self.call(&["print", &target])?.succeeded() {
                return Ok(target);
            }
        }
        Err(JobError::NotFound)
    }

    fn is_switched_off(&self, domain: &str, name: &str) -> Result<bool, JobError> {
        let finished = self.call(&["print-disabled", domain])?;
        Ok(finished.succeeded() && print::is_disabled(&finished.stdout, name))
    }

    /// `bootout` only begins; a `bootstrap` before its end fails with 5.
    fn wait_until_gone(&self, target: &str, name: &str) -> Result<(), JobError> {
        let mut waited = Duration::ZERO;
        while waited < GONE {
            if !self.call(&["print", target])?.succeeded() {
                return Ok(());
            }
            self.run.pause(STEP);
            waited += STEP;
        }
        Err(JobError::TimedOut { job: name.to_owned(), what: "stop", after: GONE })
    }

    fn must(&self, arguments: &[&str]) -> Result<(), JobError> {
        let finished = self.call(arguments)?;
        if finished.succeeded() {
            return Ok(());
        }
        Err(refusal(arguments.first().copied().unwrap_or_default(), &finished))
    }

    fn call(&self, arguments: &[&str]) -> Result<Finished, JobError> {
        self.run
            .run(LAUNCHCTL, arguments, LIMIT)
            .map_err(|source| JobError::Run { program: "launchctl", source })
    }
}

/// What a failure means, by launchctl's words and numbers (fact sheet 4.4).
fn refusal(verb: &str, finished: &Finished) -> JobError {
    let said = said(finished);
    let lower = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["no such process", "could not find service"])
        || (finished.status == Some(113) && !lower.contains("domain"))
    {
        JobError::NotFound
    } else if has(&["could not find domain", "could not find specified domain", "domain does not support"])
        || matches!(finished.status, Some(112 | 125))
    {
        JobError::NoManager { said }
    } else if has(&["operation not permitted", "not privileged", "permission denied"]) {
        JobError::Permission { said }
    } else if has(&["service is disabled"]) || finished.status == Some(119) {
        JobError::SwitchedOff { said }
    } else {
        JobError::Failed { program: "launchctl", verb: verb.to_owned(), said }
    }
}

/// The word of launchd for what a job does.
fn activity(state: &str, has_run: bool) -> Activity {
    match state {
        "running" => Activity::Running,
        "xpcproxy" | "spawning" => Activity::Starting,
        "spawn scheduled" | "waiting" if has_run => Activity::Waiting,
        "not running" | "waiting" | "exited" => Activity::Stopped,
        "spawn scheduled" => Activity::Starting,
        "SIGTERMed" | "SIGKILLed" => Activity::Stopping,
        "spawn failed" => Activity::Failed,
        other => Activity::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests;
