//! Where this machine keeps the certificate authorities that it trusts, and whether ours is among them.
//!
//! Guarantees: only a certificate whose SHA-256 is the one that was asked for is ever added or removed, never one that
//! merely has its name; after each change the place is read again, and what a tool says of itself counts for nothing;
//! nothing here becomes root by itself: what needs root is told as the command to run. Calls start short-lived programs
//! and, on macOS, a dialog of the system: call them off the async threads.

mod keychain;
mod nss;
mod system;

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::command::Finished;
use crate::jobs::{Here, Run};
use crate::process;

/// An authority that is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its common name.
    pub name: String,
    /// The certificate.
    pub der: Vec<u8>,
    /// The certificate as a PEM file.
    pub file: PathBuf,
}

impl Root {
    /// SHA-256 of the certificate: upper-case hex with colons.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&SHA256, &self.der, ":")
    }

    fn sha1(&self) -> String {
        hex(&SHA1_FOR_LEGACY_USE_ONLY, &self.der, "")
    }
}

/// A certificate that the authority signed, by which trust is tried where the system can do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its PEM file.
    pub file: PathBuf,
    /// One of its names.
    pub host: String,
}

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The authority that is in use; `None` = there is none.
    pub root: Option<Root>,
    /// A certificate of it.
    pub sample: Option<Sample>,
    /// How the names of authorities begin that this Gatehouse made, now or earlier.
    pub prefix: String,
}

impl Wanted {
    fn is_ours(&self, name: &str) -> bool {
        let root = self.root.as_ref().is_some_and(|root| root.name == name);
        root || (!self.prefix.is_empty() && name.starts_with(&self.prefix))
    }

    fn is_current(&self, sha256: &str) -> bool {
        self.root.as_ref().is_some_and(|root| root.sha256() == sha256)
    }
}

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The user's keychain on macOS, with the user's trust settings: Safari, Chrome, curl.
    LoginKeychain,
    /// The system's store on Linux: curl, git, Python, Node.js with `--use-system-ca`.
    SystemStore,
    /// An NSS database of Chromium and its kin.
    Chromium,
    /// The NSS database of a Firefox profile.
    Firefox,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its kind.
    pub kind: Kind,
    /// The keychain, the folder of the system's own authorities, the folder of the database. It names the place.
    pub path: PathBuf,
}

/// Whether a place trusts the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It does.
    Trusted,
    /// It does not.
    NotTrusted,
    /// It cannot be said.
    Unknown(TrustError),
}

/// Another authority of ours that a place still has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its name there.
    pub name: String,
    /// SHA-256 of the certificate: upper-case hex with colons.
    pub sha256: String,
}

/// What was found in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub place: Place,
    /// Whether it trusts the authority.
    pub state: State,
    /// Authorities of the same Gatehouse that are in use no more.
    pub stale: Vec<Stale>,
}

/// What became of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The place.
    pub place: Place,
    /// Whether something changed.
    pub result: Result<bool, TrustError>,
}

/// Why a place could not be read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// macOS asks for a yes in a dialog, and this process cannot show one: it runs outside of a graphical session.
    #[error("macOS asks for a yes in a dialog, and there is no graphical session to show it in")]
    NoSession,
    /// Root must run these commands.
    #[error("it needs root: {command}")]
    NeedsRoot {
        /// What to type.
        command: String,
    },
    /// A program is missing.
    #[error("{program} is missing; it comes with {package}")]
    NoTool {
        /// Which.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// The user did not agree.
    #[error("the dialog was cancelled: {said}")]
    Cancelled {
        /// The tool's words.
        said: String,
    },
    /// A password that we do not have protects the database.
    #[error("a password protects it: {said}")]
    Protected {
        /// The tool's words.
        said: String,
    },
    /// The tool said yes, and reading the place again says no.
    #[error("the system took it, and does not act on it")]
    NotEffective,
    /// It failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program or file.
        program: String,
        /// Its words.
        said: String,
    },
}

impl TrustError {
    fn io(program: &Path, error: &io::Error) -> Self {
        Self::Failed { program: program.display().to_string(), said: error.to_string() }
    }
}

/// The places of one user on one machine.
#[derive(Debug, Clone)]
pub struct Places {
    /// The user's home folder.
    pub home: PathBuf,
    /// `$XDG_DATA_HOME`, where it is set.
    pub data_home: Option<PathBuf>,
    /// Where the system's files are: `/`.
    pub root: PathBuf,
    /// Whether the process may change the system's files.
    pub is_root: bool,
    /// Whether these are the places of macOS.
    pub is_macos: bool,
}

impl Places {
    /// Those of this process.
    #[must_use]
    pub fn here(home: PathBuf, data_home: Option<PathBuf>) -> Self {
        let (is_root, is_macos) = (process::uid() == 0, cfg!(target_os = "macos"));
        Self { home, data_home, root: PathBuf::from("/"), is_root, is_macos }
    }

    /// Looks into every place.
    #[must_use]
    pub fn look(&self, wanted: &Wanted) -> Vec<Finding> {
        self.look_by(&Here, wanted)
    }

