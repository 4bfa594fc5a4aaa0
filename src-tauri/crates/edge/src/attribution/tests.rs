use proptest::prelude::*;

use super::*;
use crate::EdgeError::{ClientUnattributable, TunnelUndeclared};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn own() -> OwnAddresses {
    OwnAddresses {
        v4: Some("192.168.1.10".parse().unwrap()),
        v6: Some("fd00::10".parse().unwrap()),
        all: Vec::new(),
    }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    map
}

fn front(peers: &[&str], header: &'static str) -> FrontProxy {
    FrontProxy::Trusted {
        peers: peers.iter().map(|peer| peer.parse().unwrap()).collect(),
        client_header: HeaderName::from_static(header),
    }
}

fn ask(peer: &str, loopback_name: bool, lines: &[(&str, &str)]) -> Result<Client, EdgeError> {
    attribute(&Peer::new(ip(peer)), loopback_name, &headers(lines), &own(), &FrontProxy::None)
}

fn behind(front: &FrontProxy, peer: &str, lines: &[(&str, &str)]) -> Result<IpAddr, EdgeError> {
    attribute(&Peer::new(ip(peer)), true, &headers(lines), &own(), front).map(|client| {
        assert!(!client.is_local());
        client.address()
    })
}

fn remote(text: &str) -> Result<Client, EdgeError> {
    Ok(Client::Remote { address: ip(text), header: HeaderValue::try_from(text).unwrap() })
}

const EVIDENCE: [&str; 30] = [
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-User",
    "X-Forwarded",
    "X-Real-IP",
    "X-Real-Port",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-Forwarded-For",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-Ray",
    "Cf-Access-Authenticated-User-Email",
    "CDN-Loop",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "Tailscale-User-Login",
    "Tailscale-Funnel-Request",
    "Tailscale-Headers-Info",
    "X-Remote-User",
    "Remote-User",
    "X-Auth-Request-Email",
    "X_Forwarded_For",
    "X_Real_IP",
    "x-forwarded_for",
    "Tailscale_User_Login",
    "cf_connecting_ip",
    "X_Forwarded-Anything-At-All-That-Is-Longer-Than-The-Buffer-Of-Sixty-Four-Bytes",
];

#[test]
fn a_program_on_this_machine_that_asks_for_this_machine_is_local() {
    for peer in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
        let client =
            ask(peer, true, &[("authorization", "Bearer x"), ("cookie", "a=b"), ("origin", "null")]).unwrap();
        assert_eq!(client, Client::Local(ip(peer).to_canonical()), "{peer}");
    }
}

#[test]
fn a_program_on_this_machine_that_asks_for_another_name_is_the_machine_on_its_network() {
    assert_eq!(ask("127.0.0.1", false, &[]), remote("192.168.1.10"));
    assert_eq!(ask("::1", false, &[]), remote("fd00::10"));
}

#[test]
fn the_other_family_stands_in_and_nothing_stands_for_nothing() {
    let only = |v4: Option<&str>, v6: Option<&str>, peer: &str| {
        let own = OwnAddresses {
            v4: v4.map(|text| text.parse().unwrap()),
            v6: v6.map(|text| text.parse().unwrap()),
            all: vec![],
        };
        attribute(&Peer::new(ip(peer)), false, &HeaderMap::new(), &own, &FrontProxy::None)
    };
    assert_eq!(only(None, Some("fd00::10"), "127.0.0.1"), remote("fd00::10"));
    assert_eq!(only(Some("192.168.1.10"), None, "::1"), remote("192.168.1.10"));
    assert_eq!(only(None, None, "127.0.0.1"), Err(ClientUnattributable));
    assert_eq!(only(Some("127.0.0.1"), None, "127.0.0.1"), Err(ClientUnattributable));
    assert_eq!(only(None, Some("::1"), "::1"), Err(ClientUnattributable));
}

#[test]
fn any_evidence_of_forwarding_from_this_machine_is_an_undeclared_tunnel() {
    for name in EVIDENCE {
        for (peer, loopback_name) in [
            ("127.0.0.1", true),
            ("127.0.0.1", false),
            ("::1", true),
            ("192.168.1.10", false),
            ("::ffff:192.168.1.10", true),
            ("fd00::10", false),
        ] {
            for value in ["192.168.1.50", "127.0.0.1", "", "garbage"] {
                assert_eq!(
                    ask(peer, loopback_name, &[(name, value)]),
                    Err(TunnelUndeclared),
                    "{name}: {value}"
                );
            }
        }
    }
}

