//! With the real Secret Service (gnome-keyring on a bus of its own) and real network changes (in a network namespace
//! of its own). Where a part is not there, the test says so and passes, except where `CI=true`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "the whole file is a test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gatehouse_host::addresses::{self, InterfaceAddress};
use gatehouse_host::secrets::{Kind, Preference, SecretError, Secrets};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

/// Set where this program runs itself again inside a prepared session; it holds the folder to work in.
const INSIDE: &str = "GATEHOUSE_TEST_INSIDE";

#[test]
fn the_secret_service_keeps_a_secret_and_a_locked_one_is_not_taken_for_empty() {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return inside_the_desktop_session(Path::new(&folder));
    }
    if !present(&["dbus-run-session", "gnome-keyring-daemon", "gdbus"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join(".local/share/keyrings")).unwrap();
    gatehouse_files::create_private_folder(&folder.path().join("run")).unwrap();
    let script = r#"
        set -eu
        printf "\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null
        "$@"
    "#;
    let mut session = Command::new("dbus-run-session");
    session
        .args(["--", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_secret_service_keeps_a_secret_and_a_locked_one_is_not_taken_for_empty"])
        .arg("--nocapture")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path().join("run"))
        .env("XDG_DATA_HOME", folder.path().join(".local/share"))
        .env("XDG_CONFIG_HOME", folder.path().join(".config"))
        .env(INSIDE, folder.path());
    assert!(session.status().unwrap().success());
}

fn inside_the_desktop_session(folder: &Path) {
    let folder = folder.join("secrets");
    let read =
        |secrets: &Secrets| secrets.get("key").map(|value| value.map(|v| v.expose_secret().to_owned()));
    let secrets = Secrets::open(&folder, Preference::Keychain);
    assert_eq!(secrets.kind(), Kind::SecretService);
    assert_eq!(read(&secrets), Ok(None));
    secrets.put("key", &SecretString::from("one")).unwrap();
    secrets.put("key", &SecretString::from("two\nlines")).unwrap();
    assert_eq!(read(&Secrets::open(&folder, Preference::Keychain)), Ok(Some("two\nlines".to_owned())));
    assert!(!folder.join("key.secret").exists());

    secrets.put("other", &SecretString::from("three")).unwrap();
    clear("other");
    let missing = secrets.get("other").map(|value| value.is_some());
    assert_eq!(missing, Err(SecretError::Missing { name: "other".to_owned() }));

    lock_every_collection();
    let secrets = Secrets::open(&folder, Preference::Keychain);
    assert_eq!(secrets.kind(), Kind::SecretService);
    let error = read(&secrets).unwrap_err();
    assert!(matches!(error, SecretError::Locked(_)), "{error:?}");
    let error = secrets.put("key", &SecretString::from("three")).unwrap_err();
    assert!(matches!(error, SecretError::Locked(_)), "{error:?}");
}

/// Takes an item away behind our back, as a person does in a keychain program.
fn clear(name: &str) {
    let output = Command::new("gdbus")
        .args(["call", "--session", "--dest", "org.freedesktop.secrets"])
        .args(["--object-path", "/org/freedesktop/secrets"])
        .args(["--method", "org.freedesktop.Secret.Service.SearchItems", "{'service': 'Gatehouse'}"])
        .output();
    let answer = String::from_utf8(output.unwrap().stdout).unwrap();
    let paths = answer.split('\'').filter(|part| part.starts_with("/org/"));
    let mut removed = 0;
    for path in paths {
        let call = |method: &[&str]| {
            let mut gdbus = Command::new("gdbus");
            gdbus.args(["call", "--session", "--dest", "org.freedesktop.secrets", "--object-path", path]);
            String::from_utf8(gdbus.arg("--method").args(method).output().unwrap().stdout).unwrap()
        };
        let get = ["org.freedesktop.DBus.Properties.Get", "org.freedesktop.Secret.Item", "Attributes"];
        if call(&get).contains(&format!("'{name} (")) {
            call(&["org.freedesktop.Secret.Item.Delete"]);
            removed += 1;
        }
    }
    assert_eq!(removed, 1, "{answer}");
}

fn lock_every_collection() {
    let status = Command::new("gdbus")
        .args(["call", "--session", "--dest", "org.freedesktop.secrets"])
        .args(["--object-path", "/org/freedesktop/secrets"])
        .args(["--method", "org.freedesktop.Secret.Service.Lock"])
        .arg("['/org/freedesktop/secrets/collection/login']")
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_new_address_is_seen_at_once() {
    if std::env::var_os(INSIDE).is_some() {
        return inside_the_network_namespace();
    }
    if !present(&["unshare", "ip"]) {
        return;
    }
    let allowed = Command::new("unshare").args(["-rn", "true"]).stderr(Stdio::null()).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return skip("this user may not make network namespaces");
    }
    let status = Command::new("unshare")
        .args(["-rn", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_new_address_is_seen_at_once", "--nocapture"])
        .env(INSIDE, "/")
        .status();
    assert!(status.unwrap().success());
}

fn inside_the_network_namespace() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        ip(&["link", "set", "lo", "up"]);
        // Only the kernel's word can wake it within the test's time.
        let mut receiver = addresses::watch(Duration::from_secs(3600));
        let before = receiver.borrow_and_update().clone();
        ip(&["address", "add", "192.168.77.5/24", "dev", "lo"]);
        tokio::time::timeout(Duration::from_secs(30), receiver.changed()).await.unwrap().unwrap();
        let after = receiver.borrow_and_update().clone();
        let new: Vec<&InterfaceAddress> = after.iter().filter(|address| !before.contains(address)).collect();
        assert_eq!(new.len(), 1, "{new:?}");
        assert_eq!((new[0].ip, new[0].prefix), ([192, 168, 77, 5].into(), 24));
        assert_eq!(new[0].interface, "lo");
    });
}

fn ip(arguments: &[&str]) {
    assert!(Command::new("ip").args(arguments).status().unwrap().success());
}

fn present(programs: &[&str]) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    for program in programs {
        if !std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()) {
            skip(&format!("{program} is not installed"));
            return false;
        }
    }
    true
}

fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "skipped where CI=true: {why}");
    println!("skipped: {why}");
}
