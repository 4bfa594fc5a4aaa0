//! Every way to prove every kind of name, with pebble.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use gatehouse_certs::acme::{Cause, ChallengeKind, ExternalAccount, Hook, Registration};
use gatehouse_certs::renewal::plan::Next;
use time::OffsetDateTime;

use crate::kit::pebble::{EXTERNAL_KEY, Moods, Pebble};
use crate::kit::{House, Ports, failure, have, names, shown};

async fn house(moods: &Moods) -> Option<(Pebble, House)> {
    if !have("pebble") {
        return None;
    }
    let ports = Ports::free();
    let pebble = Pebble::start(ports, moods);
    let house = House::open(ports, vec![pebble.root.clone()]).await.authority(&pebble.directory);
    Some((pebble, house))
}

#[tokio::test]
async fn a_name_is_proven_on_the_tls_port_and_served_at_once() {
    let Some((_pebble, house)) = house(&Moods::default()).await else { return };
    let house = house.ways(&[ChallengeKind::TlsAlpn]).wants(&["home.example.org"]);

    let status = house.one().await;

    let facts = status.facts.unwrap();
    assert!(facts.names.dns.contains("home.example.org"));
    assert_eq!(shown(&house.resolver, "home.example.org").unwrap(), facts.sha256);
    assert!(
        matches!(status.next, Next::Wait { until } if until > OffsetDateTime::now_utc() + time::Duration::days(50))
    );
    assert_eq!(status.stage, None);
}

#[tokio::test]
async fn several_names_and_addresses_of_both_families_are_proven_on_either_port() {
    for way in [ChallengeKind::TlsAlpn, ChallengeKind::Http] {
        let Some((_pebble, house)) = house(&Moods::default()).await else { return };
        let house = house.ways(&[way]).wants(&["a.example.org b.example.org 127.0.0.1 ::1"]);

        let facts = house.one().await.facts.unwrap_or_else(|| panic!("{way:?}"));

        assert_eq!(facts.names.dns.len() + facts.names.ips.len(), 4, "{way:?}");
    }
}

#[tokio::test]
async fn a_wildcard_and_its_apex_are_proven_by_a_program_of_the_user() {
    if !have("curl") {
        return;
    }
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let program = house.folder.path().join("set-txt");
    let script = format!(
        "#!/bin/sh\nset -eu\n[ \"$1\" = \"$GATEHOUSE_DNS_ACTION\" ]\n[ -z \"${{SECRET:-}}\" ]\n\
         [ \"$1\" = present ] && what=set-txt || what=clear-txt\n\
         curl -sf -X POST -d \"{{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}}\" http://127.0.0.1:{}/$what\n",
        pebble.dns
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let house = house.dns(Arc::new(Hook::new(program, Duration::ZERO))).wants(&["*.example.org example.org"]);

    let status = house.one().await;

    let facts = status.facts.clone().unwrap_or_else(|| panic!("{:?}", status.record));
    assert!(facts.names.dns.contains("*.example.org") && facts.names.dns.contains("example.org"));
    assert_eq!(shown(&house.resolver, "anything.example.org").unwrap(), facts.sha256);
    assert_eq!(shown(&house.resolver, "a.b.example.org"), None);
}

#[tokio::test]
async fn an_external_account_is_needed_where_the_authority_says_so() {
    let Some((pebble, house)) = house(&Moods { external: true, ..Moods::default() }).await else { return };
    let house = house.wants(&["home.example.org"]);
    assert_eq!(failure(&house.one().await).cause, Cause::ExternalAccount);
    assert!(house.renewal.directory(&pebble.directory).await.unwrap().meta.external_account_required);

    let external = |key: &str| Registration {
        email: "owner@example.org".into(),
        agreed: true,
        external: Some(ExternalAccount { key_id: "kid-1".into(), key: key.to_owned().into() }),
    };
    let wrong = house.renewal.register(&pebble.directory, &external("AAAA")).await.unwrap_err();
    assert_ne!(wrong.cause, Cause::Local, "{wrong}");
    let directory = pebble.directory.clone();
    let house = house.registration(&directory, external(EXTERNAL_KEY)).wants(&["home.example.org"]);

    assert!(house.one().await.facts.is_some());
    assert_eq!(house.renewal.accounts()[0].email, "owner@example.org");
}

#[tokio::test]
async fn the_key_of_an_account_can_be_changed_and_the_account_lives_on() {
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let registration = Registration { agreed: true, email: "a@example.org".into(), external: None };
    house.renewal.register(&pebble.directory, &registration).await.unwrap();
    let file = || {
        let folder = std::fs::read_dir(house.folder.path().join("accounts")).unwrap();
        let path = folder.flatten().next().unwrap().path();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::read_to_string(path).unwrap()
    };
    let before = file();

    house.renewal.roll_account_key(&pebble.directory).await.unwrap();

    assert_ne!(file(), before);
    let changed = Registration { email: "b@example.org".into(), ..Registration::default() };
    house.renewal.register(&pebble.directory, &changed).await.unwrap();
    assert_eq!(house.renewal.accounts()[0].email, "b@example.org");
    let house = house.wants(&["home.example.org"]);
    assert!(house.one().await.facts.is_some());
    assert_eq!(pebble.requests("POST /sign-me-up"), 1, "one account");
}

#[tokio::test]
async fn nobody_is_registered_who_has_not_agreed() {
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let directory = pebble.directory.clone();
    let house = house.registration(&directory, Registration::default()).wants(&["home.example.org"]);

    assert_eq!(failure(&house.one().await).cause, Cause::Terms);
    assert_eq!(pebble.requests("POST /sign-me-up"), 0);
}

#[tokio::test]
async fn a_certificate_survives_a_restart_and_is_asked_anew_only_by_force() {
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let house = house.wants(&["home.example.org"]);
    let first = house.one().await.facts.unwrap().sha256.clone();

    let house = house.restart().await;
    assert_eq!(shown(&house.resolver, "home.example.org").as_ref(), Some(&first));
    assert_eq!(house.one().await.facts.unwrap().sha256, first);
    house.renewal.ask_now(None, false);
    assert_eq!(house.one().await.facts.unwrap().sha256, first);
    house.renewal.ask_now(Some(&names("home.example.org")), true);
    let second = house.one().await.facts.unwrap().sha256.clone();

    assert_ne!(second, first);
    assert_eq!(shown(&house.resolver, "home.example.org").unwrap(), second);
    assert_eq!(pebble.requests("POST /order-plz"), 2);
    assert_eq!(pebble.requests("POST /sign-me-up"), 1);
}

#[tokio::test]
async fn a_rehearsal_finds_what_would_hinder_and_keeps_nothing() {
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let house = house.wants(&[]);
    let now = OffsetDateTime::now_utc();

    house.renewal.rehearse(&pebble.directory, &names("home.example.org"), now).await.unwrap();
    assert_eq!(shown(&house.resolver, "home.example.org"), None);

    let blocked = names("blocked-domain.example");
    let failure = house.renewal.rehearse(&pebble.directory, &blocked, now).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Rejected, "{failure}");
}

