//! Secrets by name: the Keychain, the Secret Service, or private files where there is neither.
//!
//! Guarantees:
//! - "There is none" is only said when that is certain. A locked Secret Service says it too (it shows no items), so a
//!   marker in the state folder remembers, without the value, that a secret was stored and where. Marker but no value
//!   is an error, never `None`: a caller would make a new identity.
//! - A secret stays where it was stored until it is stored anew, whatever [`Kind`] a later start finds.
//! - No call blocks without a limit, also when a keychain waits for its owner.

use std::path::Path;
use std::time::Duration;

use gatehouse_files::create_private_folder;
use secrecy::{ExposeSecret, SecretString};
use tracing::{debug, warn};

mod files;
mod keychain;
mod limited;
mod marker;

use files::Files;
use keychain::Keychain;
use marker::Markers;

/// How long [`Secrets::open`] may take.
const OPENING: Duration = Duration::from_secs(3);
/// How long one call may take: a person may have to find a password.
const ANSWER: Duration = Duration::from_secs(30);

/// The item of [`try_keychain`]; those of a state folder carry its id.
const SELFTEST: &str = "selftest";

/// Where secrets are to be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preference {
    /// The system's keychain where it can be used, else files.
    #[default]
    Keychain,
    /// Private files, as the user chose.
    File,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The login keychain of macOS.
    Keychain,
    /// The Secret Service of a Linux desktop.
    SecretService,
    /// Files that only this user can read (0600). The user is to be told.
    File,
}

/// A secret as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub value: SecretString,
    /// Where it is kept.
    pub store: Kind,
    /// Whether it is another one than we stored: somebody replaced it in the store.
    pub replaced: bool,
}

/// Why a secret could not be had. "There is none" is no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The keychain is locked, or its owner did not answer in time.
    #[error("the keychain is locked: {0}")]
    Locked(String),
    /// Its owner, or the system, said no.
    #[error("access was refused: {0}")]
    Denied(String),
    /// It was stored once and is not there now: the keychain is locked, is another one, or was cleared.
    #[error("{name} was stored here before and cannot be found now; unlock the keychain, or restore it")]
    Missing {
        /// Name of the secret.
        name: String,
    },
    /// No name for a secret: letters, digits, `-`, `_` and `.`, at most 100, no `.` first.
    #[error("{0:?} is no name for a secret")]
    InvalidName(String),
    /// The store cannot be reached or answered in no known way.
    #[error("the secret store cannot be used: {0}")]
    Unavailable(String),
}

/// Stores a throw-away item in the system's keychain, reads it, replaces it, removes it and makes sure that it is gone;
/// what an interrupted trial left behind is removed first. `None` = there is no keychain here. Blocks for at most
/// `limit` for each step.
///
/// # Errors
/// Any [`SecretError`].
pub fn try_keychain(limit: Duration) -> Option<Result<Kind, SecretError>> {
    let keychain = Keychain::of_system(limit)?;
    Some(round_trip(&keychain, limit).map(|()| keychain.kind()))
}

fn round_trip(keychain: &Keychain, limit: Duration) -> Result<(), SecretError> {
    keychain.remove(SELFTEST, limit)?;
    let kept = ["one", "two"].into_iter().try_for_each(|text| {
        let value = SecretString::from(text);
        keychain.put(SELFTEST, &value, limit)?;
        match keychain.get(SELFTEST, limit)? {
            Some(read) if read.expose_secret() == text => Ok(()),
            Some(_) => Err(SecretError::Unavailable("it gave another value than was stored".to_owned())),
            None => Err(SecretError::Unavailable("it forgot what was stored".to_owned())),
        }
    });
    let removed = keychain.remove(SELFTEST, limit);
    kept.and(removed)?;
    match keychain.get(SELFTEST, limit)? {
        None => Ok(()),
        Some(_) => Err(SecretError::Unavailable("it kept what was removed".to_owned())),
    }
}

/// The secrets of one state folder.
#[derive(Debug)]
pub struct Secrets {
    kind: Kind,
    keychain: Option<Keychain>,
    files: Files,
    markers: Markers,
}

impl Secrets {
    /// Chooses the store; takes at most 3 s. `folder` holds the markers, and the files where files are used.
    ///
    /// Files are chosen at once where no keychain can be there (no session bus on Linux), and where the keychain does
    /// not keep a trial item and never kept one of ours.
    pub fn open(folder: &Path, preference: Preference) -> Self {
        Self::open_with(folder, preference, || Keychain::of_system(OPENING))
    }

    fn open_with(folder: &Path, preference: Preference, keychain: impl FnOnce() -> Option<Keychain>) -> Self {
        if let Err(error) = create_private_folder(folder) {
            warn!(folder = %folder.display(), %error, "the folder for secrets cannot be made");
        }
        let markers = Markers::new(folder);
        let keychain = keychain().map(|keychain| keychain.of_folder(&markers.folder_id()));
        let chosen = keychain.as_ref().filter(|keychain| {
            preference == Preference::Keychain && (markers.any(keychain.kind()) || keychain.works(OPENING))
        });
        let kind = chosen.map_or(Kind::File, Keychain::kind);
        debug!(?kind, "secrets");
        Self { kind, keychain, files: Files::new(folder), markers }
    }

