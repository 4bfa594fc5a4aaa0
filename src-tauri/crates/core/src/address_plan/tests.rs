use std::collections::BTreeSet;
use std::net::IpAddr;

use gatehouse_api::{AddressScope, Code, Scope};
use gatehouse_certs::Names;
use gatehouse_edge::AllowedClients;
use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::names::HostNames;

use super::{AddressPlan, AddressesWanted, NAMES_LIMIT, plan};

fn address(interface: &str, ip: &str, prefix: u8, kind: Kind) -> InterfaceAddress {
    let ip = ip.parse().unwrap();
    InterfaceAddress {
        interface: interface.to_owned(),
        ip,
        prefix,
        kind,
        temporary: false,
        deprecated: false,
    }
}

fn temporary(address: InterfaceAddress) -> InterfaceAddress {
    InterfaceAddress { temporary: true, ..address }
}

/// A Mac mini at home.
fn home() -> Vec<InterfaceAddress> {
    vec![
        address("lo0", "127.0.0.1", 8, Kind::Loopback),
        address("lo0", "::1", 128, Kind::Loopback),
        address("en0", "192.168.1.20", 24, Kind::Private),
        address("en0", "fd12:3456::20", 64, Kind::Private),
        temporary(address("en0", "fd12:3456::bad", 64, Kind::Private)),
        address("en0", "2001:db8:1::20", 64, Kind::Global),
        temporary(address("en0", "2001:db8:1::bad", 64, Kind::Global)),
        address("en0", "fe80::20", 64, Kind::LinkLocal),
        address("utun4", "100.101.102.103", 32, Kind::Tailnet),
    ]
}

fn names() -> HostNames {
    HostNames { host: Some("mini".to_owned()), local: Some("mini.local".to_owned()) }
}

fn wanted<'a>(scope: Scope, hosts: &'a [String]) -> AddressesWanted<'a> {
    AddressesWanted { scope, hosts, only: &[], port: 8443, public_port: None, recent: None, imported: None }
}

fn hosts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn lan() -> AddressPlan {
    plan(&wanted(Scope::Lan, &[]), &home(), &names()).unwrap()
}

