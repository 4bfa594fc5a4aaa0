//! What outlives a restart: the desired state, a pause, and until when devices may stay.
//!
//! Guarantees: a save is atomic and private (0600); keys of newer or older versions that this one does not know are
//! kept; a file that cannot be understood is copied to a name of its own before the next save replaces it, the
//! last settings that could be read are used, and [`SettingsStore::problem`] says so until the next good save. A file
//! of a newer schema is read where possible and never written.

mod acme;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use gatehouse_api::{Code, Desired, ExpiredDevice, Fix, OpenRequest, Problem, Text, say};
use gatehouse_certs::clients::ClientRule;
use gatehouse_certs::imported::ImportSource;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

pub use self::acme::{AcmeSettings, AuthoritySettings};
use crate::edge_config::EdgeConfig;
use crate::kept::KeptSettings;

/// Version of the file that this program writes.
pub const SCHEMA: u32 = 1;

const LIMIT: u64 = 1 << 20;

/// The content of `settings.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Version of the file.
    pub schema: u32,
    /// What is to be open; `None` = nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenSettings>,
    /// A pause that has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseSettings>,
    /// Whether the user let us install OpenClaw into our folder: it then runs with every start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_gateway: bool,
    /// When devices are revoked, by device id (SHA-256 of the public key).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub expiries: BTreeMap<String, ExpirySettings>,
    /// Devices that were revoked because their time was over, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired: Vec<ExpiredDevice>,
    /// The addresses that are advertised, as they were last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_addresses: Vec<String>,
    /// Addresses that this machine had before, and until when they are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<String, KeptSettings>,
    /// How public certificates are got; `None` = they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acme: Option<AcmeSettings>,
    /// Certificates of the user, by what they are called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imported: BTreeMap<String, ImportSource>,
    /// Names that want certificates from their clients.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client_certificates: BTreeMap<String, ClientRule>,
    /// Settings of the edge that are not the defaults, by key.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub edge: Map<String, Value>,
    /// Keys of other versions, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Until when a device may stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpirySettings {
    /// When that was decided. A clock that is set back lengthens no stay beyond what was decided.
    #[serde(with = "time::serde::rfc3339")]
    pub set_at: OffsetDateTime,
    /// When the device is revoked, by the wall clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// What is to be open, with the ports that were settled on when it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSettings {
    /// As the user asked.
    pub request: OpenRequest,
    /// The HTTPS port that was proven ours.
    pub port: u16,
    /// Why it is not 443, where the user did not choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_reason: Option<Text>,
    /// The port that redirects plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_port: Option<u16>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_reason: Option<Text>,
    /// Keys of other versions, kept as they are.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseSettings {
    /// When access resumes by itself, by the wall clock; `None` = until told.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
}

/// The settings of a running core, in memory and on disk.
#[derive(Debug)]
pub struct SettingsStore {
    path: PathBuf,
    current: ArcSwap<Settings>,
    state: Mutex<FileState>,
}

/// Why settings could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file system refused.
    #[error("{path} could not be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A newer version of Gatehouse wrote the file.
    #[error("{path} was written by a newer version of Gatehouse (schema {found}; this one writes {SCHEMA})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// The settings could not be put into JSON.
    #[error("the settings could not be written as JSON")]
    Encode(#[source] serde_json::Error),
}

#[derive(Debug, Default)]
struct FileState {
    broken: Option<String>,
    newer: Option<u32>,
    used_last_good: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            open: None,
            pause: None,
            own_gateway: false,
            expiries: BTreeMap::new(),
            expired: Vec::new(),
            last_addresses: Vec::new(),
            kept: BTreeMap::new(),
            acme: None,
            imported: BTreeMap::new(),
            client_certificates: BTreeMap::new(),
            edge: Map::new(),
            unknown: Map::new(),
        }
    }
}

impl Settings {
    /// Whether a proxy is declared that says for whom it asks. Nobody is local to the gateway then.
    #[must_use]
    pub fn is_fronted(&self) -> bool {
        EdgeConfig::of(&self.edge).0.is_fronted()
    }

    /// The desired state in the words of the api.
    #[must_use]
    pub fn desired(&self) -> Desired {
        match &self.open {
            None => Desired::Off,
            Some(open) => Desired::from(&open.request),
        }
    }
}

impl OpenSettings {
    /// What was asked for, with the ports that were settled on.
    #[must_use]
    pub fn new(request: OpenRequest, port: u16) -> Self {
        Self {
            request,
            port,
            port_reason: None,
            redirect_port: None,
            redirect_reason: None,
            unknown: Map::new(),
        }
    }
}

