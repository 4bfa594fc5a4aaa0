use super::*;
use crate::testkit::names;

#[test]
fn private_names_and_addresses_are_allowed() {
    let wanted = names(&[
        "mini.local",
        "localhost",
        "nas.home.arpa",
        "x.y.internal",
        "mini.tail1234.ts.net",
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.7.7",
        "127.0.0.1",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
        "::1",
    ]);
    assert_eq!(Permitted::private().split(&wanted), (wanted, Names::default()));
}

#[test]
fn public_names_and_addresses_and_look_alikes_are_not() {
    let wanted = names(&[
        "example.com",
        "notlocal",
        "evil-local",
        "local.example.com",
        "mini",
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "2001:db8::1",
        "::2",
        "11.0.0.1",
    ]);
    assert_eq!(Permitted::private().split(&wanted), (Names::default(), wanted));
}

#[test]
fn every_network_of_the_list_is_understood() {
    assert_eq!(Permitted::private().networks().len(), NETWORKS.len());
}
