//! What is remembered of a secret beside its store: that it was stored, where, and four salted bytes of its hash.
//! `NAME.json`, 0600.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use gatehouse_files::{PRIVATE, create_private_folder, read_bounded, sync_folder, write_atomic};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::files::failure;
use super::{Kind, SecretError};

const LARGEST: u64 = 4096;
const FOLDER_ID: &str = "folder-id";

/// The marker of one secret.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) store: Kind,
    salt: String,
    fingerprint: String,
}

impl Marker {
    fn new(store: Kind, value: &SecretString) -> Result<Self, SecretError> {
        let salt = random(16)?;
        let fingerprint = fingerprint(&salt, value);
        Ok(Self { store, salt, fingerprint })
    }

    /// Whether `value` is the one that was stored.
    pub(super) fn is_of(&self, value: &SecretString) -> bool {
        self.fingerprint == fingerprint(&self.salt, value)
    }
}

/// The markers of a folder.
#[derive(Debug)]
pub(super) struct Markers {
    folder: PathBuf,
}

impl Markers {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Tells the keychain items of this state folder from those of another one of the same user. Empty where it can
    /// be neither read nor made.
    pub(super) fn folder_id(&self) -> String {
        let path = self.folder.join(FOLDER_ID);
        let read = || {
            let bytes = read_bounded(&path, LARGEST).ok()??;
            let text = String::from_utf8(bytes).ok()?.trim().to_owned();
            (!text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit())).then_some(text)
        };
        let make = || {
            let id = random(4).ok()?;
            write_atomic(&path, format!("{id}\n").as_bytes(), PRIVATE).ok()?;
            Some(id)
        };
        read().or_else(make).unwrap_or_default()
    }

    /// A marker that cannot be read is an error: taken for absent, it would let a new secret replace the old one.
    pub(super) fn get(&self, name: &str) -> Result<Option<Marker>, SecretError> {
        let path = self.path(name);
        let bytes = read_bounded(&path, LARGEST).map_err(|error| failure(&path, &error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        match serde_json::from_slice(&bytes) {
            Ok(marker) => Ok(Some(marker)),
            Err(error) => Err(SecretError::Unavailable(format!(
                "{}: {error}; remove that file if the secret may be made anew",
                path.display()
            ))),
        }
    }

    pub(super) fn put(&self, name: &str, store: Kind, value: &SecretString) -> Result<(), SecretError> {
        let path = self.path(name);
        let marker = Marker::new(store, value)?;
        let text = serde_json::to_vec_pretty(&marker)
            .map_err(|error| SecretError::Unavailable(error.to_string()))?;
        create_private_folder(&self.folder).map_err(|error| failure(&self.folder, &error))?;
        write_atomic(&path, &text, PRIVATE).map_err(|error| failure(&path, &error))
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), SecretError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&self.folder).map_err(|error| failure(&path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failure(&path, &error)),
        }
    }

    /// Whether `store` ever kept a secret of ours.
    pub(super) fn any(&self, store: Kind) -> bool {
        let Ok(entries) = fs::read_dir(&self.folder) else { return false };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names = names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned));
        names.any(|name| {
            self.get(&name).is_ok_and(|marker| marker.is_some_and(|marker| marker.store == store))
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

fn fingerprint(salt: &str, value: &SecretString) -> String {
    let mut context = Context::new(&SHA256);
    context.update(salt.as_bytes());
    context.update(value.expose_secret().as_bytes());
    hex(&context.finish().as_ref()[..4])
}

fn random(bytes: usize) -> Result<String, SecretError> {
    let mut random = vec![0_u8; bytes];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| SecretError::Unavailable("no random numbers".to_owned()))?;
    Ok(hex(&random))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