#[tokio::test]
async fn what_is_wanted_no_more_is_served_no_more() {
    let Some((_pebble, house)) = house(&Moods::default()).await else { return };
    let house = house.wants(&["home.example.org"]);
    assert!(house.one().await.facts.is_some());

    let house = house.wants(&[]);
    assert_eq!(shown(&house.resolver, "home.example.org"), None);
    let house = house.wants(&["home.example.org"]);
    assert!(shown(&house.resolver, "home.example.org").is_some(), "its files stay");
}

#[tokio::test]
async fn a_renewal_keeps_its_key_where_that_is_wanted() {
    let Some((_pebble, mut house)) = house(&Moods::default()).await else { return };
    for (reuse_key, same) in [(true, true), (false, false)] {
        house.wanted.reuse_key = reuse_key;
        house = house.wants(&["home.example.org"]);
        let before = house.one().await.facts.unwrap();

        house.renewal.ask_now(None, true);
        let after = house.one().await.facts.unwrap();

        assert_ne!(after.sha256, before.sha256);
        assert_eq!(after.public_key == before.public_key, same, "{reuse_key}");
        assert_eq!(shown(&house.resolver, "home.example.org").unwrap(), after.sha256);
    }
}

#[tokio::test]
async fn a_purge_leaves_no_account_no_key_and_no_memory_and_a_new_beginning_works() {
    let Some((pebble, house)) = house(&Moods::default()).await else { return };
    let house = house.wants(&["home.example.org"]);
    assert!(house.one().await.facts.is_some());
    let traces = house.renewal.traces();
    assert_eq!((traces.accounts.len(), traces.certificates, traces.is_empty), (1, 1, false));

    house.renewal.purge(OffsetDateTime::now_utc()).await.unwrap();

    let traces = house.renewal.traces();
    assert_eq!((traces.accounts.len(), traces.certificates, traces.is_empty), (0, 0, true));
    assert_eq!(shown(&house.resolver, "home.example.org"), None);
    let files = || std::fs::read_dir(house.folder.path()).unwrap().flatten().map(|one| one.file_name());
    assert_eq!(files().collect::<Vec<_>>(), ["accounts"]);
    let house = house.wants(&["home.example.org"]);
    assert!(house.one().await.facts.is_some());
    assert_eq!(pebble.requests("POST /sign-me-up"), 2);
}

#[tokio::test]
async fn a_purge_does_not_wait_for_an_order_that_is_on_its_way() {
    let Some((_pebble, house)) = house(&Moods { slow: Some(15), ..Moods::default() }).await else { return };
    let house = house.wants(&["home.example.org"]);
    let mut changes = house.renewal.status();
    let asked = async {
        let asked = |all: &Vec<gatehouse_certs::renewal::Status>| {
            all.iter().any(|one| one.stage == Some(gatehouse_certs::acme::Stage::Asked))
        };
        changes.wait_for(asked).await.unwrap();
        house.renewal.purge(OffsetDateTime::now_utc()).await.unwrap();
    };
    let both = async { tokio::join!(house.renewal.tick(OffsetDateTime::now_utc()), asked) };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("it is given up at once");
    assert!(house.renewal.traces().is_empty);
}