    /// Has the places trust the authority; all, or the one that is named.
    #[must_use]
    pub fn trust(&self, wanted: &Wanted, only: Option<&Path>) -> Vec<Outcome> {
        self.trust_by(&Here, wanted, only)
    }

    /// Takes the authority out of the places; all, or the one that is named. `stale` = the others of the same Gatehouse
    /// that [`Self::look`] finds, and not the one in use.
    #[must_use]
    pub fn untrust(&self, wanted: &Wanted, only: Option<&Path>, stale: bool) -> Vec<Outcome> {
        self.untrust_by(&Here, wanted, only, stale)
    }

    fn look_by(&self, run: &impl Run, wanted: &Wanted) -> Vec<Finding> {
        self.all().into_iter().map(|place| self.look_at(run, wanted, place)).collect()
    }

    fn trust_by(&self, run: &impl Run, wanted: &Wanted, only: Option<&Path>) -> Vec<Outcome> {
        let Some(root) = &wanted.root else { return Vec::new() };
        let add = |place: Place| {
            let result =
                match self.look_at(run, wanted, place.clone()).state {
                    State::Trusted => Ok(false),
                    State::NotTrusted | State::Unknown(_) => self.add(run, root, &place).and_then(|()| {
                        match self.look_at(run, wanted, place.clone()).state {
                            State::Trusted => Ok(true),
                            State::NotTrusted => Err(TrustError::NotEffective),
                            State::Unknown(error) => Err(error),
                        }
                    }),
                };
            Outcome { place, result }
        };
        self.chosen(only).map(add).collect()
    }

    fn untrust_by(&self, run: &impl Run, wanted: &Wanted, only: Option<&Path>, stale: bool) -> Vec<Outcome> {
        let take = |place: Place| {
            let found = self.look_at(run, wanted, place.clone());
            let targets: Vec<String> = match (stale, &wanted.root) {
                (true, _) => found.stale.into_iter().map(|stale| stale.sha256).collect(),
                (false, Some(root)) => vec![root.sha256()],
                (false, None) => Vec::new(),
            };
            let mut result = Ok(false);
            for sha256 in targets {
                match self.remove(run, wanted, &place, &sha256) {
                    Ok(changed) => result = result.map(|before| before || changed),
                    Err(error) => result = Err(error),
                }
            }
            Outcome { place, result }
        };
        self.chosen(only).map(take).collect()
    }

    fn chosen<'a>(&self, only: Option<&'a Path>) -> impl Iterator<Item = Place> + use<'a> {
        self.all().into_iter().filter(move |place| only.is_none_or(|only| place.path == only))
    }

    fn all(&self) -> Vec<Place> {
        if self.is_macos {
            return vec![keychain::place(&self.home)];
        }
        let mut places = vec![system::place(&self.root)];
        places.extend(nss::places(&self.home, self.data_home.as_deref(), &self.root));
        places
    }

    fn look_at(&self, run: &impl Run, wanted: &Wanted, place: Place) -> Finding {
        let looked = match place.kind {
            Kind::LoginKeychain => keychain::look(run, wanted, &place.path),
            Kind::SystemStore => system::look(&self.root, wanted),
            Kind::Chromium | Kind::Firefox => nss::look(run, wanted, &place.path),
        };
        let (state, stale) = match looked {
            Ok((true, stale)) => (State::Trusted, stale),
            Ok((false, stale)) => (State::NotTrusted, stale),
            Err(error) => (State::Unknown(error), Vec::new()),
        };
        Finding { place, state, stale }
    }

    fn add(&self, run: &impl Run, root: &Root, place: &Place) -> Result<(), TrustError> {
        match place.kind {
            Kind::LoginKeychain => keychain::add(run, root, &place.path),
            Kind::SystemStore => system::add(run, root, &self.root, self.is_root),
            Kind::Chromium | Kind::Firefox => nss::add(run, root, &place.path),
        }
    }

    fn remove(
        &self,
        run: &impl Run,
        wanted: &Wanted,
        place: &Place,
        sha256: &str,
    ) -> Result<bool, TrustError> {
        match place.kind {
            Kind::LoginKeychain => keychain::remove(run, wanted, &place.path, sha256),
            Kind::SystemStore => system::remove(run, &self.root, self.is_root, sha256),
            Kind::Chromium | Kind::Firefox => nss::remove(run, wanted, &place.path, sha256),
        }
    }
}

/// A digest in upper-case hex.
fn hex(algorithm: &'static Algorithm, bytes: &[u8], between: &str) -> String {
    let digits: Vec<String> =
        digest(algorithm, bytes).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    digits.join(between)
}

/// The certificates of a PEM text, with their SHA-256.
fn certificates(pem: &[u8]) -> Vec<(String, Vec<u8>)> {
    let read = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    read.map(|der| (hex(&SHA256, &der, ":"), der.to_vec())).collect()
}

/// What a program said, in one line.
fn said(finished: &Finished) -> String {
    crate::jobs::said(finished)
}

/// A path as an argument; what is no UTF-8 cannot be one of ours.
fn argument(path: &Path) -> Result<&str, TrustError> {
    path.to_str().ok_or_else(|| TrustError::Failed {
        program: path.display().to_string(),
        said: "its name is no text".to_owned(),
    })
}

#[cfg(test)]
mod tests;
