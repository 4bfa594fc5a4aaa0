use gatehouse_api::{DnsSetup, ProofWay, SecretText};
use gatehouse_certs::acme::ChallengeKind;
use gatehouse_certs::renewal::schedule::Validity;
use time::macros::datetime;

use super::*;
use crate::settings::AuthoritySettings;

fn names(texts: &[&str]) -> Vec<Identifier> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn setup() -> AcmeSetup {
    AcmeSetup { agree_terms: true, email: Some("ada@example.org".into()), ..AcmeSetup::default() }
}

fn code(setup: &AcmeSetup) -> Option<Code> {
    checked(setup).err().map(|error| error.code)
}

#[test]
fn the_first_setup_asks_the_usual_authority_and_a_named_one_comes_before_it() {
    let first = changed(None, &setup(), &names(&["home.example.org"])).unwrap();
    assert!(wanted::is_ready(&first));
    assert_eq!(first.authorities[0].directory, KNOWN[0].directory);
    assert_eq!(first.certificates, [["home.example.org"]]);

    let named = AcmeSetup { authority: Some("google".into()), ..setup() };
    let second = changed(Some(&first), &named, &[]).unwrap();
    let asked: Vec<&str> = second.authorities.iter().map(|one| one.directory.as_str()).collect();
    assert_eq!(asked, [KNOWN[2].directory, KNOWN[0].directory]);
    assert_eq!(second.certificates, first.certificates);

    let alone = AcmeSetup { only_authority: true, ..named };
    assert_eq!(changed(Some(&second), &alone, &[]).unwrap().authorities.len(), 1);
}

#[test]
fn the_key_is_kept_at_renewals_only_where_its_owner_said_so_and_until_its_owner_says_otherwise() {
    let first = changed(None, &setup(), &[]).unwrap();
    assert!(!first.reuse_key);
    let kept = changed(Some(&first), &AcmeSetup { reuse_key: Some(true), ..setup() }, &[]).unwrap();
    assert_eq!(differences(Some(&first), Some(&kept)), [say!("core.acme.keeps-key")]);
    assert!(changed(Some(&kept), &setup(), &[]).unwrap().reuse_key);
    let fresh = AcmeSetup { reuse_key: Some(false), ..setup() };
    assert_eq!(changed(Some(&kept), &fresh, &[]).unwrap(), first);
}

#[test]
fn a_setup_that_cannot_be_meant_changes_nothing() {
    let wrong = [
        AcmeSetup { authority: Some("http://plain.example/dir".into()), ..setup() },
        AcmeSetup { email: Some("nobody".into()), ..setup() },
        AcmeSetup { roots: Some("no certificate".into()), ..setup() },
        AcmeSetup { external_key_id: Some("kid".into()), ..setup() },
        AcmeSetup { dns: Some(DnsSetup::Cloudflare), ..setup() },
        AcmeSetup { dns: Some(DnsSetup::Hook { program: "set-txt".into(), settle: 1 }), ..setup() },
        AcmeSetup { names: vec!["mini.local".into()], ..setup() },
        AcmeSetup { names: vec!["192.168.1.20".into()], ..setup() },
        AcmeSetup { names: vec!["*".into()], ..setup() },
    ];
    for one in &wrong {
        assert_eq!(code(one), Some(Code::Usage), "{one:?}");
    }
    let secret = Some(SecretText::new("token"));
    assert_eq!(code(&AcmeSetup { dns: Some(DnsSetup::Cloudflare), dns_secret: secret, ..setup() }), None);
}

#[test]
fn every_open_name_gets_a_certificate_of_its_own_unless_one_that_is_set_up_holds_it() {
    let acme = AcmeSettings {
        certificates: vec![vec!["*.example.org".into(), "example.org".into()], vec!["not a name".into()]],
        ..AcmeSettings::default()
    };
    let open = names(&["home.example.org", "a.home.example.org", "9.9.9.20", "example.org"]);
    let basis = Basis { acme: Some(acme), open, ..Basis::default() };

    let mut set = names(&["*.example.org", "example.org"]);
    set.sort();
    let (a, address) = (names(&["a.home.example.org"]), names(&["9.9.9.20"]));
    assert_eq!(basis.certificates(), [set.clone(), a.clone(), address.clone()]);
    // Until that one is here, the own one stays.
    let home = names(&["home.example.org"]);
    let kept = Basis { kept: home.clone(), ..basis };
    assert_eq!(kept.certificates(), [set, home, a, address]);
}