    /// Where secrets are kept from now on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The value stored under `name`; `None` only where it is certain that none was stored. Blocks for at most 30 s.
    ///
    /// # Errors
    /// Any [`SecretError`].
    pub fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        Ok(self.find(name, ANSWER)?.map(|found| found.value))
    }

    /// [`Self::get`] with what else is known of it. Blocks for at most twice `limit`.
    ///
    /// # Errors
    /// Any [`SecretError`].
    pub fn find(&self, name: &str, limit: Duration) -> Result<Option<Found>, SecretError> {
        check(name)?;
        let marker = self.markers.get(name)?;
        let store = marker.as_ref().map_or(self.kind, |marker| marker.store);
        match (self.read(store, name, limit)?, marker) {
            (Some(value), Some(marker)) => {
                let replaced = !marker.is_of(&value);
                if replaced {
                    warn!(name, "a secret was changed by somebody else");
                }
                Ok(Some(Found { value, store, replaced }))
            }
            (Some(value), None) => {
                self.markers.put(name, store, &value)?;
                Ok(Some(Found { value, store, replaced: false }))
            }
            (None, Some(_)) => Err(self.gone(store, name, limit)),
            (None, None) => Ok(None),
        }
    }

    /// Where `name` was stored, by its marker alone: no keychain is asked.
    ///
    /// # Errors
    /// [`SecretError::InvalidName`], and what keeps the marker from being read.
    pub fn known(&self, name: &str) -> Result<Option<Kind>, SecretError> {
        check(name)?;
        Ok(self.markers.get(name)?.map(|marker| marker.store))
    }

    /// Stores `value` under `name`, replacing what was there. Blocks for at most 30 s.
    ///
    /// # Errors
    /// Any [`SecretError`]; the old value may then still be there.
    pub fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        check(name)?;
        let before = self.markers.get(name).ok().flatten();
        match self.kind {
            Kind::File => self.files.put(name, value)?,
            Kind::Keychain | Kind::SecretService => self.keychain(self.kind)?.put(name, value, ANSWER)?,
        }
        self.markers.put(name, self.kind, value)?;
        let elsewhere = before.map(|marker| marker.store).filter(|store| *store != self.kind);
        if let Some(store) = elsewhere
            && let Err(error) = self.delete(store, name)
        {
            warn!(name, ?store, %error, "an old copy of a secret could not be removed");
        }
        Ok(())
    }

    /// Forgets `name`; nothing happens where it is not stored. Blocks for at most 30 s.
    ///
    /// # Errors
    /// Any [`SecretError`]; it is then still known.
    pub fn remove(&self, name: &str) -> Result<(), SecretError> {
        check(name)?;
        let kind = self.markers.get(name)?.map_or(self.kind, |marker| marker.store);
        self.delete(kind, name)?;
        self.markers.remove(name)
    }

    fn read(&self, kind: Kind, name: &str, limit: Duration) -> Result<Option<SecretString>, SecretError> {
        match kind {
            Kind::File => self.files.get(name),
            Kind::Keychain | Kind::SecretService => self.keychain(kind)?.get(name, limit),
        }
    }

    /// A locked store shows nothing, too: it is asked whether it is locked.
    fn gone(&self, kind: Kind, name: &str, limit: Duration) -> SecretError {
        match self.keychain(kind).is_ok_and(|keychain| keychain.is_locked(limit)) {
            true => SecretError::Locked("the Secret Service shows nothing until it is unlocked".to_owned()),
            false => SecretError::Missing { name: name.to_owned() },
        }
    }

    fn delete(&self, kind: Kind, name: &str) -> Result<(), SecretError> {
        match kind {
            Kind::File => self.files.remove(name),
            Kind::Keychain | Kind::SecretService => self.keychain(kind)?.remove(name, ANSWER),
        }
    }

    fn keychain(&self, kind: Kind) -> Result<&Keychain, SecretError> {
        let found = self.keychain.as_ref().filter(|keychain| keychain.kind() == kind);
        found.ok_or_else(|| {
            let what = match kind {
                Kind::Keychain => "the login keychain",
                Kind::SecretService => "the Secret Service of the desktop session",
                Kind::File => "the folder for secrets",
            };
            SecretError::Unavailable(format!("{what}, which holds it, cannot be reached"))
        })
    }
}

/// Names become file names and keychain accounts.
fn check(name: &str) -> Result<(), SecretError> {
    let valid = !name.is_empty()
        && name.len() <= 100
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if valid { Ok(()) } else { Err(SecretError::InvalidName(name.to_owned())) }
}

#[cfg(test)]
mod tests;