#[test]
fn another_machine_is_its_address_whatever_it_claims() {
    for name in EVIDENCE {
        for peer in ["192.168.1.50", "8.8.8.8", "fd00::50", "fe80::1", "100.64.0.7"] {
            assert_eq!(ask(peer, true, &[(name, "127.0.0.1"), (name, "::1")]), remote(peer), "{name}");
        }
    }
    assert_eq!(ask("::ffff:192.168.1.50", false, &[]), remote("192.168.1.50"));
}

#[test]
fn an_address_that_stands_for_nobody_is_refused() {
    for peer in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
        assert_eq!(ask(peer, true, &[]), Err(ClientUnattributable), "{peer}");
    }
}

#[test]
fn a_front_proxy_ends_locality_for_everybody_on_this_machine() {
    let elsewhere = front(&["10.0.0.0/8"], "x-forwarded-for");
    assert_eq!(behind(&elsewhere, "127.0.0.1", &[]), Ok(ip("192.168.1.10")));
    assert_eq!(behind(&elsewhere, "127.0.0.1", &[("x-forwarded-for", "8.8.8.8")]), Err(TunnelUndeclared));
    let here = front(&["127.0.0.0/8"], "cf-connecting-ip");
    assert_eq!(behind(&here, "127.0.0.1", &[]), Err(ClientUnattributable));
    assert_eq!(behind(&here, "127.0.0.1", &[("cf-connecting-ip", "8.8.8.8")]), Ok(ip("8.8.8.8")));
    assert_eq!(behind(&here, "::1", &[("cf-connecting-ip", "8.8.8.8")]), Err(TunnelUndeclared));
}

#[test]
fn peers_that_are_not_the_front_proxy_are_not_believed() {
    let front = front(&["10.0.0.1/32"], "x-forwarded-for");
    assert_eq!(behind(&front, "10.0.0.2", &[("x-forwarded-for", "8.8.8.8")]), Ok(ip("10.0.0.2")));
}

#[test]
fn the_right_most_hop_that_is_no_proxy_is_the_client() {
    let front = front(&["10.0.0.0/8", "fd00::/16"], "x-forwarded-for");
    for (lines, client) in [
        (&["8.8.8.8"][..], Ok("8.8.8.8")),
        (&["6.6.6.6, 8.8.8.8"], Ok("8.8.8.8")),
        (&["6.6.6.6, 8.8.8.8, 10.0.0.7"], Ok("8.8.8.8")),
        (&["6.6.6.6", "8.8.8.8", "10.0.0.7,fd00::1"], Ok("8.8.8.8")),
        (&["garbage, 8.8.8.8"], Ok("8.8.8.8")),
        (&["127.0.0.1, 8.8.8.8"], Ok("8.8.8.8")),
        (&["8.8.8.8:1234"], Ok("8.8.8.8")),
        (&["[2001:db8::1]:1234"], Ok("2001:db8::1")),
        (&["2001:db8::1"], Ok("2001:db8::1")),
        (&["[2001:db8::1]"], Ok("2001:db8::1")),
        (&["::ffff:8.8.8.8"], Ok("8.8.8.8")),
        (&["8.8.8.8, garbage"], Err(())),
        (&["8.8.8.8,"], Err(())),
        (&["8.8.8.8, ,10.0.0.1"], Err(())),
        (&["8.8.8.8 10.0.0.1"], Err(())),
        (&["8.8.8.8", "127.0.0.1"], Err(())),
        (&["::1"], Err(())),
        (&["::ffff:127.0.0.1"], Err(())),
        (&["0.0.0.0"], Err(())),
        (&["fe80::1%en0"], Err(())),
        (&["[fe80::1%1]:443"], Err(())),
        (&["unknown"], Err(())),
        (&["\"8.8.8.8\""], Err(())),
        (&["8.8.8.08"], Err(())),
        (&["134744072"], Err(())),
        (&["10.0.0.1, 10.0.0.2"], Err(())),
        (&[""], Err(())),
        (&[], Err(())),
    ] {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        let expected = client.map(ip).map_err(|()| ClientUnattributable);
        assert_eq!(behind(&front, "10.0.0.1", &lines), expected, "{lines:?}");
    }
}

