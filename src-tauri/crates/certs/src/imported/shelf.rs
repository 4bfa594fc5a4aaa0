//! The imported certificates in force: loaded, watched, served.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use gatehouse_files::{PRIVATE, PUBLIC, create_private_folder, read_bounded, sync_folder, write_atomic};
use rustls_pki_types::PrivateKeyDer;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tracing::{info, warn};

use super::stamp::Stamp;
use super::{ImportError, Material, Pair, Verdict, verdict};
use crate::facts::{pem_of, pem_text};
use crate::{LeafFacts, Names, Resolver, Served};

/// Larger files hold no certificate.
const LARGEST_FILE: u64 = 1024 * 1024;
/// A certificate of which less than this part of its life is left should have been renewed.
const WARNED_AT: i32 = 5;

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum ImportSource {
    /// A copy in our own folder.
    Copied {
        /// Which.
        id: String,
    },
    /// Files of the user, read again when they change.
    Watched {
        /// The certificate with its chain; also the key, where `key` is `None`; or a PKCS#12 file.
        certificate: PathBuf,
        /// The key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<PathBuf>,
        /// A file with the password of the PKCS#12 file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password_file: Option<PathBuf>,
    },
}

/// How much of its life a certificate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Enough.
    Fine,
    /// Less than a fifth: whoever renews it should have done so.
    Soon,
    /// None.
    Over,
}

/// How much of its life a certificate has at `now`.
pub fn expiry(not_before: OffsetDateTime, not_after: OffsetDateTime, now: OffsetDateTime) -> Expiry {
    if now > not_after {
        return Expiry::Over;
    }
    let life = not_after - not_before;
    if (not_after - now) * WARNED_AT < life { Expiry::Soon } else { Expiry::Fine }
}

/// One imported certificate as it stands.
#[derive(Debug, Clone)]
pub struct ImportStatus {
    /// What it is called.
    pub slot: String,
    /// Where it comes from.
    pub source: ImportSource,
    /// What is served; `None` = it never could be loaded.
    pub facts: Option<Arc<LeafFacts>>,
    /// `ECDSA`, `Ed25519` or `RSA`.
    pub algorithm: Option<&'static str>,
    /// Whether every device trusts it, once that is known.
    pub trusted: Option<bool>,
    /// Why what lies there now is not served.
    pub problem: Option<Arc<ImportError>>,
}

/// Loads, keeps and serves imported certificates. What was good stays until something better is there.
pub struct Imports {
    folder: PathBuf,
    resolver: Arc<Resolver>,
    entries: Mutex<BTreeMap<String, Entry>>,
    status: ArcSwap<Vec<ImportStatus>>,
}

struct Entry {
    source: ImportSource,
    pair: Option<Arc<Pair>>,
    trusted: Option<bool>,
    problem: Option<Arc<ImportError>>,
    stamp: Option<Stamp>,
}

impl Imports {
    /// Nothing is loaded yet; copies are kept under `folder`.
    pub fn new(folder: &Path, resolver: Arc<Resolver>) -> Self {
        Self { folder: folder.to_path_buf(), resolver, entries: Mutex::default(), status: ArcSwap::default() }
    }

    /// Makes exactly these be served. Those that stay are not touched; a new one that cannot be loaded is listed with its
    /// problem. Blocks for the disk.
    pub fn set(&self, wanted: &BTreeMap<String, ImportSource>, now: OffsetDateTime) {
        let mut entries = self.entries();
        entries.retain(|slot, entry| wanted.get(slot) == Some(&entry.source));
        for (slot, source) in wanted {
            if !entries.contains_key(slot) {
                let mut entry = Entry::new(source.clone());
                entry.load(&self.folder, now);
                entries.insert(slot.clone(), entry);
            }
        }
        self.publish(&entries);
    }

    /// Looks at watched files, loads what changed, and asks the system about chains that nobody asked about yet. Says
    /// whether anything is different now. Blocks for the disk, and on macOS perhaps for the network.
    pub fn refresh(&self, now: OffsetDateTime) -> bool {
        let mut entries = self.entries();
        let mut changed = false;
        for (slot, entry) in entries.iter_mut() {
            if entry.stale() {
                changed = true;
                entry.load(&self.folder, now);
                match &entry.problem {
                    None => info!(certificate = %slot, "an imported certificate was loaded anew"),
                    Some(error) => {
                        warn!(certificate = %slot, %error, "an imported certificate was not loaded")
                    }
                }
            }
            if entry.trusted.is_none()
                && let Some(pair) = &entry.pair
            {
                entry.trusted = Some(verdict(pair) == Verdict::Trusted);
                changed = true;
            }
        }
        if changed {
            self.publish(&entries);
        }
        changed
    }

    /// All of them, by name.
    pub fn status(&self) -> Arc<Vec<ImportStatus>> {
        self.status.load_full()
    }

    /// What those that can be served are for.
    pub fn names(&self) -> Names {
        let mut names = Names::default();
        for facts in self.status.load().iter().filter_map(|one| one.facts.as_ref()) {
            names.dns.extend(facts.names.dns.iter().cloned());
            names.ips.extend(facts.names.ips.iter().copied());
        }
        names
    }

    /// Keeps a copy, with its key for nobody but this user, and says what it is called.
    ///
    /// # Errors
    /// [`ImportError::Store`]; nothing is left behind then.
    pub fn copy(&self, pair: &Pair, now: OffsetDateTime) -> Result<String, ImportError> {
        let hash: String = pair.facts.sha256.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        let id = format!("{:012}-{}", now.unix_timestamp().max(0), hash.to_ascii_lowercase());
        let folder = self.folder.join(&id);
        let written = self.write(&folder, pair);
        if written.is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        written.map(|()| id)
    }

