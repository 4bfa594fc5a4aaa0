use std::sync::Arc;

use gatehouse_certs::{Names, Vault, VaultError};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

#[derive(Default)]
struct Memory(Mutex<HashMap<String, String>>);

impl Vault for Memory {
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        Ok(self.0.lock().unwrap().get(name).cloned().map(SecretString::from))
    }

    fn put(&self, name: &str, value: &SecretString) -> Result<(), VaultError> {
        self.0.lock().unwrap().insert(name.to_owned(), value.expose_secret().to_owned());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

fn names() -> Names {
    Names {
        dns: ["mini.local".to_owned()].into(),
        ips: [[192, 168, 1, 20].into(), std::net::Ipv6Addr::LOCALHOST.into()].into(),
    }
}

fn served(folder: &TempDir) -> Certificates {
    let certificates = Certificates::open(&folder.path().join("certs"), Arc::new(Memory::default())).unwrap();
    certificates.ensure(&names(), NOW).unwrap();
    certificates
}

fn device(id: &str, client: &str) -> Paired {
    Paired {
        device_id: id.to_owned(),
        display_name: Some(format!("{id}'s phone")),
        label: None,
        platform: None,
        device_family: None,
        client_id: Some(client.to_owned()),
        client_mode: None,
        role: "operator".to_owned(),
        roles: vec!["operator".to_owned()],
        scopes: Vec::new(),
        remote_ip: Some("192.168.1.34".to_owned()),
        approved_via: None,
        created_at: None,
        approved_at: None,
        last_seen_at: None,
        connected: true,
        tokens: Vec::new(),
    }
}

fn sighting(host: &str, at: OffsetDateTime) -> EdgeSighting {
    EdgeSighting {
        client: "192.168.1.34".into(),
        host: host.into(),
        tls: "TLS 1.3".into(),
        agent: None,
        first_seen: at,
        last_seen: at,
    }
}

#[test]
fn an_app_that_connects_is_remembered_with_the_certificate_that_it_saw() {
    let folder = TempDir::new().unwrap();
    let (certificates, path) = (served(&folder), folder.path().join("pins.json"));
    let journal = Journal::open(path.clone());
    let leaf = certificates.current().unwrap().sha256.clone();

    for host in ["mini.local:8443", "192.168.1.20:8443", "mini.local"] {
        journal.observe(
            &[device("ada", "openclaw-ios")],
            &[sighting(host, NOW)],
            &certificates,
            &|_| None,
            NOW,
        );
        let pins = journal.list(&certificates);
        assert_eq!((pins.len(), &pins[0].sha256), (1, &leaf), "{host}");
        assert!(!pins[0].is_broken());
    }

    let again = Journal::open(path).list(&certificates);
    assert_eq!(again[0].name, "ada's phone");
    assert_eq!(again[0].host, "mini.local");
}

#[test]
fn browsers_and_devices_that_are_away_or_came_around_us_are_not() {
    let folder = TempDir::new().unwrap();
    let certificates = served(&folder);
    let journal = Journal::default();
    let away = Paired { connected: false, ..device("away", "openclaw-ios") };
    let elsewhere = Paired { remote_ip: Some("10.0.0.1".into()), ..device("elsewhere", "openclaw-ios") };
    let browser = device("browser", "openclaw-control-ui");

    journal.observe(
        &[away, elsewhere, browser],
        &[sighting("mini.local", NOW)],
        &certificates,
        &|_| None,
        NOW,
    );

    assert_eq!(journal.list(&certificates), []);
}

#[test]
fn a_new_certificate_breaks_the_pin_until_the_app_has_seen_it() {
    let folder = TempDir::new().unwrap();
    let certificates = served(&folder);
    let journal = Journal::default();
    let phone = [device("ada", "openclaw-android")];
    journal.observe(&phone, &[sighting("mini.local", NOW)], &certificates, &|_| None, NOW);
    let old = certificates.current().unwrap().sha256.clone();
    let later = NOW + Duration::hours(1);

    let renewed = certificates.renew(&names(), true, later).unwrap().facts.sha256.clone();
    journal.observe(&phone, &[sighting("mini.local", NOW)], &certificates, &|_| None, later);
    let broken = journal.list(&certificates).remove(0);
    assert!(broken.is_broken() && broken.sha256 == old && broken.now == Some(renewed.clone()));

    let seen = later + Duration::minutes(1);
    journal.observe(&phone, &[sighting("mini.local", seen)], &certificates, &|_| None, seen);
    assert_eq!(journal.list(&certificates)[0].sha256, renewed);
    assert!(!journal.list(&certificates)[0].is_broken());
}

#[test]
fn who_is_paired_no_more_is_forgotten_and_the_rest_stays_few() {
    let folder = TempDir::new().unwrap();
    let certificates = served(&folder);
    let journal = Journal::open(folder.path().join("pins.json"));
    let crowd: Vec<Paired> =
        (0..MOST + 9).map(|number| device(&format!("d{number}"), "openclaw-ios")).collect();
    journal.observe(&crowd, &[sighting("mini.local", NOW)], &certificates, &|_| None, NOW);
    assert_eq!(journal.list(&certificates).len(), MOST);

    journal.observe(&crowd[..1], &[], &certificates, &|_| None, NOW);

    assert_eq!(journal.list(&certificates).len(), 1);
    assert_eq!(Journal::open(folder.path().join("pins.json")).list(&certificates).len(), 1);
}

#[test]
fn an_address_is_read_with_and_without_its_port() {
    for (host, expected) in [
        ("mini.local:8443", "mini.local"),
        ("mini.local", "mini.local"),
        ("[fd00::1]:443", "fd00::1"),
        ("fd00::1", "fd00::1"),
        ("192.168.1.20:8443", "192.168.1.20"),
    ] {
        assert_eq!(host_of(host), expected);
    }
}

#[test]
fn a_damaged_file_is_as_good_as_none() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pins.json");
    std::fs::write(&path, "{\"schema\":1,\"pins\":[{").unwrap();
    assert_eq!(Journal::open(path).list(&served(&folder)), []);
}
