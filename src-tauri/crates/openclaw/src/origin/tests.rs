use proptest::prelude::*;

use super::{Match, canonical, is_private_host, match_rule, never_matches};

fn listed(entry: &str, origin: &str) -> Match {
    match_rule(&[entry.to_owned()], origin, "other.example", false)
}

#[test]
fn what_people_type_becomes_what_a_browser_sends() {
    for (typed, sent) in [
        ("https://App.Example:8443/", "https://app.example:8443"),
        ("https://app.example:443", "https://app.example"),
        ("http://app.example:80/chat?x#y", "http://app.example"),
        ("http://app.example:443", "http://app.example:443"),
        (" app.example:8443 ", "https://app.example:8443"),
        ("https://[FE80:0::1]:443", "https://[fe80::1]"),
        ("192.168.1.10:8443", "https://192.168.1.10:8443"),
        ("HTTPS://mini.local", "https://mini.local"),
    ] {
        assert_eq!(canonical(typed).as_deref(), Ok(sent), "{typed}");
    }
}

#[test]
fn what_is_no_origin_says_why() {
    for (typed, reason) in [
        ("", "no host"),
        ("ftp://app.example", "https://"),
        ("https://", "no host"),
        ("https://user@app.example", "user name"),
        ("https://app.example:99999", "no host with a port"),
        ("https://app.example:", "no host with a port"),
        ("https://app.example:+8", "no host with a port"),
        ("https://app example", "no host name"),
        ("https://*.example", "no host name"),
        ("https://bücher.example", "xn--"),
        ("https://1.2.3", "no IPv4"),
        ("https://[fe80", "no host with a port"),
        ("null", "never lets it in"),
    ] {
        let error = canonical(typed).unwrap_err();
        assert!(error.because.contains(reason), "{typed}: {error}");
    }
}

#[test]
fn the_list_is_matched_as_the_gateway_does_it() {
    let entry = "https://app.example:8443";
    for sent in [entry, "HTTPS://APP.example:8443", "https://app.example:8443/"] {
        assert_eq!(listed(entry, sent), Match::Listed, "{sent}");
    }
    for sent in
        ["http://app.example:8443", "https://app.example:8444", "https://sub.app.example:8443", "null", ""]
    {
        assert_eq!(listed(entry, sent), Match::Refused, "{sent}");
    }
    assert_eq!(listed(" https://APP.Example ", "https://app.example"), Match::Listed);
    assert_eq!(listed("*", "chrome-extension://abc"), Match::Wildcard);
    assert_eq!(listed("*", "null"), Match::Refused);
}

#[test]
fn entries_that_never_match_say_why_and_do_not_match() {
    for (entry, sent, reason) in [
        ("https://app.example:8443/", "https://app.example:8443", "slash"),
        ("https://app.example:443", "https://app.example", "browsers send https://app.example"),
        ("app.example", "https://app.example", "scheme"),
        ("https://*.example", "https://app.example", "patterns"),
        ("https://app.example/chat", "https://app.example", "path"),
        ("https://app.example:99999", "https://app.example", "port"),
    ] {
        assert!(never_matches(entry).unwrap().contains(reason), "{entry}: {:?}", never_matches(entry));
        assert_eq!(listed(entry, sent), Match::Refused, "{entry}");
    }
}

#[test]
fn good_entries_have_no_complaint() {
    for entry in [
        "*",
        "https://app.example",
        " https://APP.Example ",
        "https://[::1]:8443",
        "chrome-extension://abcdef",
    ] {
        assert_eq!(never_matches(entry), None, "{entry}");
    }
}

#[test]
fn a_private_address_that_equals_the_host_needs_no_entry() {
    for host in [
        "192.168.1.10:8443",
        "10.0.0.1",
        "mini.local:8443",
        "mini.tail1.ts.net",
        "[fd00::1]:8443",
        "100.64.0.9:8443",
    ] {
        let origin = format!("https://{host}");
        assert_eq!(match_rule(&[], &origin, host, false), Match::PrivateSameOrigin, "{host}");
    }
}

#[test]
fn the_port_of_the_host_counts() {
    assert_eq!(match_rule(&[], "https://192.168.1.10:8443", "192.168.1.10", false), Match::Refused);
    assert_eq!(match_rule(&[], "https://192.168.1.10", "192.168.1.10:443", false), Match::PrivateSameOrigin);
}

#[test]
fn public_names_need_an_entry_unless_the_gateway_is_told_to_trust_the_host() {
    for host in ["mymac.lan", "app.example", "203.0.113.7:8443", "100.128.0.1", "127.0.0.1:8443", "localhost"]
    {
        let origin = format!("https://{host}");
        assert_eq!(match_rule(&[], &origin, host, false), Match::Refused, "{host}");
        assert_eq!(match_rule(&[], &origin, host, true), Match::HostHeaderFallback, "{host}");
    }
}

#[test]
fn a_name_that_only_looks_private_is_not() {
    assert!(!is_private_host("local"));
    assert!(!is_private_host("mini.local.example"));
    assert!(!is_private_host("192.168.1.10.example"));
}

proptest! {
    #[test]
    fn what_is_canonical_stays_and_always_matches_itself(text in "\\PC{0,40}|https?://[a-zA-Z0-9.-]{1,20}(:[0-9]{1,5})?/?") {
        if let Ok(sent) = canonical(&text) {
            prop_assert_eq!(canonical(&sent), Ok(sent.clone()));
            prop_assert_eq!(never_matches(&sent), None);
            prop_assert_eq!(match_rule(std::slice::from_ref(&sent), &sent, "x", false), Match::Listed);
        }
    }
}
