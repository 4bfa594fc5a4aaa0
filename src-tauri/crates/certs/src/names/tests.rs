use super::*;
use crate::testkit::names;

#[test]
fn canonical_names_are_lower_case_without_the_final_dot() {
    assert_eq!(names(&["Mini.Local."]).canonical().unwrap(), names(&["mini.local"]));
}

#[test]
fn an_ipv4_mapped_address_counts_as_ipv4() {
    assert_eq!(names(&["::ffff:192.168.1.4"]).canonical().unwrap(), names(&["192.168.1.4"]));
}

#[test]
fn what_is_no_dns_name_is_refused_by_name() {
    for bad in ["", ".", "a b", "bücher.local", "a..b", "*", "-", &"x".repeat(64)] {
        let error = names(&[bad]).canonical().unwrap_err();
        assert!(matches!(&error, CertError::InvalidName { name } if name == bad), "{bad:?}: {error}");
    }
}

#[test]
fn only_what_is_lacking_is_missing() {
    let have = names(&["a.local", "b.local", "10.0.0.1"]);
    assert!(have.missing(&names(&["a.local", "10.0.0.1"])).is_empty());
    assert_eq!(have.missing(&names(&["c.local", "10.0.0.1", "10.0.0.2"])), names(&["c.local", "10.0.0.2"]));
}
