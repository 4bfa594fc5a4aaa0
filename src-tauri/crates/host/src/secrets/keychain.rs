//! The system's keychain: one item per secret under the service "Gatehouse".

use std::sync::Arc;
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use tracing::info;

use super::limited::Lane;
use super::{Kind, SecretError};

const SERVICE: &str = "Gatehouse";
const TRIAL: &str = "trial";

/// A keychain, and the folder whose items we mean.
#[derive(Clone)]
pub(super) struct Keychain {
    kind: Kind,
    store: Arc<CredentialStore>,
    folder_id: String,
    lane: Lane,
    /// Asks the system whether the store is locked, where it can be asked.
    lock: fn() -> Option<bool>,
}

impl Keychain {
    pub(super) fn new(kind: Kind, store: Arc<CredentialStore>) -> Self {
        Self { kind, store, folder_id: String::new(), lane: Lane::default(), lock: || None }
    }

    /// The same keychain with somebody who knows whether it is locked.
    pub(super) fn with_lock(mut self, lock: fn() -> Option<bool>) -> Self {
        self.lock = lock;
        self
    }

    /// Whether the store says that it is locked. One that says nothing counts as open.
    pub(super) fn is_locked(&self, limit: Duration) -> bool {
        self.lane.run(limit, self.lock).flatten().unwrap_or(false)
    }

    /// The keychain of this system; `None` where there is none or it does not answer within `limit`.
    pub(super) fn of_system(limit: Duration) -> Option<Self> {
        if !system::may_be_there() {
            return None;
        }
        match Lane::default().run(limit, system::connect)? {
            Ok(store) => Some(Self::new(system::KIND, store).with_lock(system::is_locked)),
            Err(error) => {
                info!(error = %describe(&error), "no keychain");
                None
            }
        }
    }

    /// The same keychain for the items of one state folder.
    pub(super) fn of_folder(mut self, id: &str) -> Self {
        id.clone_into(&mut self.folder_id);
        self
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether an item can be stored, read and removed within `limit`: a keychain that is locked, with nobody there to
    /// unlock it, looks empty until something is written.
    pub(super) fn works(&self, limit: Duration) -> bool {
        let trial = SecretString::from("x");
        let keychain = self.clone();
        let tried = self.lane.run(limit, move || {
            let entry = keychain.entry(TRIAL)?;
            entry.set_secret(trial.expose_secret().as_bytes())?;
            let kept = entry.get_secret();
            entry.delete_credential()?;
            kept.map(|kept| kept == trial.expose_secret().as_bytes())
        });
        match tried {
            Some(Ok(kept)) => kept,
            Some(Err(error)) => {
                info!(error = %describe(&error), "the keychain cannot be used");
                false
            }
            None => {
                info!("the keychain does not answer");
                false
            }
        }
    }

    pub(super) fn get(&self, name: &str, limit: Duration) -> Result<Option<SecretString>, SecretError> {
        match self.call(name, limit, |entry| entry.get_secret())? {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(SecretString::from(text))),
                Err(_) => Err(SecretError::Unavailable(format!("{name} is not text"))),
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(translate(&error)),
        }
    }

    pub(super) fn put(&self, name: &str, value: &SecretString, limit: Duration) -> Result<(), SecretError> {
        let value = value.clone();
        let stored =
            self.call(name, limit, move |entry| entry.set_secret(value.expose_secret().as_bytes()))?;
        stored.map_err(|error| translate(&error))
    }

    pub(super) fn remove(&self, name: &str, limit: Duration) -> Result<(), SecretError> {
        match self.call(name, limit, |entry| entry.delete_credential())? {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(translate(&error)),
        }
    }

    fn call<T: Send + 'static>(
        &self,
        name: &str,
        limit: Duration,
        act: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<keyring_core::Result<T>, SecretError> {
        let (keychain, name) = (self.clone(), name.to_owned());
        let answer = self.lane.run(limit, move || keychain.entry(&name).and_then(|entry| act(&entry)));
        answer.ok_or_else(|| SecretError::Locked(format!("no answer within {} s", limit.as_secs())))
    }

    fn entry(&self, name: &str) -> keyring_core::Result<Entry> {
        let account =
            if self.folder_id.is_empty() { name.to_owned() } else { format!("{name} ({})", self.folder_id) };
        self.store.build(SERVICE, &account, None)
    }
}

impl std::fmt::Debug for Keychain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keychain").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn translate(error: &Error) -> SecretError {
    if let Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) = error
        && let Some(known) = system::known(cause.as_ref())
    {
        return known;
    }
    match error {
        Error::NoStorageAccess(_) => SecretError::Locked(describe(error)),
        _ => SecretError::Unavailable(describe(error)),
    }
}

/// Never the value itself, which some errors carry.
fn describe(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the stored value is damaged".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::error::Error as StdError;
    use std::path::Path;
    use std::sync::Arc;

    use keyring_core::CredentialStore;

    use super::super::{Kind, SecretError};

    pub(super) const KIND: Kind = Kind::SecretService;

    /// Without a session bus there is no Secret Service (servers, CI).
    pub(super) fn may_be_there() -> bool {
        if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty()) {
            return true;
        }
        std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists())
    }

    pub(super) fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(zbus_secret_service_keyring_store::Store::new()?)
    }

    /// What the Secret Service says of its default collection. It is asked without unlocking anything.
    pub(super) fn is_locked() -> Option<bool> {
        let bus = zbus::blocking::Connection::session().ok()?;
        let collection = zbus::blocking::Proxy::new(
            &bus,
            "org.freedesktop.secrets",
            "/org/freedesktop/secrets/aliases/default",
            "org.freedesktop.Secret.Collection",
        );
        collection.ok()?.get_property("Locked").ok()
    }

    /// The store sorts its errors well enough.
    pub(super) fn known(_: &(dyn StdError + Send + Sync + 'static)) -> Option<SecretError> {
        None
    }
}

#[cfg(target_os = "macos")]
mod system {
    use std::error::Error as StdError;
    use std::sync::Arc;

    use keyring_core::CredentialStore;

    use super::super::{Kind, SecretError};

    pub(super) const KIND: Kind = Kind::Keychain;

    pub(super) fn may_be_there() -> bool {
        true
    }

    pub(super) fn connect() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(apple_native_keyring_store::keychain::Store::new()?)
    }

    /// The store itself tells: a locked keychain answers with an error.
    pub(super) fn is_locked() -> Option<bool> {
        None
    }

    /// `SecBase.h`. The store passes the first three on as failures of the platform.
    pub(super) fn known(cause: &(dyn StdError + Send + Sync + 'static)) -> Option<SecretError> {
        const INTERACTION_NOT_ALLOWED: i32 = -25308;
        const AUTH_FAILED: i32 = -25293;
        const USER_CANCELED: i32 = -128;
        let error = cause.downcast_ref::<security_framework::base::Error>()?;
        match error.code() {
            INTERACTION_NOT_ALLOWED => Some(SecretError::Locked(
                "it cannot ask for its password in this session; unlock it with `security unlock-keychain`"
                    .to_owned(),
            )),
            AUTH_FAILED => Some(SecretError::Denied(
                "this build of Gatehouse is not yet allowed to read what another one stored".to_owned(),
            )),
            USER_CANCELED => Some(SecretError::Denied("the request was cancelled".to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
