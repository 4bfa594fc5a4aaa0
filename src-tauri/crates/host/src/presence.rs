//! Gatehouse's own place among the system's jobs: started at boot or login, kept alive, and taken away again.
//!
//! Guarantees: a file is written whole or not at all, and only under our own name; nothing is written where the same
//! file stands already; no secret is in it. The job runs `gatehouse serve` in the foreground of the service manager,
//! as the user whose gateway it serves, never as root.

mod files;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use gatehouse_files::{PUBLIC, read_bounded, write_atomic};

pub use crate::account::Account;
pub use crate::jobs::Scope;
use crate::jobs::{Job, JobError, ServiceManager};

/// What the job is called on macOS. Not `ai.openclaw.*`: OpenClaw takes such labels for its own.
pub const LABEL: &str = "app.gatehouse.serve";
/// What the job is called on Linux.
pub const UNIT: &str = "gatehouse.service";
/// A description of a job is far smaller.
const FILE_LIMIT: u64 = 256 * 1024;

/// The variables that say where the gateway and our state are; the job gets those that are set at installation, and
/// `PATH`, by which OpenClaw and its Node are found.
pub const VARIABLES: [&str; 10] = [
    "GATEHOUSE_HOME",
    "XDG_DATA_HOME",
    "OPENCLAW_HOME",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_PROFILE",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_LAUNCHD_LABEL",
    "OPENCLAW_SYSTEMD_UNIT",
    "PATH",
];

/// The job as it is to be.
#[derive(Debug, Clone)]
pub struct Presence {
    /// For whom.
    pub scope: Scope,
    /// As whom.
    pub account: Account,
    /// The program: an absolute path that stays.
    pub program: PathBuf,
    /// Its version. It stands in the file, so that another version replaces the job.
    pub version: String,
    /// Variables of [`VARIABLES`].
    pub environment: BTreeMap<String, String>,
    /// `$XDG_CONFIG_HOME`, where it is set: where the user's own systemd looks.
    pub config_home: Option<PathBuf>,
}

/// A file of ours, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The program that it starts; `None` = it cannot be read from the file.
    pub program: Option<PathBuf>,
    /// The version that wrote it, where it says so.
    pub version: Option<String>,
    /// Whether an installation would write the same.
    pub same: bool,
}

