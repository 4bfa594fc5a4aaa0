//! A harmless job that shows whether this system's service manager takes, runs, restarts and forgets jobs of ours.
//!
//! Guarantees: the job sleeps for a minute and ends; it has a name of its own, by which what an interrupted trial left
//! behind is found; whatever happens within [`round_trip`], the job and its file are taken away before it answers. One
//! trial at a time for a user: the caller sees to that.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gatehouse_files::{PUBLIC, write_atomic};

use super::{Job, JobError, Scope, ServiceManager, manager};

/// What the job is called.
pub const NAME: &str =
    if cfg!(target_os = "macos") { "app.gatehouse.selftest" } else { "gatehouse-selftest.service" };
/// How long a job may take to be seen running.
const RUNNING: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(100);

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The job's process at first.
    pub first: u32,
    /// Its process after the restart.
    pub second: u32,
}

/// Why the round trip failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The file that describes the job could not be written or removed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manager refused.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The manager said yes and did something else.
    #[error("the job {0}")]
    Untrue(&'static str),
}

/// Makes a job known, has it run, restarts it and has it forgotten. Blocks for some seconds.
///
/// # Errors
/// [`TrialError`]; nothing is left behind all the same, where the manager lets it be removed.
pub fn round_trip(folder: &Path, uid: u32) -> Result<Seen, TrialError> {
    round_trip_with(&*manager(Scope::User, uid), &file(folder))
}

/// Takes away what an interrupted trial left behind, and says whether there was something.
///
/// # Errors
/// [`TrialError`].
pub fn remove_leftovers(folder: &Path, uid: u32) -> Result<bool, TrialError> {
    remove(&*manager(Scope::User, uid), &file(folder))
}

/// Where the file is: launchd takes one from anywhere, and shows one in its own folder to the user as a new login item;
/// systemd looks into its own folders only.
fn file(folder: &Path) -> PathBuf {
    if cfg!(target_os = "macos") {
        return folder.join(format!("{NAME}.plist"));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME");
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    config.unwrap_or_else(|| folder.to_owned()).join("systemd/user").join(NAME)
}

fn round_trip_with(manager: &dyn ServiceManager, file: &Path) -> Result<Seen, TrialError> {
    // Asked first: where there is no manager, no file is written.
    if manager.job(NAME)?.is_some() || file.exists() {
        remove(manager, file)?;
    }
    let mut guard = Guard { manager, file, armed: true };
    let outcome = run(manager, file);
    guard.armed = false;
    let removed = remove(manager, file);
    let seen = outcome?;
    removed?;
    match manager.job(NAME)? {
        None => Ok(seen),
        Some(_) => Err(TrialError::Untrue("is still known after it was removed")),
    }
}

fn run(manager: &dyn ServiceManager, file: &Path) -> Result<Seen, TrialError> {
    let failed = |source| TrialError::Io { path: file.to_owned(), source };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    write_atomic(file, text().as_bytes(), PUBLIC).map_err(failed)?;
    manager.load(NAME, file)?;
    let first = running(manager, None)?;
    manager.restart(NAME)?;
    let second = running(manager, Some(first))?;
    Ok(Seen { first, second })
}

/// The process of the job, once it runs as another one than `before`.
fn running(manager: &dyn ServiceManager, before: Option<u32>) -> Result<u32, TrialError> {
    let begun = Instant::now();
    loop {
        match manager.job(NAME)? {
            Some(Job { pid: Some(pid), .. }) if Some(pid) != before && crate::process::is_alive(pid) => {
                return Ok(pid);
            }
            Some(_) | None if begun.elapsed() < RUNNING => std::thread::park_timeout(STEP),
            Some(_) if before.is_some() => return Err(TrialError::Untrue("was not restarted")),
            Some(_) => return Err(TrialError::Untrue("is known and does not run")),
            None => return Err(TrialError::Untrue("is not known after it was loaded")),
        }
    }
}

fn remove(manager: &dyn ServiceManager, file: &Path) -> Result<bool, TrialError> {
    let was_known = manager.job(NAME)?.is_some();
    if was_known {
        manager.unload(NAME)?;
    }
    match std::fs::remove_file(file) {
        Ok(()) => {
            manager.files_removed()?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(was_known),
        Err(source) => Err(TrialError::Io { path: file.to_owned(), source }),
    }
}

/// Removes the job also where the trial panics.
struct Guard<'a> {
    manager: &'a dyn ServiceManager,
    file: &'a Path,
    armed: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.armed {
            let _ = remove(self.manager, self.file);
        }
    }
}

fn text() -> String {
    if cfg!(target_os = "macos") { property_list() } else { unit() }
}

fn unit() -> String {
    "[Unit]\nDescription=Gatehouse selftest: sleeps for a minute\n\n\
     [Service]\nType=exec\nExecStart=/bin/sleep 60\n\n\
     [Install]\nWantedBy=default.target\n"
        .to_owned()
}

fn property_list() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         <key>Label</key><string>{NAME}</string>\n\
         <key>ProgramArguments</key><array><string>/bin/sleep</string><string>60</string></array>\n\
         <key>RunAtLoad</key><true/>\n</dict>\n</plist>\n"
    )
}

#[cfg(test)]
mod tests;
