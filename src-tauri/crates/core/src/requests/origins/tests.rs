use gatehouse_api::{AddressScope, TrustedBy};
use time::OffsetDateTime;

use super::*;

fn address(url: &str) -> Address {
    Address { url: url.into(), scope: AddressScope::Lan, verified_at: None, trusted_by: TrustedBy::LocalCa }
}

fn listing(origins: &[&str]) -> View {
    View { allowed_origins: Some(origins.iter().map(ToString::to_string).collect()), ..View::default() }
}

fn ours() -> [Address; 3] {
    [
        address("https://192.168.1.20:8443"),
        address("https://mini.local:8443"),
        address("https://mini.lan:8443"),
    ]
}

#[test]
fn an_origin_is_judged_by_the_host_that_it_asks_for() {
    use OriginVerdict as V;
    let table = [
        ("https://192.168.1.20:8443", V::PrivateSameOrigin),
        ("https://mini.local:8443", V::PrivateSameOrigin),
        ("https://mini.lan:8443", V::Refused),
        ("https://app.example", V::Listed),
        ("https://192.168.1.99:8443", V::Refused),
        ("https://127.0.0.1:8443", V::PrivateSameOrigin),
        ("https://[::1]:8443", V::PrivateSameOrigin),
        ("not an origin at all", V::NotAnOrigin),
    ];
    for (origin, expected) in table {
        let answer = verdict(origin, &listing(&["https://app.example"]), &ours(), false);

        assert_eq!(answer.verdict, expected, "{origin}: {}", answer.because);
    }
}

#[test]
fn an_entry_that_never_matches_is_named() {
    let answer = verdict("https://app.example", &listing(&["https://app.example/"]), &ours(), false);

    assert_eq!(answer.verdict, OriginVerdict::Refused);
    assert!(answer.because.starts_with("The list contains https://app.example/, which never matches"));
}

#[test]
fn only_addresses_that_would_be_refused_get_an_entry() {
    assert_eq!(uncovered(&listing(&[]), &ours(), false), ["https://mini.lan:8443"]);
    assert!(uncovered(&listing(&["https://mini.lan:8443"]), &ours(), false).is_empty());
    assert!(uncovered(&listing(&["*"]), &ours(), false).is_empty());
}

#[test]
fn behind_a_proxy_nobody_is_local() {
    let here = [Address { scope: AddressScope::Mac, ..address("https://localhost:8443") }];
    assert!(uncovered(&listing(&[]), &here, false).is_empty());
    assert_eq!(uncovered(&listing(&[]), &here, true), ["https://localhost:8443"]);
    assert_eq!(verdict("https://localhost:8443", &listing(&[]), &here, true).verdict, OriginVerdict::Refused);
}

#[test]
fn an_entry_says_whose_it_is_and_when_it_was_used() {
    let at = OffsetDateTime::UNIX_EPOCH;
    let seen = [OriginSeen {
        origin: "https://app.example".into(),
        count: 2,
        refused: false,
        client: "192.168.1.50".into(),
        last_seen: at,
    }];

    let list = entries(
        vec!["https://APP.example".into(), "https://b.example:443".into()],
        &["https://b.example:443".into()],
        &seen,
    );

    assert_eq!(list.origins[0].owner, OriginOwner::User);
    assert_eq!(list.origins[0].last_seen, Some(at));
    assert_eq!(list.origins[1].owner, OriginOwner::Gatehouse);
    assert!(list.origins[1].never_matches.is_some());
}