#[test]
fn forwarded_is_read_like_a_list() {
    let front = front(&["10.0.0.0/8"], "forwarded");
    for (line, client) in [
        ("for=8.8.8.8", Ok("8.8.8.8")),
        ("for=6.6.6.6, for=8.8.8.8;proto=https;by=10.0.0.1", Ok("8.8.8.8")),
        ("For=\"[2001:db8::1]:443\";host=a, for=10.0.0.3", Ok("2001:db8::1")),
        ("for=\"8.8.8.8:80\"", Ok("8.8.8.8")),
        ("for=8.8.8.8;for=6.6.6.6", Err(())),
        ("proto=https", Err(())),
        ("for=_hidden", Err(())),
        ("for=unknown", Err(())),
        ("for=[2001:db8::1]", Err(())),
        ("for=\"8.8.8.8", Err(())),
        ("for=127.0.0.1", Err(())),
        ("8.8.8.8", Err(())),
    ] {
        let expected = client.map(ip).map_err(|()| ClientUnattributable);
        assert_eq!(behind(&front, "10.0.0.1", &[("forwarded", line)]), expected, "{line}");
    }
}

#[test]
fn a_header_that_is_no_list_holds_one_address_once() {
    let front = front(&["10.0.0.0/8"], "cf-connecting-ip");
    let ask = |lines: &[(&str, &str)]| behind(&front, "10.0.0.1", lines);
    assert_eq!(
        ask(&[("cf-connecting-ip", "2001:db8::1"), ("x-forwarded-for", "1.1.1.1")]),
        Ok(ip("2001:db8::1"))
    );
    for lines in [
        &[("x-forwarded-for", "8.8.8.8")][..],
        &[("cf-connecting-ip", "8.8.8.8, 9.9.9.9")],
        &[("cf-connecting-ip", "8.8.8.8"), ("cf-connecting-ip", "8.8.8.8")],
        &[("cf_connecting_ip", "8.8.8.8")],
        &[("cf-connecting-ip", "127.0.0.1")],
        &[("cf-connecting-ip", " ")],
    ] {
        assert_eq!(ask(lines), Err(ClientUnattributable), "{lines:?}");
    }
}

fn any_line() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        prop::sample::select(EVIDENCE.to_vec()).prop_map(str::to_owned),
        "[a-zA-Z][a-zA-Z_-]{0,12}",
        Just("x-forwarded-for".to_owned()),
    ];
    let value = prop_oneof![
        "[ -~]{0,30}",
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).to_string()),
        "(8\\.8\\.8\\.8|127\\.0\\.0\\.1|::1|10\\.0\\.0\\.1|x| |,){1,6}",
    ];
    (name, value)
}

fn any_peer() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        Just(ip("127.0.0.1")),
        Just(ip("::1")),
        Just(ip("::ffff:127.0.0.1")),
        Just(ip("10.0.0.1")),
        any::<u32>().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).into()),
    ]
}

proptest! {
    #[test]
    fn local_means_all_four_conditions_and_remote_is_never_loopback(
        peer in any_peer(),
        loopback_name: bool,
        lines in prop::collection::vec(any_line(), 0..6),
        fronted in prop::option::of(prop::sample::select(vec!["x-forwarded-for", "forwarded", "cf-connecting-ip"])),
    ) {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers = headers(&lines);
        let front = fronted.map_or(FrontProxy::None, |header| front(&["10.0.0.0/8", "127.0.0.0/8"], header));
        match attribute(&Peer::new(peer), loopback_name, &headers, &own(), &front) {
            Ok(Client::Local(address)) => {
                prop_assert!(peer.to_canonical().is_loopback());
                prop_assert_eq!(address, peer.to_canonical());
                prop_assert!(loopback_name);
                prop_assert!(evidence(&headers).is_none());
                prop_assert_eq!(front, FrontProxy::None);
            }
            Ok(Client::Remote { address, header }) => {
                prop_assert!(!address.to_canonical().is_loopback() && !address.is_unspecified());
                prop_assert_eq!(header, address.to_string());
            }
            Err(error) => prop_assert!(matches!(error, TunnelUndeclared | ClientUnattributable)),
        }
    }
}

#[test]
fn nobody_behind_a_proxy_header_is_local() {
    let own = OwnAddresses { v4: Some("192.168.1.10".parse().unwrap()), v6: None, all: Vec::new() };
    let ask = |peer: Peer, front: &FrontProxy| attribute(&peer, true, &HeaderMap::new(), &own, front);
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "224.0.0.1"] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(ask(Peer::relayed(address), &FrontProxy::None), Err(EdgeError::ClientUnattributable));
        let front = FrontProxy::Trusted {
            peers: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
            client_header: HeaderName::from_static("x-forwarded-for"),
        };
        assert_eq!(ask(Peer::relayed(address), &front), Err(EdgeError::ClientUnattributable));
    }
    let named = ask(Peer::relayed("192.0.2.1".parse().unwrap()), &FrontProxy::None).unwrap();
    assert!(!named.is_local());
    assert_eq!(named.address().to_string(), "192.0.2.1");
}
