//! Jobs of the system's service manager (launchd on macOS, systemd on Linux): what it knows of one, and the verbs that
//! change it.
//!
//! Guarantees: an exit status is never taken for the truth: what became of a job is read again. Every call has a time
//! limit and starts short-lived programs: call it off the async threads. The text of `launchctl print` is no interface
//! of Apple's; its parser keeps to what macOS 12 to 26 have in common and takes what it does not know for unknown.

mod launchd;
mod systemd;
pub mod trial;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{self, Finished};

use self::launchd::Launchd;
use self::systemd::Systemd;

/// For whom a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For one user: a LaunchAgent, or a unit of the user's own systemd.
    User,
    /// For the machine, from its start: a LaunchDaemon, or a unit of the system's systemd. Changing it needs root.
    System,
}

/// What a job does right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It runs.
    Running,
    /// It is being started.
    Starting,
    /// It is being stopped.
    Stopping,
    /// It ended, and the manager will start it again.
    Waiting,
    /// It does not run.
    Stopped,
    /// It ended badly, and the manager has given up.
    Failed,
    /// A word of the manager that we do not know.
    Other(String),
}

/// How a job ended last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By a signal, in the manager's words (`Killed: 9`, `KILL`).
    Signal(String),
}

/// What the manager knows of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What it does.
    pub activity: Activity,
    /// Its process, where it runs.
    pub pid: Option<u32>,
    /// The file that describes it, where the manager tells.
    pub file: Option<PathBuf>,
    /// Whether it is started by itself with the session or the machine; `None` = the manager does not tell.
    pub starts_itself: Option<bool>,
    /// A person or a program switched it off: it cannot be started before it is switched on again.
    pub switched_off: bool,
    /// How it ended last, where it ever did.
    pub last_exit: Option<Exit>,
    /// How often the manager started it: since it was loaded (launchd), or again after it ended (systemd).
    pub starts: Option<u32>,
}

/// Why the manager did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// There is no service manager for this scope here: no systemd, no user session.
    #[error("there is no service manager for this user here: {said}")]
    NoManager {
        /// The manager's words.
        said: String,
    },
    /// It needs an administrator.
    #[error("the system asks for an administrator: {said}")]
    Permission {
        /// The manager's words.
        said: String,
    },
    /// The job is switched off (`launchctl disable`, `systemctl mask`).
    #[error("the job is switched off: {said}")]
    SwitchedOff {
        /// The manager's words.
        said: String,
    },
    /// No such job.
    #[error("there is no such job")]
    NotFound,
    /// It failed.
    #[error("{program} {verb} failed: {said}")]
    Failed {
        /// The program that was run.
        program: &'static str,
        /// What it was to do.
        verb: String,
        /// Its words.
        said: String,
    },
    /// The job did not come to rest in time.
    #[error("{job} did not {what} within {} s", after.as_secs())]
    TimedOut {
        /// The job.
        job: String,
        /// What was waited for.
        what: &'static str,
        /// The limit.
        after: Duration,
    },
    /// The manager's program could not be run.
    #[error("{program} could not be run: {source}")]
    Run {
        /// The program.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// How much of the service manager can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All of it.
    Full,
    /// Only the part without a screen: on a Mac, nobody is logged in there (SSH), and jobs of the screen session are
    /// neither loaded nor can they be.
    WithoutScreen,
}

/// The verbs that every service manager has. A job's name is a launchd label or a systemd unit.
pub trait ServiceManager {
    /// Whether it can be reached.
    ///
    /// # Errors
    /// [`JobError::NoManager`] where it cannot.
    fn reach(&self) -> Result<Reach, JobError>;

    /// What it knows of a job; `None` = no such job.
    ///
    /// # Errors
    /// [`JobError`].
    fn job(&self, name: &str) -> Result<Option<Job>, JobError>;

    /// Makes a job known from its file, switches it on, and starts it. Also for one that is known: it is then replaced.
    ///
    /// # Errors
    /// [`JobError`].
    fn load(&self, name: &str, file: &Path) -> Result<(), JobError>;

    /// Stops a job and makes it unknown; one that is not known is fine.
    ///
    /// # Errors
    /// [`JobError`].
    fn unload(&self, name: &str) -> Result<(), JobError>;

    /// Stops a job, and keeps it from being started by itself; one that is not known is fine.
    ///
    /// # Errors
    /// [`JobError`].
    fn switch_off(&self, name: &str) -> Result<(), JobError>;

    /// Starts a job that is known and does not run.
    ///
    /// # Errors
    /// [`JobError`].
    fn start(&self, name: &str) -> Result<(), JobError>;

    /// Stops a job that is known. It stays known where the manager can do that.
    ///
    /// # Errors
    /// [`JobError`].
    fn stop(&self, name: &str) -> Result<(), JobError>;

    /// Stops and starts a job that is known.
    ///
    /// # Errors
    /// [`JobError`].
    fn restart(&self, name: &str) -> Result<(), JobError>;

    /// Notices that the file of a job was removed.
    ///
    /// # Errors
    /// [`JobError`].
    fn files_removed(&self) -> Result<(), JobError>;
}

/// This system's manager. `uid` = whose jobs, for [`Scope::User`].
pub fn manager(scope: Scope, uid: u32) -> Box<dyn ServiceManager + Send> {
    if cfg!(target_os = "macos") { Box::new(Launchd::new(scope, uid)) } else { Box::new(Systemd::new(scope)) }
}

/// Runs a program; the seam at which tests put recorded output.
pub(crate) trait Run {
    /// As [`command::run`].
    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> io::Result<Finished>;
    /// Waits a little before something is asked again.
    fn pause(&self, time: Duration);
}

/// The system itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Here;

impl Run for Here {
    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> io::Result<Finished> {
        command::run(program, arguments, limit)
    }

    fn pause(&self, time: Duration) {
        // Callers are off the async threads (see above).
        std::thread::park_timeout(time);
    }
}

/// The words of a program in one line, without control characters; bounded.
pub(crate) fn said(finished: &Finished) -> String {
    let text = if finished.stderr.trim().is_empty() { &finished.stdout } else { &finished.stderr };
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(300).collect();
    if line.is_empty() {
        finished.status.map_or("a signal ended it".to_owned(), |status| format!("status {status}"))
    } else {
        line
    }
}

#[cfg(test)]
mod testkit;
