use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, Error};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use time::Duration;

use super::*;
use crate::facts::pem_of;
use crate::testkit::{MemoryVault, now};
use crate::{CertError, Vault, VaultError};

struct House {
    folder: TempDir,
    vault: Arc<MemoryVault>,
    rules: ClientRules,
}

fn house() -> House {
    let folder = TempDir::new().unwrap();
    let vault = Arc::new(MemoryVault::default());
    let authority = ClientAuthority::open(&folder.path().join("clients"), vault.clone()).unwrap();
    House { folder, vault, rules: ClientRules::new(Arc::new(authority)) }
}

fn certificate(issued: &IssuedClient) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.pem().expose_secret().as_bytes()).unwrap()
}

fn judged(verifier: &Arc<dyn ClientCertVerifier>, certificate: &CertificateDer<'_>) -> Result<(), Error> {
    verifier.verify_client_cert(certificate, &[], UnixTime::now()).map(|_| ())
}

fn rule(ca: Option<&std::path::Path>, crls: &[&std::path::Path]) -> BTreeMap<String, ClientRule> {
    let rule =
        ClientRule { ca: ca.map(Into::into), crls: crls.iter().map(|path| path.to_path_buf()).collect() };
    BTreeMap::from([("home.example".to_owned(), rule)])
}

#[test]
fn a_device_gets_in_until_its_certificate_is_taken_back_with_the_vault_locked() {
    let house = house();
    house.rules.set(&rule(None, &[]));
    let status = &house.rules.status()[0];
    assert!(status.problem.as_ref().unwrap().contains("no client"), "{status:?}");
    let authority = house.rules.authority().clone();
    let phone = authority.issue("Ada's phone", "mini", Duration::days(30), now()).unwrap();
    let laptop = authority.issue("laptop", "mini", Duration::days(30), now()).unwrap();
    assert!(house.rules.refresh() && !house.rules.refresh());
    assert_eq!(house.rules.status()[0].problem, None);
    let verifier = house.rules.verifiers()["home.example"].clone();
    judged(&verifier, &certificate(&phone)).unwrap();
    assert!(verifier.client_auth_mandatory());
    assert!(called(&certificate(&phone)).starts_with("Ada's phone sha256:"));

    house.vault.fail(Some(VaultError::Locked("test".to_owned())));
    let revoked = authority.set_revoked(std::slice::from_ref(&phone.facts.serial), Some(now())).unwrap();
    assert_eq!(revoked.len(), 1);
    assert!(house.rules.refresh());
    let verifier = house.rules.verifiers()["home.example"].clone();
    let refused = judged(&verifier, &certificate(&phone)).unwrap_err();
    assert_eq!(refused, Error::InvalidCertificate(CertificateError::Revoked));
    judged(&verifier, &certificate(&laptop)).unwrap();
    assert!(matches!(authority.issue("x", "mini", Duration::days(1), now()), Err(CertError::Vault(_))));

    let again = ClientAuthority::open(&house.folder.path().join("clients"), house.vault.clone()).unwrap();
    assert_eq!(again.issued(), authority.issued());
    assert!(again.issued()[0].revoked_at.is_some(), "a restart does not forget it");
    authority.set_revoked(&[phone.facts.serial], None).unwrap();
    house.rules.refresh();
    judged(&house.rules.verifiers()["home.example"], &certificate(&laptop)).unwrap();
}

