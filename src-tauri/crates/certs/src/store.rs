//! The folder on disk. A crash between any two writes leaves a certificate with its key.
//!
//! ```text
//! authority.pem            the authority's certificate (its key is in the vault)
//! issued/<id>/key.pem      0600
//! issued/<id>/chain.pem    leaf first, then the authority
//! issued/<id>/meta.json    when and by whom; for people
//! current                  the <id> that is served; replaced last
//! ```
//!
//! Nothing under `issued/<id>` ever changes: a renewal makes a new folder and then moves the pointer.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatehouse_files::{PRIVATE, PUBLIC, create_private_folder, read_bounded, sync_folder, write_atomic};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use tracing::{info, warn};

use crate::facts::pem_of;
use crate::issue::Issued;
use crate::{CertError, LeafFacts};

const LARGEST_FILE: u64 = 256 * 1024;

/// The certificate folder.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// A leaf as it lies on disk, checked: the key belongs to the certificate.
#[derive(Debug)]
pub(crate) struct StoredLeaf {
    pub(crate) id: String,
    pub(crate) facts: Arc<LeafFacts>,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: Arc<CertifiedKey>,
}

impl Store {
    /// Makes the folder where it is missing and removes what a crash left half written.
    pub(crate) fn open(folder: &Path) -> Result<Self, CertError> {
        let store = Self { folder: folder.to_path_buf() };
        create_private_folder(&store.issued()).map_err(CertError::io(&store.issued()))?;
        create_private_folder(folder).map_err(CertError::io(folder))?;
        store.remove_leftovers().map_err(CertError::io(folder))?;
        Ok(store)
    }