fn urls(plan: &AddressPlan) -> Vec<&str> {
    plan.addresses.iter().map(|address| address.url.as_str()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_home_is_opened_by_its_name_first_then_by_stable_private_addresses() {
    assert_eq!(
        urls(&lan()),
        [
            "https://mini.local:8443",
            "https://192.168.1.20:8443",
            "https://[fd12:3456::20]:8443",
            "https://100.101.102.103:8443",
            "https://localhost:8443"
        ]
    );
    assert_eq!(lan().addresses[3].scope, AddressScope::Tailnet);
}

#[test]
fn port_443_is_not_written() {
    let plan = plan(&AddressesWanted { port: 443, ..wanted(Scope::Lan, &[]) }, &home(), &names()).unwrap();
    assert_eq!(urls(&plan)[..2], ["https://mini.local", "https://192.168.1.20"]);
}

#[test]
fn what_is_advertised_is_in_the_certificate_and_served_and_what_changes_daily_is_not_in_it() {
    let plan = lan();
    for address in &plan.addresses {
        let known = match address.host.parse::<IpAddr>() {
            Ok(ip) => plan.certificate.ips.contains(&ip) && plan.served.ips.contains(&ip),
            // The edge serves loopback names without being told.
            Err(_) if address.host == "localhost" => plan.certificate.dns.contains("localhost"),
            Err(_) => plan.certificate.dns.contains(&address.host) && plan.served.dns.contains(&address.host),
        };
        assert!(known, "{address:?}");
    }
    assert!(plan.certificate.ips.is_superset(&Names::loopback().ips));
    for never in ["fd12:3456::bad", "2001:db8:1::bad", "2001:db8:1::20", "fe80::20"] {
        assert!(!plan.certificate.ips.contains(&ip(never)), "{never}");
    }
}

#[test]
fn names_are_reached_over_the_machines_own_address_without_a_name_server() {
    assert_eq!(lan().addresses[0].connect, "192.168.1.20:8443".parse().unwrap());
}

#[test]
fn the_local_network_may_connect_and_nobody_else() {
    let AllowedClients::Networks(networks) = lan().clients else { panic!("not limited") };
    let admitted = |client: &str| networks.iter().any(|network| network.contains(&ip(client)));
    for client in ["192.168.1.34", "fd12:3456::77", "2001:db8:1::77", "fe80::77", "100.99.1.2"] {
        assert!(admitted(client), "{client}");
    }
    for client in ["192.168.2.34", "203.0.113.9", "2001:db8:2::1", "10.0.0.1"] {
        assert!(!admitted(client), "{client}");
    }
}

#[test]
fn an_address_shared_by_a_provider_does_not_let_its_other_customers_in() {
    let shared = [address("en0", "100.64.3.4", 24, Kind::Tailnet)];
    let plan = plan(&wanted(Scope::Lan, &[]), &shared, &HostNames::default()).unwrap();
    let AllowedClients::Networks(networks) = plan.clients else { panic!("not limited") };
    assert!(!networks.iter().any(|network| network.contains(&ip("100.99.1.2"))));
}

#[test]
fn only_narrows_who_may_connect() {
    let only = hosts(&["192.168.1.34", "10.1.2.3/8"]);
    let plan = plan(&AddressesWanted { only: &only, ..wanted(Scope::Lan, &[]) }, &home(), &names()).unwrap();
    let expected = ["192.168.1.34/32", "10.0.0.0/8"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(plan.clients, AllowedClients::Networks(expected));
}

#[test]
fn this_machine_only_means_loopback_only() {
    let plan = plan(&wanted(Scope::Mac, &[]), &home(), &names()).unwrap();
    assert_eq!(plan.clients, AllowedClients::LoopbackOnly);
    assert_eq!(urls(&plan), ["https://localhost:8443", "https://127.0.0.1:8443"]);
    assert_eq!(plan.origins(false).count(), 0);
    assert_eq!(plan.origins(true).count(), 2, "behind a proxy nobody is local");
    let named = super::plan(&wanted(Scope::Mac, &hosts(&["box.lan"])), &home(), &names()).unwrap();
    assert_eq!(named.clients, AllowedClients::LoopbackOnly);
    assert_eq!(
        named.origins(false).collect::<Vec<_>>(),
        ["https://box.lan:8443"],
        "a tunnel may bring others"
    );
    assert!(!plan.certificate.ips.contains(&ip("192.168.1.20")));
}

#[test]
fn hosts_of_the_user_come_first_and_in_the_spelling_of_browsers() {
    let hosts = hosts(&["Box.Lan.", "[FD12:3456::20]", "::ffff:192.168.1.20"]);
    let plan = plan(&wanted(Scope::Lan, &hosts), &home(), &names()).unwrap();
    assert_eq!(
        urls(&plan)[..4],
        [
            "https://box.lan:8443",
            "https://[fd12:3456::20]:8443",
            "https://192.168.1.20:8443",
            "https://mini.local:8443"
        ]
    );
    assert!(plan.certificate.dns.contains("box.lan"));
    assert_eq!(urls(&plan).iter().collect::<BTreeSet<_>>().len(), plan.addresses.len());
}

#[test]
fn what_is_no_host_or_network_is_refused_by_name() {
    for wrong in ["https://box.lan", "box.lan:8443", "*.lan", "", "a b", "box_1/"] {
        let hosts = hosts(&[wrong]);
        let error = plan(&wanted(Scope::Lan, &hosts), &home(), &names()).unwrap_err();
        assert_eq!(error.code, Code::Usage, "{wrong:?}");
    }
    let only = hosts(&["192.168.1"]);
    let error =
        plan(&AddressesWanted { only: &only, ..wanted(Scope::Lan, &[]) }, &home(), &names()).unwrap_err();
    assert_eq!(error.code, Code::Usage);
}

#[test]
fn without_a_private_address_there_is_nothing_to_open_to_the_local_network() {
    let cloud = [address("en0", "203.0.113.7", 24, Kind::Global)];
    let error = plan(&wanted(Scope::Lan, &[]), &cloud, &HostNames::default()).unwrap_err();
    assert_eq!(error.code, Code::NoAddress);
    assert!(error.evidence[0].contains("203.0.113.7"));
}

#[test]
fn the_internet_is_opened_by_name_and_lets_everybody_connect() {
    let hosts = hosts(&["gateway.example.com"]);
    let plan = plan(&wanted(Scope::Internet, &hosts), &home(), &names()).unwrap();
    assert_eq!(plan.addresses[0].url, "https://gateway.example.com:8443");
    assert_eq!(plan.addresses[0].scope, AddressScope::Internet);
    assert_eq!(plan.clients, AllowedClients::Any);
}

#[test]
fn bridges_of_containers_are_served_but_not_advertised() {
    let mut addresses = home();
    addresses.push(address("docker0", "172.17.0.1", 16, Kind::Private));
    let plan = plan(&wanted(Scope::Lan, &[]), &addresses, &names()).unwrap();
    assert!(!urls(&plan).iter().any(|url| url.contains("172.17.0.1")));
    assert!(plan.served.ips.contains(&ip("172.17.0.1")) && plan.certificate.ips.contains(&ip("172.17.0.1")));
}

#[test]
fn addresses_of_before_stay_in_the_certificate_within_its_limit() {
    let mut recent = Names::loopback();
    recent.ips.insert(ip("10.9.8.7"));
    recent.ips.insert(ip("203.0.113.7"));
    let before = AddressesWanted { recent: Some(&recent), ..wanted(Scope::Lan, &[]) };
    let kept = plan(&before, &home(), &names()).unwrap();
    assert!(kept.certificate.ips.contains(&ip("10.9.8.7")));
    assert!(!kept.certificate.ips.contains(&ip("203.0.113.7")), "the authority may not vouch for it");

    recent.ips.extend((0..60).map(|number| ip(&format!("10.1.1.{number}"))));
    let before = AddressesWanted { recent: Some(&recent), ..wanted(Scope::Lan, &[]) };
    let full = plan(&before, &home(), &names()).unwrap();
    assert!(full.certificate.len() <= NAMES_LIMIT);
    assert!(full.warnings[0].contains("not in the certificate any more"));
}

#[test]
fn the_machine_stands_for_itself_with_its_private_stable_addresses() {
    let own = lan().own;
    assert_eq!(own.v4, Some("192.168.1.20".parse().unwrap()));
    assert_eq!(own.v6, Some("fd12:3456::20".parse().unwrap()));
    assert!(own.all.contains(&ip("2001:db8:1::bad")));
    assert!(!own.all.contains(&ip("127.0.0.1")));
}

#[test]
fn names_of_the_users_own_certificates_are_opened_and_no_other_certificate_is_made_for_them() {
    let imported = Names {
        dns: ["chat.example.com", "*.below.example.com", "mini.local"].map(str::to_owned).into(),
        ips: BTreeSet::from(["8.8.4.4".parse().unwrap()]),
    };
    let with = AddressesWanted { imported: Some(&imported), ..wanted(Scope::Lan, &[]) };
    let plan = plan(&with, &home(), &names()).unwrap();
    let urls = urls(&plan);
    assert!(
        urls.contains(&"https://chat.example.com:8443") && urls.contains(&"https://8.8.4.4:8443"),
        "{urls:?}"
    );
    assert!(!urls.iter().any(|url| url.contains("below")), "a wildcard is no address: {urls:?}");
    assert!(plan.served.dns.contains("chat.example.com") && plan.served.below.contains("below.example.com"));
    assert!(plan.origins(false).any(|origin| origin == "https://chat.example.com:8443"));
    assert!(!plan.certificate.dns.contains("chat.example.com"));
    assert!(plan.certificate.dns.contains("mini.local"), "what the local one may be for it stays for");
    assert!(!plan.certificate.ips.contains(&"8.8.4.4".parse::<IpAddr>().unwrap()));
    assert!(plan.public.is_empty(), "nobody is asked for what is there");
}
