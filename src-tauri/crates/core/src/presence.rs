//! Gatehouse's own job: what is there, what an installation and a removal would do, and doing it.
//!
//! Guarantees: works without a running core, because it is what starts one; what is shown before is what is done;
//! everything here may block and starts short-lived programs: call it off the async threads.

mod account;
mod state;

use std::collections::BTreeMap;
use std::path::PathBuf;

use gatehouse_api::{
    Code, ErrorEnvelope, Fix, Presence, PresenceChange, PresenceScope, PresenceState, Problem, Text, say,
};
use gatehouse_host::home::{self, Home};
use gatehouse_host::jobs::{self, ServiceManager};
use gatehouse_host::presence::{self as job, Presence as Job, VARIABLES};
use gatehouse_host::process;
use gatehouse_host::readiness::lingers;

use crate::errors::{Explain, problem};

/// Which job, and how it is to be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// For whom.
    pub scope: PresenceScope,
    /// As whom; `None` = this user, or who called `sudo`.
    pub user: Option<String>,
    /// The variables of this process.
    pub environment: BTreeMap<String, String>,
    /// This program.
    pub program: PathBuf,
}

impl Wish {
    /// The job for this user or for the machine, with this very program.
    ///
    /// # Errors
    /// [`Code::Failed`] where the system does not tell where the program is.
    pub fn of_this_program(
        scope: PresenceScope,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, ErrorEnvelope> {
        let program = std::env::current_exe().map_err(|error| {
            ErrorEnvelope::new(Code::Failed, say!("core.presence.no-program"), format!("{error}."))
        })?;
        Ok(Self { scope, user: None, environment, program: place(program) })
    }

    fn job(&self) -> Result<Job, ErrorEnvelope> {
        let account = account::of(self)?;
        let set = |name: &&str| {
            let value = self.environment.get(*name).filter(|value| !value.is_empty())?;
            Some(((*name).to_owned(), value.clone()))
        };
        let environment = VARIABLES.iter().filter_map(set).collect();
        let config_home = self.environment.get("XDG_CONFIG_HOME").map(PathBuf::from);
        Ok(Job {
            scope: scope(self.scope),
            account,
            program: self.program.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment,
            config_home: config_home.filter(|path| path.is_absolute() && self.scope == PresenceScope::User),
        })
    }
}

/// The job now.
///
/// # Errors
/// Whatever the file system says; a service manager that cannot be asked is a state, not an error.
pub fn status(wish: &Wish) -> Result<Presence, ErrorEnvelope> {
    let job = wish.job()?;
    let manager = manager(&job);
    Ok(state::read(&job, manager.as_ref(), lingers(&job.account.name)))
}

/// What [`install`] would do. `running` = the process of a core that runs outside of the job.
///
/// # Errors
/// What would keep it from being done, as far as that can be known before.
pub fn plan_install(wish: &Wish, running: Option<u32>) -> Result<PresenceChange, ErrorEnvelope> {
    let job = wish.job()?;
    let manager = manager(&job);
    planned(&job, manager.as_ref(), running)
}

fn planned(
    job: &Job,
    manager: &dyn ServiceManager,
    running: Option<u32>,
) -> Result<PresenceChange, ErrorEnvelope> {
    job.check_place().map_err(|error| error.explain())?;
    job.text().map_err(|error| error.explain())?;
    let stands = job.stands().map_err(|error| error.explain())?;
    let presence = state::read(job, manager, lingers(&job.account.name));
    if presence.state == PresenceState::Unknown {
        return Err(no_manager(job, presence.detail.unwrap_or_default()));
    }
    let file = job.file().display().to_string();
    let runs = presence.pid.is_some();
    let name = Job::name();
    let mut steps = Vec::new();
    if let Some(pid) = running.filter(|pid| presence.pid != Some(*pid)) {
        steps.push(say!("core.presence.step.stop-other", pid = pid));
    }
    match &stands {
        None => steps.push(say!("core.presence.step.write", file = file)),
        Some(stands) if !stands.same => steps.push(say!("core.presence.step.rewrite", file = file)),
        Some(_) => {}
    }
    match (stands.is_some_and(|stands| stands.same), runs) {
        (true, true) => {}
        (false, true) => steps.push(say!("core.presence.step.restart", name = name)),
        (_, false) => steps.push(match job.scope {
            job::Scope::User => say!("core.presence.step.start-login", name = name),
            job::Scope::System => {
                say!("core.presence.step.start-boot", name = name, user = job.account.name)
            }
        }),
    }
    Ok(PresenceChange { done: false, steps, keeps: Vec::new(), presence })
}

/// Installs the job and starts it; again where its program, its version or its variables are other ones.
///
/// # Errors
/// What the file system and the service manager say. What was written stays; the next installation goes on from there.
pub fn install(wish: &Wish) -> Result<Presence, ErrorEnvelope> {
    let job = wish.job()?;
    let manager = manager(&job);
    job.install(manager.as_ref(), false).map_err(|error| error.explain())?;
    Ok(state::read(&job, manager.as_ref(), lingers(&job.account.name)))
}

/// The state folder of the job.
///
/// # Errors
/// No home folder is known.
pub fn home(wish: &Wish) -> Result<Home, ErrorEnvelope> {
    let job = wish.job()?;
    let path = |name: &str| wish.environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Home::resolve(&home::Environment {
        gatehouse_home: path("GATEHOUSE_HOME"),
        home: Some(job.account.home),
        data_home: path("XDG_DATA_HOME"),
        runtime_dir: path("XDG_RUNTIME_DIR"),
        temporary: path("TMPDIR"),
    })
    .map_err(|error| error.explain())
}

/// What [`uninstall`] would do. The state folder stays unless `purge`, which its own user asks for.
///
/// # Errors
/// A file in our place that is not ours; a state folder that belongs to somebody else.
pub fn plan_uninstall(wish: &Wish, purge: bool) -> Result<PresenceChange, ErrorEnvelope> {
    let job = wish.job()?;
    let home = home(wish)?;
    if purge && job.account.uid != process::uid() {
        let because = say!("core.presence.purge-other-because", user = job.account.name);
        return Err(ErrorEnvelope::new(Code::Permission, say!("core.presence.purge-other"), because)
            .fix_with(say!("core.presence.purge-other-fix"), "gatehouse close --purge"));
    }
    let manager = manager(&job);
    job.stands().map_err(|error| error.explain())?;
    let presence = state::read(&job, manager.as_ref(), lingers(&job.account.name));
    let removes = job.removes();
    let mut steps = Vec::new();
    if purge && home.path().exists() {
        steps.push(say!("core.presence.step.take-back"));
    }
    if presence.pid.is_some() {
        steps.push(say!("core.presence.step.stop", name = Job::name()));
    }
    steps.extend(removes.iter().map(|path| say!("core.presence.step.remove", file = path.display())));
    let mut keeps = Vec::new();
    if home.path().exists() {
        let folder = home.path().display();
        if purge {
            steps.push(say!("core.presence.step.remove-home", folder = folder));
        } else {
            keeps.push(say!("core.presence.keeps-home", folder = folder));
        }
    }
    Ok(PresenceChange { done: false, steps, keeps, presence })
}

/// Stops the job and removes its file.
///
/// # Errors
/// What the file system and the service manager say.
pub fn uninstall(wish: &Wish) -> Result<Presence, ErrorEnvelope> {
    let job = wish.job()?;
    let manager = manager(&job);
    job.uninstall(manager.as_ref()).map_err(|error| error.explain())?;
    Ok(state::read(&job, manager.as_ref(), lingers(&job.account.name)))
}

/// Removes everything of ours from the state folder, and the folder where nothing else is in it. Answers what stays.
///
/// # Errors
/// [`Code::AlreadyRunning`] while a core uses it; what the file system says.
pub fn remove_home(home: &Home) -> Result<Vec<PathBuf>, ErrorEnvelope> {
    if !home.path().exists() {
        return Ok(Vec::new());
    }
    let lock = home.lock().map_err(|error| error.explain())?;
    home.remove(lock)
        .map_err(|error| crate::errors::file(say!("core.presence.doing.remove-home"), home.path(), &error))
}

fn manager(job: &Job) -> Box<dyn ServiceManager + Send> {
    jobs::manager(job.scope, job.account.uid)
}

fn scope(scope: PresenceScope) -> job::Scope {
    match scope {
        PresenceScope::User => job::Scope::User,
        PresenceScope::System => job::Scope::System,
    }
}

fn no_manager(job: &Job, said: Text) -> ErrorEnvelope {
    let error = ErrorEnvelope::new(Code::Failed, say!("core.jobs.no-manager"), said);
    match job.scope {
        job::Scope::User => error
            .fix_with(say!("core.presence.no-manager-fix"), "sudo gatehouse service install --scope system"),
        job::Scope::System => error.fix_with(say!("core.presence.foreground"), "gatehouse serve"),
    }
}

/// The path that stays: Homebrew replaces the folder of a version, and what stands in `bin` leads to the newest. Linux
/// marks a program that was replaced while it ran.
pub(crate) fn place(program: PathBuf) -> PathBuf {
    let text = program.to_string_lossy();
    if let Some(replaced) = text.strip_suffix(" (deleted)").map(PathBuf::from).filter(|path| path.exists()) {
        return replaced;
    }
    let linked = text.split_once("/Cellar/").and_then(|(prefix, rest)| {
        let name = rest.rsplit_once("/bin/")?.1;
        let link = PathBuf::from(prefix).join("bin").join(name);
        (link.canonicalize().ok()? == program.canonicalize().ok()?).then_some(link)
    });
    linked.unwrap_or(program)
}

fn attention(code: Code, title: Text, because: Text, fix: Option<Fix>) -> Problem {
    Problem { fix, ..problem(ErrorEnvelope::new(code, title, because)) }
}

#[cfg(test)]
mod tests;
