use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn own() -> OwnAddresses {
    OwnAddresses {
        v4: Some("192.168.1.10".parse().unwrap()),
        v6: None,
        all: vec![ip("192.168.1.10"), ip("10.9.9.9"), ip("fd00::1")],
    }
}

#[test]
fn this_machine_may_always_connect() {
    for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "192.168.1.10", "10.9.9.9", "fd00::1"] {
        assert!(AllowedClients::LoopbackOnly.admit(ip(peer), &own()), "{peer}");
        assert!(AllowedClients::Networks(vec![]).admit(ip(peer), &own()), "{peer}");
    }
}

#[test]
fn others_may_connect_only_from_the_networks_listed() {
    let networks =
        AllowedClients::Networks(vec!["192.168.1.0/24".parse().unwrap(), "fd00::/64".parse().unwrap()]);
    for (peer, allowed) in [
        ("192.168.1.77", true),
        ("::ffff:192.168.1.77", true),
        ("fd00::77", true),
        ("192.168.2.77", false),
        ("8.8.8.8", false),
        ("fd01::77", false),
    ] {
        assert_eq!(networks.admit(ip(peer), &own()), allowed, "{peer}");
        assert!(!AllowedClients::LoopbackOnly.admit(ip(peer), &own()), "{peer}");
        assert!(AllowedClients::Any.admit(ip(peer), &own()), "{peer}");
    }
}

#[test]
fn browsers_remember_only_listed_names_never_addresses_or_this_machine() {
    let mut settings = EdgeSettings::new("127.0.0.1:18789".parse().unwrap());
    let hsts = |settings: &EdgeSettings, host: &str| settings.hsts(&HeaderValue::try_from(host).unwrap());
    assert!(!hsts(&settings, "claw.example"));
    settings.hsts_names =
        ["claw.example", "localhost", "192.168.1.10", "127.0.0.1"].map(str::to_owned).into_iter().collect();
    for (host, expected) in [
        ("claw.example", true),
        ("CLAW.example.:8443", true),
        ("www.claw.example", false),
        ("localhost", false),
        ("192.168.1.10", false),
        ("127.0.0.1", false),
        ("[::1]", false),
        ("not a host", false),
    ] {
        assert_eq!(hsts(&settings, host), expected, "{host}");
    }
}
