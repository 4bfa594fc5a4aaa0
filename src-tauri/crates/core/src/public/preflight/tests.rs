use time::macros::datetime;

use super::*;

fn here() -> Here {
    Here {
        own: vec!["9.9.9.20".parse().unwrap(), "2620:fe::20".parse().unwrap()],
        ways: vec![ChallengeKind::TlsAlpn, ChallengeKind::Http],
        https: Some(443),
        redirect: Some(80),
        mapped: None,
        limited: false,
        scope: Scope::Internet,
        authority: Authority {
            name: "Let's Encrypt".into(),
            identities: vec!["letsencrypt.org".into()],
            account: Some("https://ca.example/acct/1".into()),
            private: false,
            unreachable: None,
            lacks_external: false,
            agreed: true,
        },
        now: datetime!(2026-12-01 00:00 UTC),
        earliest: datetime!(2026-11-01 00:00 UTC),
    }
}

fn dns(addresses: &[&str]) -> DnsFacts {
    DnsFacts { addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(), ..DnsFacts::default() }
}

fn facts(name: &str, dns: DnsFacts) -> Facts {
    let identifier: Identifier = name.parse().unwrap();
    let dns = (!matches!(identifier, Identifier::Ip(_))).then_some(dns);
    Facts { identifier, dns, here: here() }
}

fn caa(records: &[(&str, &[&str], Option<&str>)], wildcard: bool) -> DnsFacts {
    let one = |(issuer, methods, account): &(&str, &[&str], Option<&str>)| Authorization {
        wildcard,
        issuer: (*issuer).to_owned(),
        methods: (!methods.is_empty()).then(|| methods.iter().map(|one| (*one).to_owned()).collect()),
        account: account.map(str::to_owned),
    };
    DnsFacts { authorizations: Some(records.iter().map(one).collect()), ..dns(&["9.9.9.20"]) }
}

/// The worst finding: its weight and the key of its text.
fn worst(judged: &[Judged]) -> (Weight, String) {
    let worst = judged.iter().max_by_key(|one| one.finding.weight).expect("something was judged");
    (worst.finding.weight, worst.finding.text.key().unwrap_or_default().to_owned())
}

fn is(judged: &[Judged], weight: Weight, key: &str) {
    assert_eq!(worst(judged), (weight, format!("core.acme.pre.{key}")), "{judged:?}");
}

#[test]
fn a_name_that_leads_here_is_good() {
    is(&judge(&facts("home.example.org", dns(&["9.9.9.20"]))), Weight::Good, "port");
    let both = judge(&facts("home.example.org", dns(&["9.9.9.20", "2620:fe::20"])));
    assert!(both.iter().all(|one| one.finding.weight == Weight::Good), "{both:?}");
}

#[test]
fn what_is_certain_to_fail_hinders_and_what_cannot_be_seen_from_here_is_a_doubt() {
    use Weight::{Doubt, Hindrance};
    let alias = DnsFacts { alias: Some("gone.example".into()), ..dns(&[]) };
    let unanswered = DnsFacts { unanswered: vec!["A home.example.org: no answer".into()], ..dns(&[]) };
    let table = [
        (dns(&[]), Hindrance, "no-address"),
        (alias, Hindrance, "alias-nowhere"),
        (unanswered, Doubt, "unanswered"),
        (dns(&["192.168.1.20"]), Hindrance, "private"),
        (dns(&["9.9.9.20", "10.0.0.1"]), Doubt, "private"),
        (dns(&["100.64.0.9"]), Hindrance, "private"),
        (dns(&["9.9.9.99"]), Doubt, "elsewhere"),
        (dns(&["9.9.9.20", "2620:fe::99"]), Doubt, "stale-v6"),
        (dns(&["104.16.1.2"]), Doubt, "proxied"),
    ];
    for (dns, weight, key) in table {
        is(&judge(&facts("home.example.org", dns)), weight, key);
    }
    let mut behind_a_router = facts("home.example.org", dns(&["9.9.9.99"]));
    behind_a_router.here.own.clear();
    assert_eq!(worst(&judge(&behind_a_router)).0, Weight::Good);
    let mut only_tls = facts("home.example.org", dns(&["104.16.1.2"]));
    only_tls.here.ways = vec![ChallengeKind::TlsAlpn];
    is(&judge(&only_tls), Hindrance, "proxied");
    let mut company = facts("home.example.org", dns(&["192.168.1.20"]));
    company.here.authority.private = true;
    assert!(judge(&company).iter().all(|one| one.finding.weight != Hindrance), "it is on the same network");
}

