use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;
use time::Duration;

use super::*;
use crate::testkit::{MemoryVault, Session, names, now};

struct Bench {
    folder: TempDir,
    vault: Arc<MemoryVault>,
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), vault: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("certs")
    }

    fn open(&self) -> Certificates {
        Certificates::open(&self.path(), self.vault.clone()).unwrap()
    }

    /// With an authority and a leaf for `mini.local` and 192.168.1.20.
    fn opened(&self) -> Certificates {
        let certificates = self.open();
        assert!(certificates.ensure(&home(), now()).unwrap().created_authority);
        certificates
    }
}

fn home() -> Names {
    names(&["mini.local", "192.168.1.20", "::1"])
}

fn connect(certificates: &Certificates, name: &str) -> Result<Session, rustls::Error> {
    Session::open(certificates.resolver(), &certificates.authority().unwrap().der, name)
}

#[test]
fn the_first_start_makes_an_authority_and_a_leaf_that_clients_accept() {
    let bench = Bench::new();
    let certificates = bench.open().with_host("studio");
    assert!(certificates.current().is_none() && certificates.authority().is_none());
    let ensured = certificates.ensure(&home(), now()).unwrap();
    assert!(ensured.created_authority && ensured.issued);
    let authority = certificates.authority().unwrap();
    assert!(authority.name.starts_with("Gatehouse on studio, "), "{}", authority.name);
    assert_eq!(ensured.facts.ca_sha256.as_ref(), Some(&authority.sha256));
    for name in ["mini.local", "192.168.1.20", "::1"] {
        let session = connect(&certificates, name).unwrap();
        assert_eq!(session.leaf(), ensured.facts.sha256);
        assert_eq!(session.chain().len(), 2);
        assert_eq!(session.chain()[1].as_ref(), authority.der);
    }
}

#[test]
fn a_client_that_asks_for_another_name_is_refused() {
    let bench = Bench::new();
    let certificates = bench.opened();
    assert!(connect(&certificates, "other.local").is_err());
    let error = connect(&certificates, "192.168.1.21").err().unwrap();
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[test]
fn fingerprints_are_upper_case_hex_with_colons() {
    let bench = Bench::new();
    let sha256 = bench.opened().current().unwrap().sha256.clone();
    assert_eq!(sha256.len(), 32 * 3 - 1);
    assert!(
        sha256
            .split(':')
            .all(|byte| byte.len() == 2
                && byte.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c)))
    );
}

#[test]
fn a_second_start_serves_the_same_leaf_without_asking_the_vault() {
    let bench = Bench::new();
    let before = bench.opened().current().unwrap();
    bench.vault.fail(Some(VaultError::Locked("no one is here".into())));
    *bench.vault.reads.lock().unwrap() = 0;
    let certificates = bench.open();
    assert_eq!(certificates.current().unwrap(), before);
    let ensured = certificates.ensure(&names(&["mini.local"]), now()).unwrap();
    assert!(!ensured.issued && !ensured.created_authority);
    assert_eq!(*bench.vault.reads.lock().unwrap(), 0);
    assert_eq!(connect(&certificates, "mini.local").unwrap().leaf(), before.sha256);
}

#[test]
fn a_new_address_gets_a_new_leaf_of_the_same_authority() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let (before, authority) = (certificates.current().unwrap(), certificates.authority().unwrap());
    let ensured = certificates.ensure(&names(&["mini.local", "10.0.0.7"]), now()).unwrap();
    assert!(ensured.issued && !ensured.created_authority);
    assert_ne!(ensured.facts.sha256, before.sha256);
    assert_eq!(certificates.authority().unwrap(), authority);
    assert!(connect(&certificates, "10.0.0.7").is_ok());
}

#[test]
fn only_the_served_leaf_and_the_one_before_stay_on_disk() {
    let bench = Bench::new();
    let certificates = bench.opened();
    for last in 1..5 {
        certificates.ensure(&names(&[&format!("10.0.0.{last}")]), now() + Duration::seconds(last)).unwrap();
    }
    assert_eq!(fs::read_dir(bench.path().join("issued")).unwrap().count(), 2);
}

#[test]
fn a_name_outside_the_constraints_is_refused_by_name_and_changes_nothing() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let before = certificates.current();
    for public in ["www.example.com", "8.8.8.8"] {
        let wanted = names(&["mini.local", public]);
        let error = certificates.ensure(&wanted, now()).unwrap_err();
        assert!(matches!(&error, CertError::OutsideConstraints { name } if name == public), "{error}");
        let foreseen = certificates.check(&wanted).unwrap_err();
        assert!(matches!(&foreseen, CertError::OutsideConstraints { name } if name == public), "{foreseen}");
    }
    assert_eq!(certificates.current(), before);
}

#[test]
fn no_names_and_too_many_names_are_refused() {
    let bench = Bench::new();
    let certificates = bench.open();
    assert!(matches!(certificates.ensure(&Names::default(), now()), Err(CertError::NoNames)));
    let many: Vec<String> = (0..=MOST_NAMES).map(|n| format!("n{n}.local")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(certificates.ensure(&names(&many), now()), Err(CertError::TooManyNames { .. })));
    assert!(certificates.authority().is_none());
}

