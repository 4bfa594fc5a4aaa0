mod files;
mod watching;

use std::path::Path;

use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

use super::*;
use crate::testkit::now;
use files::{Maker, openssl, pem};

fn read(parts: &[&str]) -> Result<Pair, ImportError> {
    let names: Vec<String> = (0..parts.len()).map(|number| format!("file {number}")).collect();
    let files: Vec<Material<'_>> =
        names.iter().zip(parts).map(|(file, text)| Material { file, bytes: text.as_bytes() }).collect();
    Pair::read(&files, None)
}

fn pkcs12(path: &Path, password: Option<&str>) -> Result<Pair, ImportError> {
    let bytes = std::fs::read(path).unwrap();
    let password = password.map(|text| SecretString::from(text.to_owned()));
    Pair::read(&[Material { file: "bundle.p12", bytes: &bytes }], password.as_ref())
}

#[test]
fn a_chain_in_any_order_is_served_in_order_without_its_root_and_without_strangers() {
    let maker = Maker::new();
    let made = maker.leaf(|_| {});
    let stranger = Maker::new().root;
    let (leaf, between, root) = (pem(&made.certificate), pem(&maker.between), pem(&maker.root));
    let tidy = read(&[&format!("{leaf}{between}{root}"), &made.key]).unwrap();
    assert_eq!(tidy.chain(), [made.certificate.clone(), maker.between.clone()]);
    assert_eq!(tidy.remarks, []);
    let messy = read(&[&format!("{}{root}{between}{}{leaf}", made.key, pem(&stranger))]).unwrap();
    assert_eq!(messy.chain(), tidy.chain());
    assert!(messy.remarks.contains(&Remark::Reordered), "{:?}", messy.remarks);
    assert!(
        messy.remarks.iter().any(|one| matches!(one, Remark::LeftOut { subjects } if subjects.len() == 1))
    );
    let names: Vec<String> = messy.facts.names.texts().collect();
    assert_eq!(names, ["*.below.example", "home.example", "192.0.2.7"]);
    assert_eq!(messy.algorithm, "ECDSA");
    messy.in_time(now()).unwrap();
    let alone = read(&[&leaf, &made.key]).unwrap();
    assert_eq!(alone.remarks, [Remark::IssuerMissing { issuer: "CN=between".to_owned() }]);
}

#[test]
fn every_form_of_a_key_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let cases: [(&str, &[&str], &[&str]); 4] = [
        ("SEC1", &["ecparam", "-genkey", "-name", "prime256v1"], &["ec"]),
        ("PKCS#8", &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], &["pkey"]),
        (
            "PKCS#1",
            &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            &["rsa", "-traditional"],
        ),
        ("Ed25519", &["genpkey", "-algorithm", "ED25519"], &["pkey"]),
    ];
    for (what, make, convert) in cases {
        let (raw, key, chain) = (at("raw.pem"), at("key.pem"), at("chain.pem"));
        openssl(&[make, &["-out", &raw]].concat());
        openssl(&[convert, &["-in", &raw, "-out", &key]].concat());
        let names = "subjectAltName=DNS:home.example";
        openssl(&[
            "req", "-x509", "-new", "-key", &key, "-subj", "/CN=x", "-addext", names, "-days", "9", "-out",
            &chain,
        ]);
        let [key, chain] = [&key, &chain].map(|path| std::fs::read_to_string(path).unwrap());
        let pair = read(&[&chain, &key]).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(pair.remarks.contains(&Remark::SelfSigned), "{what}");
        let der = rustls_pki_types::PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Pair::read(
            &[
                Material { file: "c", bytes: chain.as_bytes() },
                Material { file: "k", bytes: der.secret_der() },
            ],
            None,
        )
        .unwrap_or_else(|error| panic!("{what} as DER: {error}"));
    }
}

#[test]
fn pkcs12_files_of_old_and_new_programs_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).display().to_string();
    let maker = Maker::new();
    let made = maker.leaf(|_| {});
    std::fs::write(at("key.pem"), &made.key).unwrap();
    std::fs::write(at("leaf.pem"), pem(&made.certificate)).unwrap();
    std::fs::write(at("more.pem"), format!("{}{}", pem(&maker.root), pem(&maker.between))).unwrap();
    let legacy = openssl_may(&["list", "-providers", "-provider", "legacy"]);
    let triple = ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    let mut cases: Vec<(&str, &[&str])> = vec![
        ("OpenSSL 3 (PBES2, AES-256, SHA-256)", &[]),
        ("AES-128, SHA-512", &["-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC", "-macalg", "sha512"]),
        ("3DES, SHA-1 (Windows, Keychain Access)", &triple),
    ];
    match legacy {
        true => cases.push(("OpenSSL 1 (RC2, 3DES)", &["-legacy"])),
        false => println!("skipped: OpenSSL's legacy provider is not installed, so no RC2 file can be made"),
    }
    for (what, how) in cases {
        let out = text("bundle.p12");
        std::fs::write(at("password"), "pässword\n").unwrap();
        let pass = format!("file:{}", text("password"));
        let (key, leaf, more) = (text("key.pem"), text("leaf.pem"), text("more.pem"));
        openssl(
            &[
                &["pkcs12", "-export", "-inkey", &key, "-in", &leaf, "-certfile", &more],
                &["-passout", &pass, "-out", &out][..],
                how,
            ]
            .concat(),
        );
        let pair = pkcs12(&at("bundle.p12"), Some("pässword")).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(pair.chain(), [made.certificate.clone(), maker.between.clone()], "{what}");
        let error = pkcs12(&at("bundle.p12"), Some("password")).unwrap_err();
        assert!(matches!(error, ImportError::PasswordWrong { .. }), "{what}: {error}");
        let error = pkcs12(&at("bundle.p12"), None).unwrap_err();
        assert!(matches!(error, ImportError::PasswordWanted { .. }), "{what}: {error}");
    }
    let (key, leaf, out) = (text("key.pem"), text("leaf.pem"), text("open.p12"));
    openssl(&["pkcs12", "-export", "-inkey", &key, "-in", &leaf, "-passout", "pass:", "-out", &out]);
    pkcs12(&at("open.p12"), None).unwrap();
    let whole = std::fs::read(at("open.p12")).unwrap();
    for end in [1, whole.len() / 2, whole.len() - 1] {
        let error = Pair::read(&[Material { file: "x", bytes: &whole[..end] }], None).unwrap_err();
        assert!(matches!(error, ImportError::NotUnderstood { .. }), "{end}: {error}");
    }
}