#[test]
fn listing_and_revoking_do_not_wait_for_a_vault_that_asks_its_owner() {
    let house = house();
    let authority = house.rules.authority().clone();
    let phone = authority.issue("phone", "mini", Duration::days(30), now()).unwrap().facts;
    let asked = house.vault.reads();
    let owner = house.vault.busy();
    let issuing = std::thread::spawn({
        let authority = authority.clone();
        move || authority.issue("laptop", "mini", Duration::days(30), now()).map(|issued| issued.facts)
    });
    while house.vault.reads() == asked {
        std::thread::yield_now();
    }

    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn({
        let (authority, serial) = (authority.clone(), phone.serial.clone());
        move || {
            let listed = authority.issued();
            let revoked = authority.set_revoked(&[serial], Some(now())).unwrap();
            told.send((listed, revoked.len(), authority.certificate().is_some())).unwrap();
        }
    });
    let heard = heard.recv_timeout(std::time::Duration::from_secs(10));
    drop(owner);
    let laptop = issuing.join().unwrap().unwrap();

    assert_eq!(heard, Ok((vec![phone.clone()], 1, true)));
    let issued = authority.issued();
    assert_eq!((&issued[0].serial, &issued[1]), (&phone.serial, &laptop));
    assert!(issued[0].revoked_at.is_some(), "issuing does not forget what was revoked meanwhile");
    let again = ClientAuthority::open(&house.folder.path().join("clients"), house.vault.clone()).unwrap();
    assert_eq!(again.issued(), issued);
}

#[test]
fn the_book_is_private_and_a_damaged_one_is_not_taken_for_an_empty_one() {
    let house = house();
    let authority = house.rules.authority();
    authority.issue("phone", "mini", Duration::days(30), now()).unwrap();
    let book = house.folder.path().join("clients/issued.json");
    assert_eq!(fs::metadata(&book).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&book).unwrap().contains("PRIVATE"));
    for damage in [Some("{"), None] {
        match damage {
            Some(text) => fs::write(&book, text).unwrap(),
            None => fs::remove_file(&book).unwrap(),
        }
        let again = ClientAuthority::open(&house.folder.path().join("clients"), house.vault.clone()).unwrap();
        assert!(again.damage().unwrap().contains("issued.json"));
        assert!(again.issue("laptop", "mini", Duration::days(30), now()).is_err());
        let rules = ClientRules::new(Arc::new(again));
        rules.set(&rule(None, &[]));
        assert!(rules.status()[0].problem.as_ref().unwrap().contains("issued.json"));
        let phone = house.rules.authority().issue("phone", "mini", Duration::days(30), now()).unwrap();
        let nobody = rules.verifiers()["home.example"].clone();
        assert!(judged(&nobody, &certificate(&phone)).is_err(), "nobody gets in");
    }
}

#[test]
fn another_key_in_the_vault_issues_nothing() {
    let house = house();
    let authority = house.rules.authority();
    authority.issue("phone", "mini", Duration::days(30), now()).unwrap();
    let other = SecretString::from(KeyPair::generate().unwrap().serialize_pem());
    house.vault.put(CLIENT_AUTHORITY_KEY, &other).unwrap();
    let refused = authority.issue("laptop", "mini", Duration::days(30), now());
    assert!(matches!(refused, Err(CertError::ClientAuthorityKeyMissing)));
    house.vault.remove(CLIENT_AUTHORITY_KEY).unwrap();
    let refused = authority.issue("laptop", "mini", Duration::days(30), now());
    assert!(matches!(refused, Err(CertError::ClientAuthorityKeyMissing)));
    assert_eq!(authority.issued().len(), 1);
}

