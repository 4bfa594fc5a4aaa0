//! What can go wrong with certificates, and what the user can do about it.

use std::io;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::VaultError;

/// Every failure of this crate. None of them takes away a leaf that is being served.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The keychain that holds the authority's key failed.
    #[error("the key of the local certificate authority: {0}")]
    Vault(#[from] VaultError),
    /// The authority's certificate is here, but its key is not in the vault. A new authority would have to be trusted
    /// anew on every device, so none is made without being asked for.
    #[error(
        "the key of the local certificate authority is not in the keychain; unlock or restore that keychain, or reset \
         the certificates to start a new authority that every device must trust again"
    )]
    AuthorityKeyMissing,
    /// The vault holds a key that does not belong to the authority's certificate.
    #[error(
        "the keychain holds another key than that of the local certificate authority; restore the right one, or reset \
         the certificates to start a new authority that every device must trust again"
    )]
    AuthorityKeyMismatch,
    /// The authority's certificate file cannot be understood and no copy of it was found.
    #[error(
        "{}: {detail}; put the file back from a backup, or reset the certificates to start a new authority that \
         every device must trust again", path.display()
    )]
    AuthorityDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The authority for clients is here, but its key is not in the vault, or another one is.
    #[error(
        "the key of the authority for clients is not in the keychain; unlock or restore that keychain: certificates \
         that it issued stay good, but it can issue none"
    )]
    ClientAuthorityKeyMissing,
    /// The authority's ten years are over.
    #[error(
        "the local certificate authority expired on {}; check the clock, or reset the certificates to start a new \
         authority that every device must trust again", not_after.date()
    )]
    AuthorityExpired {
        /// Its last moment.
        not_after: OffsetDateTime,
    },
    /// The clock shows a time before the authority was made.
    #[error(
        "the clock says {now}, which is before the certificate authority was made ({created}); set the clock"
    )]
    ClockBehind {
        /// What the clock says.
        now: OffsetDateTime,
        /// When the authority was made.
        created: OffsetDateTime,
    },
    /// The local authority may not vouch for this name; a public authority can.
    #[error("the local certificate authority may only vouch for private names, not for {name}")]
    OutsideConstraints {
        /// The DNS name or address.
        name: String,
    },
    /// This is no DNS name.
    #[error("{name:?} is no DNS name")]
    InvalidName {
        /// As it was given.
        name: String,
    },
    /// A certificate needs at least one name.
    #[error("a certificate needs at least one name")]
    NoNames,
    /// A certificate with this many names would no longer be accepted everywhere.
    #[error("{count} names are too many for one certificate (at most {limit})")]
    TooManyNames {
        /// How many were wanted.
        count: usize,
        /// How many fit.
        limit: usize,
    },
    /// A key or certificate could not be made or used.
    #[error("{what}: {detail}")]
    Crypto {
        /// What was being done.
        what: &'static str,
        /// What the library said.
        detail: String,
    },
}

impl CertError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn crypto<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Crypto { what, detail: error.to_string() }
    }
}