impl SettingsStore {
    /// Loads the file. Never fails: what cannot be read is reported by [`Self::problem`], and the last good settings,
    /// else the defaults (everything off), are used.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let mut state = FileState::default();
        let settings = match load(&path) {
            Ok(Some(settings)) => {
                if settings.schema > SCHEMA {
                    state.newer = Some(settings.schema);
                }
                settings
            }
            Ok(None) => Settings::default(),
            Err(reason) => {
                state.broken = Some(reason);
                match load(&last_good(&path)) {
                    Ok(Some(settings)) => {
                        state.used_last_good = true;
                        settings
                    }
                    Ok(None) | Err(_) => Settings::default(),
                }
            }
        };
        Self { path, current: ArcSwap::from_pointee(settings), state: Mutex::new(state) }
    }

    /// The settings now.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        self.current.load_full()
    }

    /// Changes the settings: the file first, then what [`Self::current`] gives. Blocks for the disk.
    ///
    /// # Errors
    /// The file could not be written; nothing changed then.
    pub fn update(&self, change: impl FnOnce(&mut Settings)) -> Result<Arc<Settings>, SettingsError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = state.newer {
            return Err(SettingsError::Newer { path: self.path.clone(), found });
        }
        let mut settings = Settings::clone(&self.current.load());
        change(&mut settings);
        settings.schema = SCHEMA;
        let mut bytes = serde_json::to_vec_pretty(&settings).map_err(SettingsError::Encode)?;
        bytes.push(b'\n');
        let failed = |path: &Path, source| SettingsError::Write { path: path.to_path_buf(), source };
        if state.broken.is_some() {
            let aside = aside(&self.path);
            match std::fs::copy(&self.path, &aside) {
                // Somebody threw it away meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => _ = copied.map_err(|error| failed(&aside, error))?,
            }
            state.broken = None;
        }
        gatehouse_files::write_atomic(&self.path, &bytes, gatehouse_files::PRIVATE)
            .map_err(|error| failed(&self.path, error))?;
        let settings = Arc::new(settings);
        self.current.store(settings.clone());
        let copy = last_good(&self.path);
        if let Err(error) = gatehouse_files::write_atomic(&copy, &bytes, gatehouse_files::PRIVATE) {
            tracing::warn!(%error, path = %copy.display(), "the copy of the settings could not be written");
        }
        Ok(settings)
    }

    /// What is wrong with the file, as views show it.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path.display();
        if let Some(found) = state.newer {
            return Some(Problem {
                code: Code::Version,
                title: say!("core.settings.newer-file"),
                because: say!("core.settings.schema", path = path, found = found, known = SCHEMA),
                fix: Some(Fix { text: say!("core.settings.newer-fix"), command: None }),
            });
        }
        let Some(reason) = state.broken.as_ref() else { return self.unusable() };
        let used =
            if state.used_last_good { say!("core.settings.last") } else { say!("core.settings.nothing") };
        Some(Problem {
            code: Code::Storage,
            title: say!("core.settings.unreadable"),
            because: say!("core.settings.unreadable-because", path = path, reason = reason, used = used),
            fix: Some(Fix { text: say!("core.settings.unreadable-fix"), command: None }),
        })
    }
}

impl SettingsStore {
    /// Settings of the edge that were written by hand and cannot be used.
    fn unusable(&self) -> Option<Problem> {
        let (_, unusable) = EdgeConfig::of(&self.current.load().edge);
        let first = unusable.first()?;
        Some(Problem {
            code: Code::Usage,
            title: say!("core.config.not-in-force"),
            because: say!("core.config.default-used", key = first.key, because = first.because.clone()),
            fix: Some(Fix {
                text: say!("core.config.not-in-force-fix"),
                command: Some(format!("gatehouse config set {} default", first.key)),
            }),
        })
    }
}

fn load(path: &Path) -> Result<Option<Settings>, String> {
    let Some(bytes) = gatehouse_files::read_bounded(path, LIMIT).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let mut settings: Settings = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    // They were once beside the settings of the edge.
    for key in ["front", "routes"] {
        if let Some(value) = settings.unknown.remove(key) {
            settings.edge.entry(key).or_insert(value);
        }
    }
    Ok(Some(settings))
}

fn last_good(path: &Path) -> PathBuf {
    path.with_extension("last-good.json")
}

fn aside(path: &Path) -> PathBuf {
    let stamp = OffsetDateTime::now_utc().unix_timestamp();
    path.with_extension(format!("broken-{stamp}.json"))
}

#[cfg(test)]
mod tests;