    pub(crate) fn authority_path(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The authority's certificate as it lies there.
    pub(crate) fn authority(&self) -> Result<Option<Vec<u8>>, CertError> {
        let path = self.authority_path();
        read_bounded(&path, LARGEST_FILE).map_err(CertError::io(&path))
    }

    pub(crate) fn save_authority(&self, pem: &str) -> Result<(), CertError> {
        let path = self.authority_path();
        write_atomic(&path, pem.as_bytes(), PUBLIC).map_err(CertError::io(&path))
    }

    /// Writes a new leaf and makes it the current one; on failure the old one stays current.
    pub(crate) fn save_leaf(&self, issued: &Issued, now: OffsetDateTime) -> Result<StoredLeaf, CertError> {
        let facts = LeafFacts::of(&issued.chain)
            .map_err(|detail| CertError::Crypto { what: "reading a new certificate", detail })?;
        let id = new_id(&facts, now);
        let folder = self.issued().join(&id);
        let saved = self.write_leaf(&folder, issued, &facts, now).and_then(|()| self.point_to(&id));
        if let Err(error) = saved {
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        self.load(&id).map_err(|detail| CertError::Crypto { what: "reading a new certificate back", detail })
    }

    /// The leaf to serve: the current one, or the newest that is whole where the current one is not.
    pub(crate) fn best(&self) -> Result<Option<StoredLeaf>, CertError> {
        let pointed = self.pointer()?;
        if let Some(id) = &pointed {
            match self.load(id) {
                Ok(leaf) => return Ok(Some(leaf)),
                Err(detail) => warn!(certificate = %id, %detail, "the current certificate cannot be used"),
            }
        }
        let mut others = Vec::new();
        for id in self.ids()?.into_iter().filter(|id| pointed.as_ref() != Some(id)) {
            match self.load(&id) {
                Ok(leaf) => others.push(leaf),
                Err(detail) => info!(certificate = %id, %detail, "a stored certificate cannot be used"),
            }
        }
        Ok(others.into_iter().max_by_key(|leaf| leaf.facts.not_before))
    }

    /// The chain of a leaf as a PEM file.
    pub(crate) fn chain_path(&self, id: &str) -> PathBuf {
        self.issued().join(id).join("chain.pem")
    }

    /// The key of a leaf as it lies there (PEM).
    pub(crate) fn key_pem(&self, id: &str) -> Result<SecretString, CertError> {
        let path = self.issued().join(id).join("key.pem");
        const WHAT: &str = "reading the key of a certificate";
        let bytes = read(&path).map_err(CertError::crypto(WHAT))?;
        String::from_utf8(bytes).map(SecretString::from).map_err(CertError::crypto(WHAT))
    }

    /// Removes every leaf but these.
    pub(crate) fn keep_only(&self, ids: &[&str]) -> Result<(), CertError> {
        for id in self.ids()?.iter().filter(|id| !ids.contains(&id.as_str())) {
            let folder = self.issued().join(id);
            fs::remove_dir_all(&folder).map_err(CertError::io(&folder))?;
        }
        Ok(())
    }

    /// Removes everything; going on after an interruption is safe.
    pub(crate) fn purge(&self) -> Result<(), CertError> {
        for path in [self.current_path(), self.authority_path()] {
            absent_is_fine(fs::remove_file(&path)).map_err(CertError::io(&path))?;
        }
        self.keep_only(&[])?;
        sync_folder(&self.folder).map_err(CertError::io(&self.folder))
    }

    fn write_leaf(
        &self,
        folder: &Path,
        issued: &Issued,
        facts: &LeafFacts,
        now: OffsetDateTime,
    ) -> Result<(), CertError> {
        let io = CertError::io;
        create_private_folder(&self.issued()).map_err(io(&self.issued()))?;
        DirBuilder::new().mode(0o700).create(folder).map_err(io(folder))?;
        let key = folder.join("key.pem");
        write_atomic(&key, issued.key_pem.expose_secret().as_bytes(), PRIVATE).map_err(io(&key))?;
        let chain = folder.join("chain.pem");
        write_atomic(&chain, pem_of(&issued.chain).as_bytes(), PUBLIC).map_err(io(&chain))?;
        let meta = folder.join("meta.json");
        let names: Vec<String> = facts.names.texts().collect();
        let text = serde_json::json!({
            "schema": 1,
            "origin": "local-authority",
            "issued_at": now.unix_timestamp(),
            "not_after": facts.not_after.unix_timestamp(),
            "names": names,
            "sha256": facts.sha256,
            "ca_sha256": facts.ca_sha256,
        });
        write_atomic(&meta, format!("{text:#}\n").as_bytes(), PUBLIC).map_err(io(&meta))?;
        sync_folder(&self.issued()).map_err(io(&self.issued()))
    }

    fn point_to(&self, id: &str) -> Result<(), CertError> {
        let path = self.current_path();
        write_atomic(&path, format!("{id}\n").as_bytes(), PUBLIC).map_err(CertError::io(&path))
    }

    fn pointer(&self) -> Result<Option<String>, CertError> {
        let path = self.current_path();
        let bytes = match read_bounded(&path, LARGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Some(Vec::new()),
            Err(error) => return Err(CertError::io(&path)(error)),
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let id = String::from_utf8(bytes).ok().map(|text| text.trim().to_owned());
        let id = id.filter(|id| is_id(id));
        if id.is_none() {
            warn!(path = %path.display(), "the pointer to the current certificate is damaged");
        }
        Ok(id)
    }

    fn load(&self, id: &str) -> Result<StoredLeaf, String> {
        let folder = self.issued().join(id);
        let chain = read(&folder.join("chain.pem"))?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("chain.pem: {error}"))?;
        let facts = LeafFacts::of(&chain).map_err(|detail| format!("chain.pem: {detail}"))?;
        let key_path = folder.join("key.pem");
        narrow(&key_path);
        let key =
            PrivateKeyDer::from_pem_slice(&read(&key_path)?).map_err(|error| format!("key.pem: {error}"))?;
        let key = CertifiedKey::from_der(chain.clone(), key, &default_provider())
            .map_err(|error| format!("key.pem does not belong to chain.pem ({error})"))?;
        Ok(StoredLeaf { id: id.to_owned(), facts: Arc::new(facts), chain, key: Arc::new(key) })
    }

    fn ids(&self) -> Result<Vec<String>, CertError> {
        let issued = self.issued();
        let mut ids = Vec::new();
        for entry in fs::read_dir(&issued).map_err(CertError::io(&issued))? {
            let entry = entry.map_err(CertError::io(&issued))?;
            ids.extend(entry.file_name().into_string().ok().filter(|id| is_id(id)));
        }
        ids.sort();
        Ok(ids)
    }

    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(".tmp")) {
                absent_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn issued(&self) -> PathBuf {
        self.folder.join("issued")
    }

    fn current_path(&self) -> PathBuf {
        self.folder.join("current")
    }
}

/// Sorts by time of issue and is unique: two leaves never share a serial number, so they never share a hash.
fn new_id(facts: &LeafFacts, now: OffsetDateTime) -> String {
    let hash: String = facts.sha256.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    format!("{:012}-{}", now.unix_timestamp().max(0), hash.to_ascii_lowercase())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    match read_bounded(path, LARGEST_FILE) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{} is missing", path.display())),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Takes a key away from other users; a backup tool or a careless copy may have opened it up.
fn narrow(key: &Path) {
    let Ok(metadata) = fs::metadata(key) else { return };
    if metadata.permissions().mode() & 0o077 == 0 {
        return;
    }
    match fs::set_permissions(key, Permissions::from_mode(PRIVATE)) {
        Ok(()) => warn!(path = %key.display(), "a private key was open to other users; it is private again"),
        Err(error) => warn!(path = %key.display(), %error, "a private key is open to other users"),
    }
}

/// A file that is not there need not be removed.
pub(crate) fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