/// What an installation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The file that describes the job.
    pub file: PathBuf,
    /// Whether the file is new or differs from the one that stood there.
    pub changed: bool,
    /// The job now.
    pub job: Option<Job>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// The program is where it will not stay.
    #[error("{} is a place that does not last", .0.display())]
    Fleeting(PathBuf),
    /// A path or a name cannot be written into the file.
    #[error("{what} has a character that {manager} cannot take")]
    Unwritable {
        /// Which.
        what: &'static str,
        /// The service manager.
        manager: &'static str,
    },
    /// A file of this name exists that we did not write.
    #[error("{} was not written by Gatehouse", .0.display())]
    Foreign(PathBuf),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The service manager did not do it.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl Presence {
    /// The name of the job.
    #[must_use]
    pub fn name() -> &'static str {
        if cfg!(target_os = "macos") { LABEL } else { UNIT }
    }

    /// Where the file that describes the job is.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        match (cfg!(target_os = "macos"), self.scope) {
            (true, Scope::User) => {
                self.account.home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
            }
            (true, Scope::System) => Path::new("/Library/LaunchDaemons").join(format!("{LABEL}.plist")),
            (false, Scope::User) => {
                let config = self.config_home.clone().unwrap_or_else(|| self.account.home.join(".config"));
                config.join("systemd/user").join(UNIT)
            }
            (false, Scope::System) => Path::new("/etc/systemd/system").join(UNIT),
        }
    }

    /// The text of that file.
    ///
    /// # Errors
    /// [`PresenceError::Unwritable`].
    pub fn text(&self) -> Result<Vec<u8>, PresenceError> {
        if cfg!(target_os = "macos") {
            files::property_list(self)
        } else {
            files::unit(self).map(String::into_bytes)
        }
    }

    /// Writes the file and has the manager run the job. Where the file and a job that runs are there already, nothing
    /// happens, unless `restart`: that is how a new version of the program in the same place comes to life.
    ///
    /// # Errors
    /// [`PresenceError`]; a file that was written stays, and the next installation goes on from there.
    pub fn install(&self, manager: &dyn ServiceManager, restart: bool) -> Result<Installed, PresenceError> {
        self.check_place()?;
        let file = self.file();
        let text = self.text()?;
        let stands = read(&file)?;
        if stands.as_deref().is_some_and(|stands| !files::is_ours(stands)) {
            return Err(PresenceError::Foreign(file));
        }
        let changed = stands.as_deref() != Some(&text[..]);
        if changed {
            let failed = |source| PresenceError::Io { path: file.clone(), source };
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            if cfg!(target_os = "macos") {
                // launchd starts nothing whose log folder is missing.
                let logs = files::logs(self);
                self.make_logs(&logs).map_err(|source| PresenceError::Io { path: logs, source })?;
            }
            write_atomic(&file, &text, PUBLIC).map_err(failed)?;
        }
        let runs = manager.job(Self::name())?.is_some_and(|job| job.pid.is_some());
        if changed || !runs {
            manager.load(Self::name(), &file)?;
        } else if restart {
            manager.restart(Self::name())?;
        }
        let job = manager.job(Self::name())?;
        Ok(Installed { file, changed, job })
    }

    /// The folder of a job that runs as another user is that user's. A link that the user puts in its place meanwhile is
    /// not followed: what it points at stays whose it is.
    fn make_logs(&self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        if self.scope == Scope::System {
            std::os::unix::fs::lchown(folder, Some(self.account.uid), None)?;
        }
        Ok(())
    }

    /// Stops the job and removes its file. Answers the file, where there was one.
    ///
    /// # Errors
    /// [`PresenceError`]; a file that is not ours stays.
    pub fn uninstall(&self, manager: &dyn ServiceManager) -> Result<Option<PathBuf>, PresenceError> {
        let file = self.file();
        let stands = read(&file)?;
        if stands.as_deref().is_some_and(|stands| !files::is_ours(stands)) {
            return Err(PresenceError::Foreign(file));
        }
        match manager.unload(Self::name()) {
            // Nothing was installed, and nobody is there who could have it all the same.
            Err(JobError::NoManager { .. }) if stands.is_none() => return Ok(None),
            unloaded => unloaded?,
        }
        if stands.is_none() {
            return Ok(None);
        }
        std::fs::remove_file(&file).map_err(|source| PresenceError::Io { path: file.clone(), source })?;
        manager.files_removed()?;
        Ok(Some(file))
    }

    /// The file that describes the job, where there is one.
    ///
    /// # Errors
    /// [`PresenceError::Foreign`] where it is not ours, and what [`Self::text`] and the file system say.
    pub fn stands(&self) -> Result<Option<Stands>, PresenceError> {
        let file = self.file();
        let Some(text) = read(&file)? else { return Ok(None) };
        if !files::is_ours(&text) {
            return Err(PresenceError::Foreign(file));
        }
        let same = self.text()? == text;
        Ok(Some(Stands { program: files::program(&text), version: files::version(&text), same }))
    }

    /// Everything that [`Self::uninstall`] removes and that is there now.
    #[must_use]
    pub fn removes(&self) -> Vec<PathBuf> {
        let file = self.file();
        let link = file.parent().filter(|_| !cfg!(target_os = "macos")).map(|folder| {
            let target = match self.scope {
                Scope::User => "default.target.wants",
                Scope::System => "multi-user.target.wants",
            };
            folder.join(target).join(UNIT)
        });
        [Some(file), link].into_iter().flatten().filter(|path| path.symlink_metadata().is_ok()).collect()
    }

    /// Refuses a program that will not stay where it is.
    ///
    /// # Errors
    /// [`PresenceError::Fleeting`].
    pub fn check_place(&self) -> Result<(), PresenceError> {
        if is_fleeting(&self.program) {
            return Err(PresenceError::Fleeting(self.program.clone()));
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, PresenceError> {
    read_bounded(file, FILE_LIMIT).map_err(|source| PresenceError::Io { path: file.to_owned(), source })
}

/// Whether a program is where it will not stay: on an image, in a temporary folder, where macOS moved it for this run.
#[must_use]
pub fn is_fleeting(program: &Path) -> bool {
    let text = program.to_string_lossy();
    !program.is_absolute()
        || ["/Volumes/", "/tmp/", "/private/tmp/", "/var/tmp/", "/run/", "/dev/", "/proc/"]
            .iter()
            .any(|place| text.starts_with(place))
        || text.contains("/AppTranslocation/")
}

#[cfg(test)]
mod tests;
