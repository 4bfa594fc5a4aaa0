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
    Served { dns: names, key: Arc::new(key) }
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
