//! One certificate on disk: its keys and chains ([`Store`]), its memory, and the order that is on its way.
//!
//! ```text
//! public/<name>/issued/…, current    as for the local leaf
//! public/<name>/record.json          what is remembered
//! public/<name>/pending.json         0600: the order on its way, with its key
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatehouse_files::{PRIVATE, read_bounded, write_atomic};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::record::{Live, Record};
use super::schedule::Validity;
use crate::acme::{Cause, Failure, Identifier, Pending, Stage, certificate_id, slug};
use crate::issue::Issued;
use crate::store::{Store, StoredLeaf};
use crate::{CertError, Served};

const LARGEST_FILE: u64 = 512 * 1024;

/// One certificate.
pub(super) struct Entry {
    pub(super) identifiers: Vec<Identifier>,
    pub(super) leaf: Option<Arc<StoredLeaf>>,
    pub(super) record: Record,
    /// Its owner asked for a new one.
    pub(super) asked: bool,
    /// How far the order is that is on its way.
    pub(super) stage: Option<Stage>,
    store: Store,
    folder: PathBuf,
}

/// The name of a certificate's folder and slot.
pub(super) fn name_of(identifiers: &[Identifier]) -> String {
    let texts: Vec<String> = identifiers.iter().map(ToString::to_string).collect();
    slug(&texts.join(","))
}

impl Entry {
    /// Loads what is there. An order that was finished when the program ended is put right.
    pub(super) fn open(folder: &Path, identifiers: &[Identifier]) -> Result<Self, CertError> {
        let folder = folder.join(name_of(identifiers));
        let store = Store::open(&folder)?;
        let leaf = store.best()?.map(Arc::new);
        let record = load(&folder.join("record.json")).unwrap_or_default();
        let identifiers = identifiers.to_vec();
        let mut entry = Self { identifiers, leaf, record, asked: false, stage: None, store, folder };
        entry.adopt();
        Ok(entry)
    }

    /// First and last moment of the certificate.
    pub(super) fn held(&self) -> Option<Validity> {
        let facts = &self.leaf.as_ref()?.facts;
        Some(Validity { not_before: facts.not_before, not_after: facts.not_after })
    }

    /// What the TLS side is given.
    pub(super) fn served(&self) -> Option<Served> {
        let leaf = self.leaf.as_ref()?;
        let names = &leaf.facts.names;
        Some(Served {
            dns: names.dns.iter().cloned().collect(),
            ips: names.ips.iter().copied().collect(),
            key: leaf.key.clone(),
        })
    }

    /// The key of the certificate and its fingerprint, for a renewal that keeps the key.
    pub(super) fn kept(&self) -> Result<Option<(SecretString, String)>, Failure> {
        let Some(leaf) = &self.leaf else { return Ok(None) };
        let key = self.store.key_pem(&leaf.id).map_err(|error| Failure::new(Cause::Local, error))?;
        Ok(Some((key, leaf.facts.sha256.clone())))
    }

    /// The order on its way.
    pub(super) fn pending(&self) -> Option<Pending> {
        pending_in(&self.folder)
    }

    /// Keeps the order on its way.
    pub(super) fn save_pending(&self, pending: &Pending) -> Result<(), Failure> {
        save(&pending_path(&self.folder), pending)
    }

    /// Forgets the order on its way.
    pub(super) fn drop_pending(&self) {
        match fs::remove_file(pending_path(&self.folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a finished order could not be removed");
            }
            _ => {}
        }
    }

    /// Keeps what is remembered.
    pub(super) fn save_record(&self) -> Result<(), Failure> {
        save(&self.folder.join("record.json"), &self.record)
    }

    /// Puts a new certificate on disk; the old one stays where that fails.
    pub(super) fn store(&mut self, issued: &Issued, now: OffsetDateTime) -> Result<(), Failure> {
        let leaf = self.store.save_leaf(issued, now).map_err(|error| Failure::new(Cause::Local, error))?;
        let old = self.leaf.replace(Arc::new(leaf));
        let keep = [self.leaf.as_ref(), old.as_ref()];
        let keep: Vec<&str> = keep.into_iter().flatten().map(|leaf| leaf.id.as_str()).collect();
        if let Err(error) = self.store.keep_only(&keep) {
            tracing::warn!(%error, "old certificates could not be removed");
        }
        Ok(())
    }

    /// How the certificate is called at its authority.
    pub(super) fn live(&self, directory: &str) -> Option<Live> {
        let leaf = self.leaf.as_ref()?;
        let id = leaf.chain.first().and_then(certificate_id);
        Some(Live { directory: directory.to_owned(), id, sha256: leaf.facts.sha256.clone() })
    }

    /// Where the program ended after the certificate was stored and before its order was forgotten.
    fn adopt(&mut self) {
        let (Some(pending), Some(leaf)) = (self.pending(), &self.leaf) else { return };
        // An order that keeps the key of the certificate before it is not finished because that key fits that one.
        if pending.kept_from.as_ref() == Some(&leaf.facts.sha256) {
            return;
        }
        let Ok(key) = PrivateKeyDer::from_pem_slice(pending.key.expose_secret().as_bytes()) else { return };
        if CertifiedKey::from_der(leaf.chain.clone(), key, &default_provider()).is_err() {
            return;
        }
        if let Some(live) = self.live(&pending.directory) {
            self.record.issued(live, pending.begun);
            if self.save_record().is_ok() {
                self.drop_pending();
            }
        }
    }
}

/// The order on its way of the certificate in this folder.
pub(super) fn pending_in(folder: &Path) -> Option<Pending> {
    load(&pending_path(folder))
}

fn pending_path(folder: &Path) -> PathBuf {
    folder.join("pending.json")
}

/// What a file holds; a damaged one is as good as none, and is overwritten by the next write.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = match read_bounded(path, LARGEST_FILE) {
        Ok(bytes) => bytes?,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file of the renewal cannot be read");
            return None;
        }
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a file of the renewal is damaged");
            None
        }
    }
}

/// Replaces a file; only its owner may read it.
pub(super) fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(Cause::Local, error))?;
    write_atomic(path, format!("{text}\n").as_bytes(), PRIVATE)
        .map_err(|error| Failure::new(Cause::Local, format!("{}: {error}", path.display())))
}
