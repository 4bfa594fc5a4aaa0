use proptest::prelude::*;

use super::*;

fn address(interface: &str, network: &str) -> InterfaceAddress {
    let network: IpNet = network.parse().unwrap();
    InterfaceAddress::new(interface, network.addr(), network.prefix_len())
}

#[test]
fn each_address_is_of_its_kind() {
    for (ip, kind) in [
        ("127.0.0.1", Kind::Loopback),
        ("::1", Kind::Loopback),
        ("10.1.2.3", Kind::Private),
        ("172.31.0.1", Kind::Private),
        ("172.32.0.1", Kind::Global),
        ("192.168.1.1", Kind::Private),
        ("fd12::1", Kind::Private),
        ("169.254.1.1", Kind::LinkLocal),
        ("fe80::1", Kind::LinkLocal),
        ("100.64.0.1", Kind::Tailnet),
        ("100.127.255.255", Kind::Tailnet),
        ("100.128.0.1", Kind::Global),
        ("fd7a:115c:a1e0::1", Kind::Tailnet),
        ("8.8.8.8", Kind::Global),
        ("2001:db8::1", Kind::Global),
        ("::ffff:10.0.0.1", Kind::Private),
    ] {
        assert_eq!(Kind::of(ip.parse().unwrap()), kind, "{ip}");
    }
}

#[test]
fn networks_are_listed_once_without_loopback_and_lonely_addresses() {
    let addresses = [
        address("en0", "192.168.1.20/24"),
        address("en1", "192.168.1.21/24"),
        address("lo0", "127.0.0.1/8"),
        address("utun3", "100.70.1.2/32"),
        address("en0", "fd00::5/64"),
        address("en0", "fe80::5/64"),
        address("lo0", "::1/128"),
    ];
    let networks: Vec<String> = networks_of(&addresses).iter().map(IpNet::to_string).collect();
    assert_eq!(networks, ["192.168.1.0/24", "fd00::/64", "fe80::/64"]);
}

#[test]
fn a_zone_inside_a_link_local_address_is_taken_out() {
    assert_eq!(
        InterfaceAddress::new("en0", "fe80:4::1".parse().unwrap(), 64).ip,
        "fe80::1".parse::<IpAddr>().unwrap()
    );
}

#[test]
fn this_machine_has_loopback_and_the_order_is_fixed() {
    let found = list().unwrap();
    let loopback = found.iter().find(|a| a.ip == IpAddr::from([127, 0, 0, 1])).unwrap();
    assert_eq!((loopback.kind, loopback.prefix), (Kind::Loopback, 8));
    assert!(found.is_sorted());
    assert_eq!(found, list().unwrap());
}

#[test]
fn linux_flags_mark_temporary_and_deprecated_addresses() {
    let mut addresses = [
        address("eth0", "fd00::2/64"),
        address("eth0", "2001:db8::aa/64"),
        address("eth0", "2001:db8::bb/64"),
        address("eth0", "10.0.0.1/24"),
    ];
    let table = "fd000000000000000000000000000002 04 40 00 80     eth0\n\
        200 rubbish\n\
        20010db80000000000000000000000aa 04 40 00 01     eth0\n\
        20010db80000000000000000000000bb 04 40 00 21     eth0\n\
        20010db80000000000000000000000bb 05 40 00 00     eth1\n";
    if_inet6::mark(&mut addresses, table);
    let flags: Vec<_> = addresses.iter().map(|a| (a.temporary, a.deprecated)).collect();
    assert_eq!(flags, [(false, false), (true, false), (true, true), (false, false)]);
}

const MACOS: &str = "\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\toptions=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
\tinet 127.0.0.1 netmask 0xff000000
\tinet6 ::1 prefixlen 128
\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1
\tnd6 options=201<PERFORMNUD,DAD>
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
\tinet 10.9.9.9 netmask 0xffffff00
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tether 1c:91:80:00:00:01
\tinet6 fe80::10a1:b2c3:d4e5:f607%en0 prefixlen 64 secured scopeid 0xb
\tinet 192.168.1.20 netmask 0xffffff00 broadcast 192.168.1.255
\tinet6 2001:db8::4c:1 prefixlen 64 autoconf secured
\tinet6 2001:db8::99:2 prefixlen 64 deprecated autoconf temporary
\tinet6 2001:db8::99:3 prefixlen 64 autoconf temporary
\tstatus: active
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1280
\tinet 100.101.102.103 --> 100.101.102.103 netmask 0xffffffff
";

#[test]
fn the_text_of_macos_ifconfig_is_understood() {
    let found: Vec<String> = ifconfig::parse(MACOS)
        .iter()
        .map(|a| {
            let flags = [(a.temporary, " temporary"), (a.deprecated, " deprecated")];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, text)| *text).collect();
            format!("{} {}/{}{flags}", a.interface, a.ip, a.prefix)
        })
        .collect();
    assert_eq!(
        found,
        [
            "lo0 127.0.0.1/8",
            "lo0 ::1/128",
            "lo0 fe80::1/64",
            "en0 fe80::10a1:b2c3:d4e5:f607/64",
            "en0 192.168.1.20/24",
            "en0 2001:db8::4c:1/64",
            "en0 2001:db8::99:2/64 temporary deprecated",
            "en0 2001:db8::99:3/64 temporary",
            "utun4 100.101.102.103/32",
        ]
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in "[ -~\\n\\té%:<>]{0,300}", words in proptest::collection::vec("(inet|inet6|en0: flags=1<RUNNING>|\\tinet|\\tinet6|netmask|prefixlen|0x|fe80::1%|\\n)", 0..20)) {
        ifconfig::parse(&text);
        ifconfig::parse(&words.join(" "));
        if_inet6::mark(&mut [address("en0", "fe80::1/64")], &text);
    }
}