#[test]
fn a_lost_authority_key_keeps_the_leaf_and_never_makes_a_new_authority() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let (leaf, authority) = (certificates.current(), certificates.authority());
    bench.vault.remove(AUTHORITY_KEY).unwrap();
    for vault_says in [None, Some(VaultError::Missing("marker".into()))] {
        bench.vault.fail(vault_says);
        let error = certificates.ensure(&names(&["new.local"]), now()).unwrap_err();
        assert!(matches!(error, CertError::AuthorityKeyMissing), "{error}");
        assert!(error.to_string().contains("unlock or restore"), "{error}");
    }
    assert_eq!((certificates.current(), certificates.authority()), (leaf, authority));
    assert!(connect(&certificates, "mini.local").is_ok());
    assert!(!certificates.ensure(&home(), now()).unwrap().issued);
}

#[test]
fn a_locked_vault_is_told_apart_and_the_leaf_stays() {
    let bench = Bench::new();
    let certificates = bench.opened();
    bench.vault.fail(Some(VaultError::Locked("login".into())));
    let error = certificates.ensure(&names(&["new.local"]), now()).unwrap_err();
    assert!(matches!(error, CertError::Vault(VaultError::Locked(_))), "{error}");
    assert!(connect(&certificates, "mini.local").is_ok());
    bench.vault.fail(None);
    assert!(certificates.ensure(&names(&["new.local"]), now()).unwrap().issued);
}

#[test]
fn a_foreign_key_in_the_vault_is_never_used() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let (_, foreign) = Authority::create("other", &Permitted::private(), now()).unwrap();
    bench.vault.put(AUTHORITY_KEY, &foreign).unwrap();
    let error = certificates.ensure(&names(&["new.local"]), now()).unwrap_err();
    assert!(matches!(error, CertError::AuthorityKeyMismatch), "{error}");
}

#[test]
fn a_vault_that_loses_the_key_gets_no_authority() {
    let bench = Bench::new();
    *bench.vault.forgetful.lock().unwrap() = true;
    let certificates = bench.open();
    assert!(matches!(certificates.ensure(&home(), now()), Err(CertError::AuthorityKeyMissing)));
    assert!(certificates.authority().is_none() && !bench.path().join("authority.pem").exists());
    *bench.vault.forgetful.lock().unwrap() = false;
    assert!(certificates.ensure(&home(), now()).unwrap().created_authority);
}

#[test]
fn a_crash_between_the_vault_and_the_authoritys_file_starts_over() {
    let bench = Bench::new();
    let (_, orphan) = Authority::create("crashed", &Permitted::private(), now()).unwrap();
    bench.vault.put(AUTHORITY_KEY, &orphan).unwrap();
    let certificates = bench.opened();
    assert!(connect(&certificates, "mini.local").is_ok());
}

#[test]
fn a_crash_between_the_authority_and_its_first_leaf_keeps_the_authority() {
    let bench = Bench::new();
    let authority = bench.opened().authority().unwrap();
    fs::remove_file(bench.path().join("current")).unwrap();
    fs::remove_dir_all(bench.path().join("issued")).unwrap();
    let certificates = bench.open();
    assert!(certificates.current().is_none());
    let ensured = certificates.ensure(&home(), now()).unwrap();
    assert!(ensured.issued && !ensured.created_authority);
    assert_eq!(certificates.authority().unwrap(), authority);
}

#[test]
fn a_lost_or_damaged_authority_file_is_restored_from_the_chain() {
    let bench = Bench::new();
    let authority = bench.opened().authority().unwrap();
    let file = bench.path().join("authority.pem");
    for damage in [None, Some("rubbish")] {
        match damage {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let certificates = bench.open();
        assert_eq!(certificates.authority().as_ref(), Some(&authority));
        assert_eq!(fs::read_to_string(&file).unwrap(), authority.pem);
        assert!(!certificates.ensure(&home(), now()).unwrap().issued);
    }
}

#[test]
fn a_damaged_authority_without_a_copy_is_an_error_until_it_is_purged() {
    let bench = Bench::new();
    drop(bench.opened());
    fs::write(bench.path().join("authority.pem"), "rubbish").unwrap();
    fs::remove_dir_all(bench.path().join("issued")).unwrap();
    let certificates = bench.open();
    let error = certificates.ensure(&home(), now()).unwrap_err();
    assert!(matches!(error, CertError::AuthorityDamaged { .. }), "{error}");
    assert!(error.to_string().contains("authority.pem") && error.to_string().contains("reset"), "{error}");
    certificates.purge().unwrap();
    assert!(certificates.ensure(&home(), now()).unwrap().created_authority);
}

#[test]
fn a_damaged_leaf_is_replaced_under_the_same_authority() {
    let bench = Bench::new();
    let authority = bench.opened().authority().unwrap();
    for folder in fs::read_dir(bench.path().join("issued")).unwrap() {
        fs::write(folder.unwrap().path().join("key.pem"), "rubbish").unwrap();
    }
    let certificates = bench.open();
    assert!(certificates.current().is_none());
    let ensured = certificates.ensure(&home(), now()).unwrap();
    assert!(ensured.issued && !ensured.created_authority);
    assert_eq!(certificates.authority().unwrap(), authority);
}

#[test]
fn an_old_leaf_is_renewed_and_an_expired_authority_is_an_error() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let later = now() + Duration::days(300);
    assert_eq!(certificates.decide(&home(), later), Decision::Issue { reason: Reason::Age });
    assert!(certificates.ensure(&home(), later).unwrap().issued);
    let far = now() + Duration::days(3660);
    let error = certificates.ensure(&home(), far).unwrap_err();
    assert!(matches!(error, CertError::AuthorityExpired { .. }), "{error}");
}