#[test]
fn only_ways_that_are_open_are_used_in_the_order_of_the_user() {
    let acme = |ways: &[ProofWay], dns: Option<DnsSetup>| AcmeSettings {
        ways: ways.to_vec(),
        dns,
        ..AcmeSettings::default()
    };
    use ChallengeKind::{Dns, Http, TlsAlpn};
    let table = [
        (acme(&[], None), Some(443), Some(80), vec![TlsAlpn, Http]),
        (acme(&[], None), Some(443), None, vec![TlsAlpn]),
        (acme(&[], None), None, None, vec![]),
        (acme(&[], Some(DnsSetup::Cloudflare)), None, None, vec![Dns]),
        (acme(&[ProofWay::Http, ProofWay::TlsAlpn], None), Some(443), Some(80), vec![Http, TlsAlpn]),
        (acme(&[ProofWay::Dns], None), Some(443), Some(80), vec![]),
    ];
    for (acme, https, redirect, expected) in table {
        assert_eq!(wanted::ways(&acme, https, redirect), expected, "{acme:?}");
    }
}

#[test]
fn a_certificate_is_taken_away_by_exactly_its_names() {
    let acme = AcmeSettings {
        certificates: vec![
            vec!["a.example.org".into(), "b.example.org".into()],
            vec!["c.example.org".into()],
        ],
        authorities: vec![AuthoritySettings::new("https://ca.example/dir".into())],
        ..AcmeSettings::default()
    };
    assert_eq!(without(&acme, &names(&["a.example.org"])), None);
    let left = without(&acme, &names(&["b.example.org", "a.example.org"])).unwrap();
    assert_eq!(left.certificates, [["c.example.org"]]);
    assert_eq!(left.authorities, acme.authorities);
    assert_eq!(differences(Some(&acme), Some(&left)).len(), 1);
}

#[test]
fn what_is_left_is_a_share_of_the_life_and_never_nothing_before_the_end() {
    let short =
        Validity { not_before: datetime!(2026-12-01 00:00 UTC), not_after: datetime!(2026-12-07 16:00 UTC) };
    assert_eq!(life_left(short, short.not_before), 100);
    assert_eq!(life_left(short, short.not_after - time::Duration::SECOND), 1);
    assert_eq!(life_left(short, short.not_after), 0);
    assert_eq!(life_left(short, datetime!(2027-01-01 00:00 UTC)), 0);
}

#[test]
fn a_public_name_or_scope_may_need_a_certificate_and_a_private_name_does_not() {
    let request = |scope, hosts: &[&str]| OpenRequest {
        scope,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        port: None,
        redirect_port: None,
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    };
    assert!(needs(&request(Scope::Internet, &[])));
    assert!(needs(&request(Scope::Lan, &["home.example.org"])));
    assert!(!needs(&request(Scope::Lan, &["mini.local", "192.168.1.20"])));
}

#[test]
fn every_failure_of_an_authority_says_what_to_do() {
    use gatehouse_certs::acme::Cause::*;
    let all = [
        Unreachable,
        Slow,
        Server,
        RateLimited,
        Connection,
        WrongAnswer,
        Tls,
        Dns,
        Caa,
        Rejected,
        BadRequest,
        Profile,
        AlreadyReplaced,
        UserAction,
        ExternalAccount,
        Terms,
        AccountLost,
        OrderLost,
        Contact,
        BadNonce,
        NoChallenge,
        DnsProvider,
        Local,
    ];
    for cause in all {
        let error = explained("a.example", "https://ca.example/dir", cause, "it said so");
        assert!(error.because.contains("It said so."), "{error:?}");
        assert!(error.fix.is_some_and(|fix| fix.text.ends_with('.')), "{cause:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_a_disk_error_stopped_is_taken_over_when_it_comes_again() {
    let house = crate::transaction::tests::house::House::new();
    let public = &house.context().public;
    let folder = house.context().journal.parent().unwrap().join("acme/public");
    std::fs::write(&folder, "a file where a folder belongs").unwrap();
    let follow = || {
        let open = names(&["a.example.org", "b.example.org"]);
        public.follow(open, &Listeners::default(), Some(Scope::Internet), house.now())
    };

    assert!(matches!(follow(), Err(CertError::Io { .. })));
    assert!(public.wanted().is_empty());
    std::fs::remove_file(&folder).unwrap();
    follow().unwrap();

    assert_eq!(public.certificates(house.now()).len(), 2);
}