    /// Removes every copy but these, and their keys.
    ///
    /// # Errors
    /// [`ImportError::Store`].
    pub fn keep_only(&self, ids: &[String]) -> Result<(), ImportError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| ImportError::Store { path, source }
        };
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed.map_err(failed(&self.folder))?,
        };
        for entry in listed {
            let entry = entry.map_err(failed(&self.folder))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_id(&name) && !ids.contains(&name) {
                fs::remove_dir_all(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        Ok(())
    }

    fn write(&self, folder: &Path, pair: &Pair) -> Result<(), ImportError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| ImportError::Store { path, source }
        };
        create_private_folder(&self.folder).map_err(failed(&self.folder))?;
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(folder)(error)),
            _ => {}
        }
        let key = folder.join("key.pem");
        let label = match &pair.private {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        let text = pem_text(label, pair.private.secret_der());
        write_atomic(&key, text.as_bytes(), PRIVATE).map_err(failed(&key))?;
        let chain = folder.join("chain.pem");
        write_atomic(&chain, pem_of(&pair.chain).as_bytes(), PUBLIC).map_err(failed(&chain))?;
        sync_folder(&self.folder).map_err(failed(&self.folder))
    }

    fn publish(&self, entries: &BTreeMap<String, Entry>) {
        let served = entries.values().filter_map(|entry| entry.pair.as_deref()).map(|pair| Served {
            dns: pair.facts.names.dns.iter().cloned().collect(),
            ips: pair.facts.names.ips.iter().copied().collect(),
            key: pair.key.clone(),
        });
        self.resolver.set_imported(served.collect());
        let status = entries.iter().map(|(slot, entry)| entry.status(slot));
        self.status.store(Arc::new(status.collect()));
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Imports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Imports").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Entry {
    fn new(source: ImportSource) -> Self {
        Self { source, pair: None, trusted: None, problem: None, stamp: None }
    }

    fn stale(&self) -> bool {
        match &self.source {
            ImportSource::Copied { .. } => false,
            ImportSource::Watched { .. } => self.stamp.as_ref() != Some(&self.source.stamp()),
        }
    }

    /// What cannot be read, does not fit together, or is over, takes nothing away from what is served.
    fn load(&mut self, folder: &Path, now: OffsetDateTime) {
        let before = self.source.stamp();
        let read = self.source.read(folder).and_then(|pair| {
            let better = self.pair.as_ref().is_some_and(|old| old.in_time(now).is_ok());
            match pair.in_time(now) {
                Err(error) if better => Err(error),
                _ => Ok(pair),
            }
        });
        // Files that moved while they were read are read again at the next look.
        self.stamp = (self.source.stamp() == before).then_some(before);
        match read {
            Ok(pair) => {
                if self.pair.as_ref().is_none_or(|old| old.chain != pair.chain) {
                    self.trusted = None;
                }
                self.pair = Some(Arc::new(pair));
                self.problem = None;
            }
            Err(error) => self.problem = Some(Arc::new(error)),
        }
    }

    fn status(&self, slot: &str) -> ImportStatus {
        ImportStatus {
            slot: slot.to_owned(),
            source: self.source.clone(),
            facts: self.pair.as_ref().map(|pair| pair.facts.clone()),
            algorithm: self.pair.as_ref().map(|pair| pair.algorithm),
            trusted: self.trusted,
            problem: self.problem.clone(),
        }
    }
}

impl ImportSource {
    /// Reads what lies there now.
    ///
    /// # Errors
    /// Every [`ImportError`] but those about the clock.
    pub fn read(&self, folder: &Path) -> Result<Pair, ImportError> {
        let (certificate, key, password_file) = match self {
            Self::Copied { id } => {
                let folder = folder.join(id);
                (folder.join("chain.pem"), Some(folder.join("key.pem")), None)
            }
            Self::Watched { certificate, key, password_file } => {
                (certificate.clone(), key.clone(), password_file.as_ref())
            }
        };
        let password = match password_file {
            Some(path) => Some(password(&bytes(path)?)),
            None => None,
        };
        let mut files = vec![(certificate.display().to_string(), bytes(&certificate)?)];
        if let Some(key) = key.filter(|key| *key != certificate) {
            files.push((key.display().to_string(), bytes(&key)?));
        }
        let files: Vec<Material<'_>> = files.iter().map(|(file, bytes)| Material { file, bytes }).collect();
        Pair::read(&files, password.as_ref())
    }

    fn stamp(&self) -> Stamp {
        match self {
            Self::Copied { .. } => Stamp::of(std::iter::empty()),
            Self::Watched { certificate, key, password_file } => {
                let paths = [Some(certificate), key.as_ref(), password_file.as_ref()];
                Stamp::of(paths.into_iter().flatten().map(PathBuf::as_path))
            }
        }
    }
}

/// The first line, as password files have it.
fn password(bytes: &[u8]) -> SecretString {
    let text = String::from_utf8_lossy(bytes);
    SecretString::from(text.lines().next().unwrap_or_default().to_owned())
}

fn bytes(path: &Path) -> Result<Vec<u8>, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_path_buf(), source };
    read_bounded(path, LARGEST_FILE)
        .and_then(|bytes| bytes.ok_or_else(|| io::ErrorKind::NotFound.into()))
        .map_err(unreadable)
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