#[test]
fn caa_records_are_read_as_authorities_read_them() {
    use Weight::{Doubt, Good, Hindrance};
    let table: [(DnsFacts, &str, Weight, &str); 8] = [
        (caa(&[("letsencrypt.org", &[], None)], false), "a.example.org", Good, "port"),
        (caa(&[("pki.goog", &[], None)], false), "a.example.org", Hindrance, "caa"),
        (caa(&[("", &[], None)], false), "a.example.org", Hindrance, "caa"),
        (caa(&[("letsencrypt.org", &["dns-01"], None)], false), "a.example.org", Hindrance, "caa-methods"),
        (caa(&[("letsencrypt.org", &["http-01"], None)], false), "a.example.org", Good, "port"),
        (
            caa(&[("letsencrypt.org", &[], Some("https://ca.example/acct/2"))], false),
            "a.example.org",
            Hindrance,
            "caa-account",
        ),
        (
            caa(&[("letsencrypt.org", &[], Some("https://ca.example/acct/1"))], false),
            "a.example.org",
            Good,
            "port",
        ),
        // Records about wildcards alone say nothing of a plain name.
        (caa(&[("pki.goog", &[], None)], true), "a.example.org", Good, "port"),
    ];
    for (dns, name, weight, key) in table {
        is(&judge(&facts(name, dns)), weight, key);
    }
    let mut wildcard = facts("*.example.org", caa(&[("pki.goog", &[], None)], true));
    wildcard.here.ways.push(ChallengeKind::Dns);
    is(&judge(&wildcard), Hindrance, "caa");
    let mut silent = facts("a.example.org", caa(&[("pki.goog", &[], None)], false));
    silent.here.authority.identities.clear();
    is(&judge(&silent), Doubt, "caa-unknown");
}

#[test]
fn a_record_in_dns_needs_neither_address_nor_port() {
    let mut by_dns = facts("home.example.org", dns(&[]));
    by_dns.here.ways = vec![ChallengeKind::Dns];
    by_dns.here.scope = Scope::Lan;
    assert_eq!(judge(&by_dns), Vec::new());
    let wildcard = judge(&facts("*.example.org", dns(&["9.9.9.20"])));
    assert_eq!(worst(&wildcard), (Weight::Hindrance, "core.acme.no-way".to_owned()));
}

#[test]
fn ports_and_scope_are_those_to_which_authorities_come() {
    let mut other = facts("home.example.org", dns(&["9.9.9.20"]));
    other.here.https = Some(8443);
    is(&judge(&other), Weight::Doubt, "other-port");
    other.here.mapped = Some(443);
    assert_ne!(worst(&judge(&other)).0, Weight::Hindrance);
    assert!(judge(&other).iter().all(|one| one.finding.text.key() != Some("core.acme.pre.other-port")));
    other.here.limited = true;
    is(&judge(&other), Weight::Hindrance, "limited");
    other.here.authority.private = true;
    assert_ne!(worst(&judge(&other)).0, Weight::Hindrance);
    let mut lan = facts("home.example.org", dns(&["9.9.9.20"]));
    lan.here.scope = Scope::Lan;
    is(&judge(&lan), Weight::Hindrance, "scope");
    is(&judge(&facts("9.9.9.20", dns(&[]))), Weight::Good, "port");
    is(&judge(&facts("2620:fe::99", dns(&[]))), Weight::Doubt, "stale-v6");
}

#[test]
fn clock_terms_and_authority_are_looked_at_once_for_all() {
    is(&judge_here(&here()), Weight::Good, "reachable");
    let early = Here { now: datetime!(1970-01-02 00:00 UTC), ..here() };
    is(&judge_here(&early), Weight::Hindrance, "clock");
    for (change, key) in [
        (Authority { agreed: false, ..here().authority }, "terms"),
        (Authority { unreachable: Some("no route".into()), ..here().authority }, "unreachable"),
        (Authority { lacks_external: true, ..here().authority }, "external"),
    ] {
        is(&judge_here(&Here { authority: change, ..here() }), Weight::Hindrance, key);
    }
}
