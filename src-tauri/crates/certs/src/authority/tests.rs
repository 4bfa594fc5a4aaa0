use super::*;
use crate::testkit::now;

#[test]
fn an_authority_is_limited_lasts_ten_years_and_says_where_and_when() {
    let now = now();
    let (authority, _) = Authority::create("mini", &Permitted::private(), now).unwrap();
    assert_eq!(authority.permitted, Permitted::private());
    assert_eq!(authority.facts.name, format!("Gatehouse on mini, {}", now.date()));
    assert_eq!(authority.facts.created, now);
    assert_eq!(authority.facts.not_after, now - BACK_DATED + LIFE);
    let (_, certificate) = X509Certificate::from_der(&authority.facts.der).unwrap();
    let basic = certificate.basic_constraints().unwrap().unwrap();
    assert!(basic.critical && basic.value.ca);
    assert_eq!(basic.value.path_len_constraint, Some(0));
    let constraints = certificate
        .extensions()
        .iter()
        .find(|e| matches!(e.parsed_extension(), ParsedExtension::NameConstraints(_)));
    assert!(constraints.unwrap().critical);
}

#[test]
fn a_very_long_host_name_still_makes_a_valid_common_name() {
    let (authority, _) = Authority::create(&"x".repeat(300), &Permitted::private(), now()).unwrap();
    assert!(authority.facts.name.chars().count() <= 64, "{}", authority.facts.name);
}

#[test]
fn its_pem_is_read_back_to_the_same_authority() {
    let (authority, key) = Authority::create("mini", &Permitted::private(), now()).unwrap();
    let again = Authority::from_pem(authority.facts.pem.as_bytes()).unwrap();
    assert_eq!(again.facts, authority.facts);
    assert!(again.unlock(&key).is_ok());
}

#[test]
fn another_authoritys_key_does_not_unlock_it() {
    let (authority, _) = Authority::create("a", &Permitted::private(), now()).unwrap();
    let (_, other) = Authority::create("b", &Permitted::private(), now()).unwrap();
    for key in [other, SecretString::from("rubbish")] {
        assert!(matches!(authority.unlock(&key), Err(CertError::AuthorityKeyMismatch)));
    }
}

#[test]
fn an_unlimited_authority_and_a_leaf_are_not_accepted() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    let leaf = params.self_signed(&key).unwrap();
    assert!(Authority::from_der(leaf.der()).unwrap_err().contains("not that of an authority"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let unlimited = params.self_signed(&key).unwrap();
    assert!(Authority::from_der(unlimited.der()).unwrap_err().contains("not limited"));
}
