//! The host's secrets as the vault of the certificates.

use std::sync::Arc;

use gatehouse_certs::{Vault, VaultError};
use gatehouse_host::secrets::{SecretError, Secrets};
use secrecy::SecretString;

/// See the module.
pub(crate) struct SecretVault(pub(crate) Arc<Secrets>);

impl Vault for SecretVault {
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        self.0.get(name).map_err(|error| translated(&error))
    }

    fn put(&self, name: &str, value: &SecretString) -> Result<(), VaultError> {
        self.0.put(name, value).map_err(|error| translated(&error))
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.0.remove(name).map_err(|error| translated(&error))
    }
}

fn translated(error: &SecretError) -> VaultError {
    let text = error.to_string();
    match error {
        SecretError::Locked(_) => VaultError::Locked(text),
        SecretError::Denied(_) => VaultError::Denied(text),
        SecretError::Missing { .. } => VaultError::Missing(text),
        SecretError::InvalidName(_) | SecretError::Unavailable(_) => VaultError::Unavailable(text),
    }
}