#[test]
fn openssl_reads_what_devices_get() {
    let house = house();
    let issued = house.rules.authority().issue("Telefon ü", "mini", Duration::days(30), now()).unwrap();
    let at = |name: &str| house.folder.path().join(name);
    fs::write(at("password"), "secret\n").unwrap();
    for (old, expected) in [(false, "AES-256-CBC"), (true, "TripleDES")] {
        let bytes = issued.pkcs12(&SecretString::from("secret".to_owned()), old).unwrap();
        fs::write(at("client.p12"), bytes).unwrap();
        let done = Command::new("openssl")
            .args(["pkcs12", "-info", "-nodes", "-in"])
            .arg(at("client.p12"))
            .arg("-passin")
            .arg(format!("file:{}", at("password").display()))
            .output()
            .unwrap();
        let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{said}");
        assert!(said.contains(expected), "{said}");
        assert!(out.contains("BEGIN PRIVATE KEY"), "{out}");
        assert_eq!(CertificateDer::from_pem_slice(out.as_bytes()).unwrap(), certificate(&issued));
    }
    let ca = at("clients/authority.pem");
    fs::write(at("client.pem"), issued.pem().expose_secret()).unwrap();
    let verify = |purpose: &str| {
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-purpose", purpose, "-CAfile"]).arg(&ca).arg(at("client.pem"));
        openssl.output().unwrap().status.success()
    };
    assert!(verify("sslclient"));
    assert!(!verify("sslserver"), "it is good for clients only");
}

/// An authority of somebody else.
struct Company {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Company {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "company");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = pem_of([params.self_signed(&key).unwrap().der()]);
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn client(&self, serial: u64) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().clone()
    }

    fn crl(&self, revoked: &[u64], next: Duration) -> String {
        let params = CertificateRevocationListParams {
            this_update: now() - Duration::hours(2),
            next_update: now() + next,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: now() - Duration::hours(1),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

#[test]
fn files_of_an_authority_are_followed_and_broken_ones_keep_the_last_good_content() {
    let house = house();
    let company = Company::new();
    let at = |name: &str| house.folder.path().join(name);
    let (ca, crl) = (at("ca.pem"), at("crl.pem"));
    house.rules.set(&rule(Some(&ca), &[&crl]));
    let status = &house.rules.status()[0];
    assert!(status.problem.as_ref().unwrap().contains("ca.pem is missing"), "{status:?}");
    let (good, lost) = (company.client(1), company.client(2));
    let nobody = house.rules.verifiers()["home.example"].clone();
    assert!(judged(&nobody, &good).is_err(), "without its files a rule lets nobody in");

    fs::write(&ca, &company.pem).unwrap();
    fs::write(&crl, company.crl(&[], Duration::hours(1))).unwrap();
    assert!(house.rules.refresh());
    let verifier = || house.rules.verifiers()["home.example"].clone();
    judged(&verifier(), &good).unwrap();
    judged(&verifier(), &lost).unwrap();
    assert!(house.rules.status()[0].crl_due.is_some());
    let stranger = Company::new().client(1);
    assert!(judged(&verifier(), &stranger).is_err());

    fs::write(&crl, company.crl(&[2], Duration::hours(1))).unwrap();
    assert!(house.rules.refresh());
    judged(&verifier(), &good).unwrap();
    assert_eq!(judged(&verifier(), &lost).unwrap_err(), Error::InvalidCertificate(CertificateError::Revoked));

    fs::write(&crl, "rubbish").unwrap();
    assert!(house.rules.refresh());
    assert!(house.rules.status()[0].problem.is_some());
    judged(&verifier(), &good).unwrap();
    assert!(judged(&verifier(), &lost).is_err(), "who was revoked stays revoked");

    fs::write(&crl, company.crl(&[], -Duration::minutes(1))).unwrap();
    assert!(house.rules.refresh());
    assert!(judged(&verifier(), &good).is_err(), "a list past its time lets nobody in");
}

#[test]
fn rules_that_stay_keep_their_verifier() {
    let house = house();
    house.rules.authority().issue("phone", "mini", Duration::days(30), now()).unwrap();
    house.rules.set(&rule(None, &[]));
    let before = house.rules.verifiers()["home.example"].clone();
    let mut more = rule(None, &[]);
    more.insert("other.example".to_owned(), ClientRule::default());
    house.rules.set(&more);
    assert!(Arc::ptr_eq(&before, &house.rules.verifiers()["home.example"]));
    assert_eq!(house.rules.verifiers().len(), 2);
    house.rules.set(&BTreeMap::new());
    assert!(house.rules.verifiers().is_empty());
}
