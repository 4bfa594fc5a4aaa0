use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Option<Authority<'_>> {
    Authority::parse(text.as_bytes())
}

fn ip(text: &str) -> Host<'static> {
    Host::Ip(text.parse().unwrap())
}

#[test]
fn reads_names_addresses_and_ports() {
    let dns = |name: &'static str| Host::Dns(Cow::Borrowed(name));
    for (text, host, port) in [
        ("mini.local", dns("mini.local"), None),
        ("Mini.LOCAL.:8443", dns("mini.local"), Some("8443")),
        ("a", dns("a"), None),
        ("my_mac.lan:1", dns("my_mac.lan"), Some("1")),
        ("xn--mller-kva.example", dns("xn--mller-kva.example"), None),
        ("192.168.1.10", ip("192.168.1.10"), None),
        ("192.168.1.10:00443", ip("192.168.1.10"), Some("00443")),
        ("192.168.1.10.", ip("192.168.1.10"), None),
        ("[::1]", ip("::1"), None),
        ("[2001:DB8:0::1]:65535", ip("2001:db8::1"), Some("65535")),
        ("[::ffff:192.168.1.10]", ip("192.168.1.10"), None),
        ("[::ffff:c0a8:10a]", ip("192.168.1.10"), None),
    ] {
        assert_eq!(parse(text), Some(Authority { host, port }), "{text}");
    }
}

#[test]
fn refuses_what_names_no_host_or_more_than_one() {
    for text in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a:",
        "a:0",
        "a:65536",
        "a:123456",
        "a:+1",
        "a: 1",
        "a:80:80",
        "user@a",
        "a/b",
        "a?b",
        "a#b",
        "a b",
        " a",
        "a ",
        "a,b",
        "a\tb",
        "a\0",
        "a%2eb",
        "müller.example",
        "*.example",
        "[::1",
        "::1",
        "[::1]a",
        "[::1]:",
        "[::1%lo0]",
        "[127.0.0.1]",
        "[]",
        "[::1]:80:80",
        "127.1",
        "127.0.0.01",
        "0177.0.0.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "1.2.3.4.5",
        "256.1.1.1",
        "a.0x",
        "host.123",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
    assert_eq!(parse(&"a".repeat(64)), None);
    assert_eq!(parse(&["abcdefg"; 33].join(".")), None);
    assert_eq!(Authority::parse(b"a\xff"), None);
}

#[test]
fn only_the_three_names_of_this_machine_are_loopback() {
    for (text, loopback) in [
        ("localhost", true),
        ("LOCALHOST.:8443", true),
        ("127.0.0.1", true),
        ("[::1]", true),
        ("[0:0:0:0:0:0:0:1]:1", true),
        ("127.0.0.2", false),
        ("0.0.0.0", false),
        ("[::]", false),
        ("a.localhost", false),
        ("localhost.example", false),
        ("localhost.localdomain", false),
    ] {
        assert_eq!(parse(text).unwrap().host.is_loopback(), loopback, "{text}");
    }
}

#[test]
fn serves_what_is_listed_in_any_spelling_and_nothing_else() {
    let names = ServedNames {
        dns: BTreeSet::from(["mini.local".to_owned()]),
        below: BTreeSet::new(),
        ips: BTreeSet::from(["192.168.1.10".parse().unwrap(), "fd00::1".parse().unwrap()]),
    };
    for (text, served) in [
        ("localhost", true),
        ("127.0.0.1:9", true),
        ("[::1]", true),
        ("MINI.local.", true),
        ("192.168.1.10", true),
        ("[::ffff:192.168.1.10]", true),
        ("[FD00:0::1]:443", true),
        ("evil.example", false),
        ("a.mini.local", false),
        ("mini", false),
        ("192.168.1.11", false),
        ("127.0.0.2", false),
        ("[fd00::2]", false),
    ] {
        assert_eq!(names.serves(&parse(text).unwrap().host), served, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_an_accepted_host_is_plain(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Some(authority) = Authority::parse(&bytes) {
            prop_assert!(bytes.iter().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!bytes.iter().any(|byte| b"@/\\?#,%*".contains(byte)));
            if let Host::Dns(name) = authority.host {
                prop_assert_eq!(name.to_ascii_lowercase(), name.as_ref());
                prop_assert!(!name.ends_with('.'));
                // A name is never one that a browser would take for an address.
                prop_assert!(name.parse::<IpAddr>().is_err());
            }
        }
    }

    #[test]
    fn spelling_does_not_matter(name in "[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\\.[a-z]{1,8}){0,3}", port in 1_u16..) {
        let plain = Authority::parse(name.as_bytes()).unwrap().host;
        let loud = format!("{}.:{port}", name.to_uppercase());
        let loud = Authority::parse(loud.as_bytes()).unwrap();
        prop_assert_eq!(&loud.host, &plain);
        prop_assert_eq!(loud.port.map(str::to_owned), Some(port.to_string()));
    }

    #[test]
    fn every_address_reads_as_itself(bits in any::<u128>(), port in 1_u16..) {
        let address = Ipv6Addr::from_bits(bits);
        let text = format!("[{address}]:{port}");
        let expected = Host::Ip(IpAddr::V6(address).to_canonical());
        prop_assert_eq!(Authority::parse(text.as_bytes()).unwrap().host, expected);
    }
}