fn openssl_may(arguments: &[&str]) -> bool {
    std::process::Command::new("openssl").args(arguments).output().is_ok_and(|done| done.status.success())
}

#[test]
fn what_does_not_fit_is_named() {
    let maker = Maker::new();
    let made = maker.leaf(|_| {});
    let other = maker.leaf(|_| {});
    let chain = format!("{}{}", pem(&made.certificate), pem(&maker.between));
    assert!(matches!(read(&[&chain]), Err(ImportError::NoKey)));
    assert!(matches!(read(&[&made.key]), Err(ImportError::NoCertificate)));
    let Err(ImportError::KeyMismatch { subjects }) = read(&[&chain, &other.key]) else { panic!("it fits") };
    assert_eq!(subjects, ["CN=leaf", "CN=between"]);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(
        matches!(read(&[&chain, encrypted]), Err(ImportError::KeyEncrypted { file }) if file == "file 1")
    );
    assert!(matches!(read(&["hello"]), Err(ImportError::NotUnderstood { file }) if file == "file 0"));
    let half = &chain[..chain.len() / 3];
    assert!(matches!(
        read(&[half, &made.key]),
        Err(ImportError::Damaged { .. } | ImportError::NotUnderstood { .. })
    ));
    let impostor = Maker::new();
    let forged = format!("{}{}", pem(&made.certificate), pem(&impostor.between));
    assert!(matches!(read(&[&forged, &made.key]), Err(ImportError::ChainBroken { .. })));
}

#[test]
fn what_clients_would_refuse_is_refused_here() {
    let maker = Maker::new();
    let refused = |made: files::Made| {
        let chain = format!("{}{}", pem(&made.certificate), pem(&maker.between));
        read(&[&chain, &made.key]).and_then(|pair| pair.in_time(now()))
    };
    refused(maker.leaf(|_| {})).unwrap();
    let nameless = refused(maker.leaf(|params| params.subject_alt_names.clear()));
    assert!(matches!(nameless, Err(ImportError::NoNames { subject }) if subject == "CN=leaf"));
    let client =
        refused(maker.leaf(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]));
    assert!(matches!(client, Err(ImportError::NotForServers { why }) if why.contains("clientAuth")));
    let usage = refused(maker.leaf(|params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]));
    assert!(matches!(usage, Err(ImportError::NotForServers { .. })));
    let over = refused(maker.leaf(|params| params.not_after = now() - Duration::minutes(1)));
    assert!(matches!(over, Err(ImportError::Expired { .. })));
    let early = refused(maker.leaf(|params| params.not_before = now() + Duration::minutes(1)));
    assert!(matches!(early, Err(ImportError::NotYetValid { .. })));
    let old = Maker::ending(now() - Duration::minutes(1));
    let made = old.leaf(|_| {});
    let pair = read(&[&pem(&made.certificate), &pem(&old.between), &made.key]).unwrap();
    let error = pair.in_time(now()).unwrap_err();
    assert!(matches!(error, ImportError::IssuerExpired { subject, .. } if subject == "CN=between"));

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:1024",
        "-nodes",
        "-keyout",
        &at("key"),
        "-out",
        &at("cert"),
        "-subj",
        "/CN=x",
        "-addext",
        "subjectAltName=DNS:home.example",
        "-days",
        "9",
    ]);
    let [chain, key] = ["cert", "key"].map(|name| std::fs::read_to_string(at(name)).unwrap());
    assert!(matches!(read(&[&chain, &key]), Err(ImportError::Weak { what }) if what == "RSA, 1024 bits"));
}

#[test]
fn a_certificate_is_warned_of_when_a_fifth_of_its_life_is_left() {
    let begin = OffsetDateTime::UNIX_EPOCH;
    for life in [Duration::hours(160), Duration::days(90), Duration::days(365)] {
        let end = begin + life;
        let left = |part: i32, of: i32| expiry(begin, end, end - life * part / of);
        assert_eq!([left(1, 1), left(1, 3), left(1, 4)], [Expiry::Fine; 3]);
        assert_eq!([left(1, 6), left(1, 100)], [Expiry::Soon; 2]);
        assert_eq!(expiry(begin, end, end + Duration::seconds(1)), Expiry::Over);
    }
}

#[test]
fn a_chain_that_nobody_knows_is_not_trusted_by_everybody() {
    let maker = Maker::new();
    let made = maker.leaf(|_| {});
    let pair = read(&[&pem(&made.certificate), &pem(&maker.between), &made.key]).unwrap();
    assert_eq!(verdict(&pair), Verdict::UnknownIssuer);
}

fn ders(pair: &Pair) -> Vec<CertificateDer<'static>> {
    pair.chain().to_vec()
}