#[test]
fn a_clock_that_jumped_back_issues_nothing() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let behind = now() - Duration::days(400);
    let error = certificates.ensure(&home(), behind).unwrap_err();
    assert!(matches!(error, CertError::ClockBehind { .. }), "{error}");
    assert!(error.to_string().contains("set the clock"), "{error}");
    assert!(certificates.current().is_some());
}

#[test]
fn a_leaf_made_by_a_clock_that_was_ahead_is_replaced_when_the_clock_is_right_again() {
    let bench = Bench::new();
    let certificates = bench.opened();
    assert!(certificates.ensure(&home(), now() + Duration::days(2000)).unwrap().issued);
    assert!(connect(&certificates, "mini.local").is_err());
    assert!(certificates.ensure(&home(), now()).unwrap().issued);
    assert!(connect(&certificates, "mini.local").is_ok());
    assert!(connect(&bench.open(), "mini.local").is_ok());
}

#[test]
fn purge_forgets_everything_but_open_connections() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let authority = certificates.authority().unwrap();
    let mut open = connect(&certificates, "mini.local").unwrap();
    certificates.purge().unwrap();
    assert_eq!(open.say("still here"), "still here");
    assert!(certificates.current().is_none() && certificates.authority().is_none());
    assert!(bench.vault.get(AUTHORITY_KEY).unwrap().is_none());
    assert!(Session::open(certificates.resolver(), &authority.der, "mini.local").is_err());
    certificates.purge().unwrap();
}

#[test]
fn a_purge_that_the_vault_stopped_changes_nothing_and_can_be_repeated() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let before = (certificates.authority().unwrap().sha256, certificates.current().unwrap());
    bench.vault.fail(Some(VaultError::Denied("no".into())));
    assert!(matches!(certificates.purge(), Err(CertError::Vault(_))));
    assert!(connect(&certificates, "mini.local").is_ok());
    for certificates in [&certificates, &bench.open()] {
        assert_eq!((certificates.authority().unwrap().sha256, certificates.current().unwrap()), before);
    }
    bench.vault.fail(None);
    certificates.purge().unwrap();
    assert!(bench.vault.get(AUTHORITY_KEY).unwrap().is_none());
    assert!(bench.open().authority().is_none());
}

#[test]
fn swapping_fails_no_handshake_and_open_connections_live() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let mut open = connect(&certificates, "mini.local").unwrap();
    let first = open.leaf();
    let (stop, handshakes) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    connect(&certificates, "mini.local").unwrap();
                    handshakes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for last in 1..=40 {
            let wanted = names(&["mini.local", &format!("10.0.0.{last}")]);
            let ensured = certificates.ensure(&wanted, now()).unwrap();
            assert!(ensured.issued);
            assert_eq!(connect(&certificates, "mini.local").unwrap().leaf(), ensured.facts.sha256);
            assert_eq!(open.say("alive"), "alive");
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(handshakes.load(Ordering::Relaxed) > 0);
    assert_eq!(open.leaf(), first);
}

#[test]
fn a_renewal_that_is_asked_for_is_made_at_once_and_keeps_the_key_only_when_told_so() {
    let bench = Bench::new();
    let certificates = bench.opened();
    let first = certificates.current().unwrap();

    let kept = certificates.renew(&home(), true, now()).unwrap().facts;
    assert!(kept.sha256 != first.sha256 && kept.public_key == first.public_key);
    let at = now();
    let fresh = certificates.renew(&home(), false, at).unwrap().facts;
    assert!(fresh.sha256 != kept.sha256 && fresh.public_key != kept.public_key);

    assert_eq!(connect(&certificates, "mini.local").unwrap().leaf(), fresh.sha256);
    assert_eq!(bench.open().current().unwrap().sha256, fresh.sha256, "after a restart");
    assert_eq!(fresh.public_key.len(), 44);
    let chain = fs::read_to_string(certificates.chain_file().unwrap()).unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(certificates.issued().unwrap(), (fresh.sha256.clone(), at));
}
