//! Where the authority's key lives: the caller's keychain, seen through three calls.

use secrecy::SecretString;

/// A place for secrets that outlives the process. Calls may block (a keychain may ask its owner).
pub trait Vault: Send + Sync {
    /// The value stored under `name`; `None` only where it is certain that there is none.
    ///
    /// # Errors
    /// The vault is locked, refused, or cannot be reached.
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError>;

    /// Stores `value` under `name`, replacing what was there.
    ///
    /// # Errors
    /// The vault is locked, refused, or cannot be reached.
    fn put(&self, name: &str, value: &SecretString) -> Result<(), VaultError>;

    /// Forgets `name`; nothing happens where it is not stored.
    ///
    /// # Errors
    /// The vault is locked, refused, or cannot be reached.
    fn remove(&self, name: &str) -> Result<(), VaultError>;
}

/// Why a vault gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It is locked; unlocking it and trying again helps.
    #[error("the keychain is locked: {0}")]
    Locked(String),
    /// Its owner, or the system, said no.
    #[error("the keychain refused: {0}")]
    Denied(String),
    /// It once held the value and does not hold it now.
    #[error("the keychain no longer holds it: {0}")]
    Missing(String),
    /// It cannot be reached or answered in no known way.
    #[error("the keychain cannot be reached: {0}")]
    Unavailable(String),
}
