use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use keyring_core::api::{CredentialApi, CredentialPersistence, CredentialStoreApi};
use keyring_core::{Credential, CredentialStore, Entry, Error};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

/// Service and account.
type Key = (String, String);

/// A Secret Service in memory that can be locked: it then shows no items and takes none.
#[derive(Debug, Default, Clone)]
struct Service {
    items: Arc<Mutex<HashMap<Key, Vec<u8>>>>,
    locked: Arc<Mutex<bool>>,
}

#[derive(Debug)]
struct Item {
    service: Service,
    key: Key,
}

impl CredentialStoreApi for Service {
    fn vendor(&self) -> String {
        "test".to_owned()
    }
    fn id(&self) -> String {
        "test".to_owned()
    }
    fn build(
        &self,
        service: &str,
        user: &str,
        _: Option<&HashMap<&str, &str>>,
    ) -> keyring_core::Result<Entry> {
        let key = (service.to_owned(), user.to_owned());
        Ok(Entry::new_with_credential(Arc::new(Item { service: self.clone(), key })))
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
    fn persistence(&self) -> CredentialPersistence {
        CredentialPersistence::ProcessOnly
    }
}

impl Item {
    fn locked(&self) -> bool {
        *self.service.locked.lock().unwrap()
    }
}

impl CredentialApi for Item {
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        if self.locked() {
            return Err(Error::NoStorageAccess("locked".into()));
        }
        self.service.items.lock().unwrap().insert(self.key.clone(), secret.to_vec());
        Ok(())
    }
    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        let items = self.service.items.lock().unwrap();
        items.get(&self.key).filter(|_| !self.locked()).cloned().ok_or(Error::NoEntry)
    }
    fn delete_credential(&self) -> keyring_core::Result<()> {
        let removed = self.service.items.lock().unwrap().remove(&self.key);
        removed.map(|_| ()).ok_or(Error::NoEntry)
    }
    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        Ok(None)
    }
    fn get_specifiers(&self) -> Option<Key> {
        Some(self.key.clone())
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct Bench {
    folder: TempDir,
    service: Service,
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), service: Service::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("secrets")
    }

    /// With the Secret Service there.
    fn desktop(&self) -> Secrets {
        let store: Arc<CredentialStore> = Arc::new(self.service.clone());
        Secrets::open_with(&self.path(), Preference::Keychain, || {
            Some(Keychain::new(Kind::SecretService, store))
        })
    }

    /// Without any keychain.
    fn server(&self) -> Secrets {
        Secrets::open_with(&self.path(), Preference::Keychain, || None)
    }

    fn lock(&self, locked: bool) {
        *self.service.locked.lock().unwrap() = locked;
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn read(secrets: &Secrets, name: &str) -> Option<String> {
    secrets.get(name).unwrap().map(|value| value.expose_secret().to_owned())
}

#[test]
fn both_stores_keep_replace_and_forget() {
    let bench = Bench::new();
    for secrets in [bench.desktop(), bench.server()] {
        assert_eq!(read(&secrets, "key"), None);
        secrets.put("key", &secret("one")).unwrap();
        secrets.put("key", &secret("two")).unwrap();
        assert_eq!(read(&secrets, "key").as_deref(), Some("two"));
        secrets.remove("key").unwrap();
        secrets.remove("key").unwrap();
        assert_eq!(read(&secrets, "key"), None);
    }
}

#[test]
fn a_usable_keychain_is_chosen_and_no_value_is_left_in_a_file() {
    let bench = Bench::new();
    let secrets = bench.desktop();
    assert_eq!(secrets.kind(), Kind::SecretService);
    secrets.put("key", &secret("hunter2-hunter2")).unwrap();
    for entry in fs::read_dir(bench.path()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains("hunter2"), "{}", path.display());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(bench.service.items.lock().unwrap().len(), 1);
}

#[test]
fn files_are_private_and_narrowed() {
    let bench = Bench::new();
    let secrets = bench.server();
    assert_eq!(secrets.kind(), Kind::File);
    secrets.put("key", &secret("one")).unwrap();
    let file = bench.path().join("key.secret");
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    assert_eq!(fs::metadata(bench.path()).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(read(&secrets, "key").as_deref(), Some("one"));
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_locked_service_that_looks_empty_is_never_taken_for_empty() {
    let bench = Bench::new();
    bench.desktop().put("key", &secret("one")).unwrap();
    bench.lock(true);
    let secrets = bench.desktop();
    assert_eq!(secrets.kind(), Kind::SecretService);
    assert_eq!(secrets.get("key").unwrap_err(), SecretError::Missing { name: "key".to_owned() });
    assert!(matches!(secrets.put("other", &secret("x")), Err(SecretError::Locked(_))));
    assert_eq!(read(&secrets, "never-stored"), None);
    bench.lock(false);
    assert_eq!(read(&secrets, "key").as_deref(), Some("one"));
}

#[test]
fn locked_missing_and_replaced_are_told_apart() {
    let bench = Bench::new();
    let asked = |lock: fn() -> Option<bool>| {
        let store: Arc<CredentialStore> = Arc::new(bench.service.clone());
        Secrets::open_with(&bench.path(), Preference::Keychain, || {
            Some(Keychain::new(Kind::SecretService, store).with_lock(lock))
        })
    };
    bench.desktop().put("key", &secret("one")).unwrap();
    let find = |secrets: &Secrets| secrets.find("key", ANSWER).map(|found| found.map(|found| found.replaced));
    assert_eq!(find(&bench.desktop()), Ok(Some(false)));
    for value in bench.service.items.lock().unwrap().values_mut() {
        *value = b"two".to_vec();
    }
    assert_eq!(find(&bench.desktop()), Ok(Some(true)));
    bench.desktop().put("key", &secret("two")).unwrap();
    assert_eq!(find(&bench.desktop()), Ok(Some(false)));
    bench.lock(true);
    assert!(matches!(find(&asked(|| Some(true))), Err(SecretError::Locked(_))));
    bench.lock(false);
    bench.service.items.lock().unwrap().clear();
    assert_eq!(find(&asked(|| Some(false))), Err(SecretError::Missing { name: "key".to_owned() }));
    assert_eq!(bench.desktop().known("key"), Ok(Some(Kind::SecretService)));
    assert_eq!(bench.desktop().known("other"), Ok(None));
}

#[test]
fn a_service_that_nobody_can_unlock_is_not_chosen_for_the_first_secret() {
    let bench = Bench::new();
    bench.lock(true);
    let secrets = bench.desktop();
    assert_eq!(secrets.kind(), Kind::File);
    secrets.put("key", &secret("one")).unwrap();
    assert_eq!(read(&secrets, "key").as_deref(), Some("one"));
}

#[test]
fn what_is_in_a_keychain_that_is_gone_is_an_error_and_comes_back_with_it() {
    let bench = Bench::new();
    bench.desktop().put("key", &secret("one")).unwrap();
    let server = bench.server();
    assert_eq!(server.kind(), Kind::File);
    assert!(matches!(server.get("key"), Err(SecretError::Unavailable(_))));
    assert!(matches!(server.remove("key"), Err(SecretError::Unavailable(_))));
    assert_eq!(read(&bench.desktop(), "key").as_deref(), Some("one"));
}

#[test]
fn what_is_in_a_file_is_found_from_a_desktop_and_moves_when_it_is_stored_anew() {
    let bench = Bench::new();
    bench.server().put("key", &secret("one")).unwrap();
    let desktop = bench.desktop();
    assert_eq!(desktop.kind(), Kind::SecretService);
    assert_eq!(read(&desktop, "key").as_deref(), Some("one"));
    desktop.put("key", &secret("two")).unwrap();
    assert!(!bench.path().join("key.secret").exists());
    assert_eq!(read(&bench.desktop(), "key").as_deref(), Some("two"));
}

#[test]
fn the_users_choice_of_files_is_kept_to_but_old_secrets_are_still_read() {
    let bench = Bench::new();
    bench.desktop().put("old", &secret("one")).unwrap();
    let store: Arc<CredentialStore> = Arc::new(bench.service.clone());
    let secrets = Secrets::open_with(&bench.path(), Preference::File, || {
        Some(Keychain::new(Kind::SecretService, store))
    });
    assert_eq!(secrets.kind(), Kind::File);
    assert_eq!(read(&secrets, "old").as_deref(), Some("one"));
    secrets.put("new", &secret("two")).unwrap();
    assert!(bench.path().join("new.secret").exists());
}

#[test]
fn two_state_folders_of_one_user_do_not_share_items() {
    let (one, two) = (Bench::new(), Bench { folder: TempDir::new().unwrap(), service: Service::default() });
    let two = Bench { service: one.service.clone(), ..two };
    one.desktop().put("key", &secret("one")).unwrap();
    assert_eq!(read(&two.desktop(), "key"), None);
    two.desktop().put("key", &secret("two")).unwrap();
    assert_eq!(read(&one.desktop(), "key").as_deref(), Some("one"));
}

#[test]
fn a_crash_between_value_and_marker_loses_nothing() {
    let bench = Bench::new();
    bench.desktop().put("key", &secret("one")).unwrap();
    fs::remove_file(bench.path().join("key.json")).unwrap();
    assert_eq!(read(&bench.desktop(), "key").as_deref(), Some("one"));
    assert!(bench.path().join("key.json").exists());
}

#[test]
fn a_lost_file_and_a_damaged_marker_are_errors() {
    let bench = Bench::new();
    let secrets = bench.server();
    secrets.put("key", &secret("one")).unwrap();
    fs::remove_file(bench.path().join("key.secret")).unwrap();
    assert!(matches!(secrets.get("key"), Err(SecretError::Missing { .. })));
    fs::write(bench.path().join("key.json"), "{").unwrap();
    let error = secrets.get("key").unwrap_err();
    assert!(matches!(&error, SecretError::Unavailable(text) if text.contains("key.json")), "{error}");
    secrets.put("key", &secret("two")).unwrap();
    assert_eq!(read(&secrets, "key").as_deref(), Some("two"));
}

#[test]
fn names_that_could_leave_the_folder_are_refused() {
    let secrets = Bench::new().server();
    for bad in ["", "../x", "a/b", ".hidden", "a b", "ä", &"x".repeat(101)] {
        assert_eq!(secrets.get(bad).unwrap_err(), SecretError::InvalidName(bad.to_owned()));
        assert!(secrets.put(bad, &secret("x")).is_err() && secrets.remove(bad).is_err());
    }
}

#[test]
fn debug_shows_no_secret() {
    let bench = Bench::new();
    for secrets in [bench.desktop(), bench.server()] {
        secrets.put("key", &secret("hunter2")).unwrap();
        assert!(!format!("{secrets:?} {:?}", secrets.get("key")).contains("hunter2"));
    }
}

#[test]
fn a_throw_away_item_goes_round_and_an_old_one_is_taken_away() {
    let service = Service::default();
    let keychain = Keychain::new(Kind::SecretService, Arc::new(service.clone()));
    keychain.put(SELFTEST, &SecretString::from("left by a killed one"), ANSWER).unwrap();
    round_trip(&keychain, ANSWER).unwrap();
    assert!(service.items.lock().unwrap().is_empty());
}

#[test]
fn a_locked_keychain_fails_the_round_trip() {
    let service = Service::default();
    *service.locked.lock().unwrap() = true;
    let keychain = Keychain::new(Kind::SecretService, Arc::new(service));
    assert!(matches!(round_trip(&keychain, ANSWER), Err(SecretError::Locked(_))));
}
