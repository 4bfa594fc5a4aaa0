use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::PrivateKeyDer;

use super::*;

fn served(dns: &[&str]) -> Served {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names.clone()).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = CertifiedKey::from_der(vec![certificate.der().clone()], key, &default_provider()).unwrap();
    Served { dns: names, ips: Vec::new(), key: Arc::new(key) }
}

fn is(found: Option<Arc<CertifiedKey>>, served: &Served) -> bool {
    found.is_some_and(|key| Arc::ptr_eq(&key, &served.key))
}

#[test]
fn no_name_gets_the_default_and_an_unknown_name_gets_nothing() {
    let resolver = Resolver::default();
    assert!(resolver.lookup(None).is_none());
    let local = served(&["mini.local"]);
    resolver.set_default(Some(local.clone()));
    assert!(is(resolver.lookup(None), &local));
    assert!(is(resolver.lookup(Some("MINI.local.")), &local));
    assert!(resolver.lookup(Some("other.local")).is_none());
    assert!(resolver.lookup(Some("localhost")).is_none());
}

#[test]
fn a_certificate_of_its_own_wins_for_its_names_until_it_is_removed() {
    let resolver = Resolver::default();
    let local = served(&["mini.local", "home.example.org"]);
    let public = served(&["home.example.org"]);
    resolver.set_default(Some(local.clone()));
    resolver.set("acme:home.example.org", public.clone());
    assert!(is(resolver.lookup(Some("home.example.org")), &public));
    assert!(is(resolver.lookup(Some("mini.local")), &local));
    assert!(is(resolver.lookup(None), &local));
    resolver.remove("acme:home.example.org");
    assert!(is(resolver.lookup(Some("home.example.org")), &local));
}

#[test]
fn a_wildcard_stands_for_exactly_one_label_and_an_exact_name_wins() {
    let resolver = Resolver::default();
    let wild = served(&["*.example.org"]);
    let exact = served(&["a.example.org"]);
    resolver.set("1", wild.clone());
    resolver.set("2", exact.clone());
    assert!(is(resolver.lookup(Some("b.example.org")), &wild));
    assert!(is(resolver.lookup(Some("a.example.org")), &exact));
    assert!(resolver.lookup(Some("example.org")).is_none());
    assert!(resolver.lookup(Some("x.b.example.org")).is_none());
}

/// An imported certificate with an RSA key, as `openssl req` makes it.
fn with_rsa(dns: &[&str], ips: &[&str]) -> Served {
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    of(key, dns, ips)
}

fn with_ecdsa(dns: &[&str], ips: &[&str]) -> Served {
    of(KeyPair::generate().unwrap(), dns, ips)
}

fn of(key: KeyPair, dns: &[&str], ips: &[&str]) -> Served {
    let names: Vec<String> = dns.iter().chain(ips).map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = CertifiedKey::from_der(vec![certificate.der().clone()], key, &default_provider()).unwrap();
    Served {
        dns: dns.iter().map(|name| (*name).to_owned()).collect(),
        ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(),
        key: Arc::new(key),
    }
}

const ECDSA: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
const RSA: SignatureScheme = SignatureScheme::RSA_PSS_SHA256;

#[test]
fn of_two_keys_a_client_gets_the_one_that_it_can_check() {
    let resolver = Resolver::default();
    let (rsa, ecdsa) = (with_rsa(&["home.example"], &[]), with_ecdsa(&["home.example"], &[]));
    resolver.set_imported(vec![rsa.clone(), ecdsa.clone()]);
    assert!(is(resolver.choose("home.example", &[RSA, ECDSA]), &ecdsa));
    assert!(is(resolver.choose("home.example", &[RSA]), &rsa));
    assert!(is(resolver.choose("home.example", &[ECDSA]), &ecdsa));
    assert!(is(resolver.choose("home.example", &[SignatureScheme::ED448]), &ecdsa));
    resolver.set_imported(vec![rsa.clone()]);
    assert!(is(resolver.choose("home.example", &[ECDSA]), &rsa), "there is nothing better");
    resolver.set_default(Some(served(&["home.example"])));
    assert!(!is(resolver.choose("home.example", &[ECDSA]), &rsa), "the default can be checked");
}

#[test]
fn imported_ones_win_over_all_others_for_their_names_and_addresses() {
    let resolver = Arc::new(Resolver::default());
    let own = with_ecdsa(&["home.example"], &["192.168.1.5", "8.8.4.4"]);
    let (acme, local) = (served(&["home.example"]), served(&["home.example"]));
    resolver.set_default(Some(local.clone()));
    resolver.set("acme:home.example", acme.clone());
    resolver.set_imported(vec![own.clone()]);
    assert!(is(resolver.lookup(Some("home.example")), &own));
    let at = |local: &str, peer: &str| {
        resolver.by_address(local.parse().unwrap(), peer.parse().unwrap(), &[ECDSA])
    };
    assert!(is(at("192.168.1.5", "192.168.1.9"), &own));
    assert!(is(at("::ffff:192.168.1.5", "192.168.1.9"), &own));
    assert!(at("192.168.1.6", "192.168.1.9").is_none(), "the default, for everybody else");
    assert!(
        is(at("192.168.1.6", "9.9.9.9"), &own),
        "a public client behind a router used the public address"
    );
    assert!(is(resolver.lookup_address("192.168.1.5".parse().unwrap()), &own));
    assert!(is(resolver.lookup_address("8.8.8.8".parse().unwrap()), &own));
    assert!(is(resolver.lookup_address("192.168.1.6".parse().unwrap()), &local));
    let ends = |local: &str, peer: &str| resolver.at(local.parse().unwrap(), peer.parse().unwrap()).is_some();
    assert!(ends("192.168.1.5", "192.168.1.9") && ends("192.168.1.6", "9.9.9.9"));
    assert!(!ends("192.168.1.6", "192.168.1.9"));
    resolver.set_imported(Vec::new());
    assert!(is(resolver.lookup(Some("home.example")), &acme));
    assert!(at("192.168.1.5", "192.168.1.9").is_none());
}
