use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::*;
use crate::testkit::{names, now};
use crate::{LeafFacts, Permitted};

fn authority() -> (Authority, Issuer<'static, KeyPair>) {
    let (authority, key) = Authority::create("mini", &Permitted::private(), now()).unwrap();
    let issuer = authority.unlock(&key).unwrap();
    (authority, issuer)
}

#[test]
fn a_leaf_is_for_servers_only_back_dated_and_lives_a_year() {
    let (authority, issuer) = authority();
    let wanted = names(&["mini.local", "192.168.1.20", "fd00::20"]);
    let issued = issue(&authority, &issuer, &wanted, None, now()).unwrap();
    let facts = LeafFacts::of(&issued.chain).unwrap();
    assert_eq!(facts.names, wanted);
    assert_eq!(facts.issuer, authority.facts.name);
    assert_eq!(facts.ca_sha256.as_ref(), Some(&authority.facts.sha256));
    assert_eq!(facts.not_after - facts.not_before, Duration::days(365));
    assert!(now() - facts.not_before >= Duration::hours(23));
    let (_, leaf) = X509Certificate::from_der(&issued.chain[0]).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any && usage.other.is_empty());
    assert!(!leaf.is_ca());
    assert!(
        leaf.extensions().iter().any(|e| e.oid.to_id_string() == "2.5.29.35"),
        "no authority key identifier"
    );
}

#[test]
fn two_leaves_share_neither_key_nor_serial_number() {
    let (authority, issuer) = authority();
    let issued = [0, 1].map(|_| issue(&authority, &issuer, &names(&["a.local"]), None, now()).unwrap());
    let [one, two] = issued.each_ref().map(|i| X509Certificate::from_der(&i.chain[0]).unwrap().1);
    assert_ne!(one.raw_serial(), two.raw_serial());
    assert!(one.raw_serial()[0] & 0x80 == 0 && one.raw_serial().len() == 16);
    assert_ne!(one.public_key().raw, two.public_key().raw);
}

#[test]
fn a_leaf_never_outlives_its_authority() {
    let (authority, issuer) = authority();
    let late = authority.facts.not_after - Duration::days(10);
    let issued = issue(&authority, &issuer, &names(&["a.local"]), None, late).unwrap();
    assert_eq!(LeafFacts::of(&issued.chain).unwrap().not_after, authority.facts.not_after);
}

#[test]
fn clients_refuse_a_public_name_that_the_authoritys_key_was_abused_for() {
    let (authority, issuer) = authority();
    for public in ["www.example.com", "8.8.8.8", "2001:4860:4860::8888"] {
        let error = issue(&authority, &issuer, &names(&[public, "mini.local"]), None, now()).err().unwrap();
        assert!(error.to_string().contains("NameConstraintViolation"), "{public}: {error}");
    }
}
