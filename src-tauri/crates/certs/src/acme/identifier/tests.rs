use super::*;

fn of(text: &str) -> Identifier {
    text.parse().unwrap()
}

#[test]
fn a_name_is_read_in_one_spelling() {
    assert_eq!(of("Home.Example.ORG."), Identifier::Dns("home.example.org".into()));
    assert_eq!(of("*.Example.org"), Identifier::Wildcard("example.org".into()));
    assert_eq!(of("::ffff:192.0.2.1"), Identifier::Ip("192.0.2.1".parse().unwrap()));
    for wrong in ["", "*", "*.*.example.org", "a b", "http://example.org", "пример.рф"] {
        assert!(wrong.parse::<Identifier>().is_err(), "{wrong}");
    }
}

#[test]
fn an_address_is_asked_for_by_its_reverse_name() {
    assert_eq!(of("127.0.0.2").challenge_name(), "2.0.0.127.in-addr.arpa");
    let zeros = "0.".repeat(31);
    assert_eq!(of("::1").challenge_name(), format!("1.{zeros}ip6.arpa"));
    assert_eq!(of("*.example.org").challenge_name(), "example.org");
}

#[test]
fn what_no_public_authority_may_vouch_for_is_told_apart() {
    for public in ["example.org", "*.example.org", "8.8.8.8", "2606:4700::1111", "mini.tail1234.ts.net"] {
        assert_eq!(of(public).public(), Ok(()), "{public}");
    }
    let private = [
        "mini.local",
        "localhost",
        "mini",
        "nas.home.arpa",
        "box.lan",
        "a.corp",
        "10.0.0.1",
        "100.64.0.9",
        "127.0.0.1",
        "192.0.0.2",
        "169.254.1.1",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "203.0.113.7",
        "fe80::1",
        "fd00::1",
        "::1",
        "2001:db8::1",
        "ff02::1",
    ];
    for private in private {
        assert!(of(private).public().is_err(), "{private}");
    }
}

#[test]
fn it_survives_json_as_its_text() {
    for text in ["example.org", "*.example.org", "2606:4700::1111"] {
        let json = serde_json::to_string(&of(text)).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Identifier>(&json).unwrap(), of(text));
    }
    assert!(serde_json::from_str::<Identifier>("\"a b\"").is_err());
}
