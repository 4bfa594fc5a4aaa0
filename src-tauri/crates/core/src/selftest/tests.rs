use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn check_saying(text: Text) -> Check {
    Check {
        id: CheckId::Addresses,
        title: "Addresses".into(),
        outcome: Outcome::Failed,
        ms: 1,
        saw: vec![text],
        because: Some("mini.local is 192.168.1.20".into()),
        fix: None,
    }
}

fn knowing() -> Redactor {
    Redactor::knowing(
        ["mini".to_owned(), "mini.local".to_owned()],
        ["ada".to_owned(), "root".to_owned()],
        Some("/Users/ada".to_owned()),
    )
}

fn redacted(text: &str) -> String {
    knowing().check(check_saying(text.into())).saw[0].to_string()
}

#[test]
fn names_and_addresses_are_left_out() {
    for (text, clean) in [
        ("https://192.168.1.20:8443 from 192.168.1.21", "https://<address-1>:8443 from <address-2>"),
        ("https://[fd77::10]:443.", "https://[<address-1>]:443."),
        ("fe80::1%en0, 10.0.0.1/24.", "<address-1>%en0, <address-2>/24."),
        ("held by 10.0.0.1: nginx", "held by <address-1>: nginx"),
        ("MINI.local, mini, minimal", "<this-machine>, <this-machine>, minimal"),
        ("/Users/ada/x: ada, adamant, root", "~/x: <user>, adamant, root"),
    ] {
        assert_eq!(redacted(text), clean);
    }
}

#[test]
fn what_tells_nothing_stays() {
    for text in ["127.0.0.1:8443 and [::1]", "0.0.0.0:443 (deed, 12:30:45)", "TLS 1.3, 42 ms, ab:cd"] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn arguments_of_texts_are_cleaned_and_the_same_address_gets_the_same_number() {
    let redactor = knowing();
    let text = say!("core.selftest.ownership.another", address = "192.168.1.20");
    let check = redactor.check(check_saying(text));
    let wire = serde_json::to_string(&check).unwrap();
    assert!(check.saw[0].contains("<address-1>") && check.saw[0].key().is_some(), "{}", check.saw[0]);
    assert!(!wire.contains("192.168"), "{wire}");
    assert_eq!(check.because.as_deref(), Some("<this-machine> is <address-1>"));
    let full = Redactor::nothing().check(check_saying("mini".into()));
    assert_eq!(full.saw, ["mini"]);
}

#[test]
fn a_room_is_private_for_one_run_and_gone_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("room");
    let room = Room::enter_at(path.clone()).unwrap();
    assert!(!room.cleaned);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let Err(error) = Room::enter_at(path.clone()) else { panic!("a second run got in") };
    assert_eq!(error.code, gatehouse_api::Code::AlreadyRunning);
    drop(room);
    assert!(!path.exists());
}

#[test]
fn what_a_killed_run_left_is_taken_away_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("room");
    let room = Room::enter_at(path.clone()).unwrap();
    std::fs::create_dir(path.join("edge")).unwrap();
    std::fs::write(path.join("edge/key"), "left").unwrap();
    // As a kill leaves it: the lock is free and the files stay.
    std::mem::forget(room);
    let copy = folder.path().join("other");
    std::fs::rename(&path, &copy).unwrap();
    let room = Room::enter_at(copy.clone());
    assert!(room.is_err(), "the lock of the forgotten one is held still");
    std::fs::remove_file(copy.join("lock")).unwrap();
    let room = Room::enter_at(copy.clone()).unwrap();
    assert!(room.cleaned && !copy.join("edge").exists());
}

#[test]
fn somebody_elses_folder_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (open, link) = (folder.path().join("open"), folder.path().join("link"));
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    for path in [open, link] {
        assert!(Room::enter_at(path).is_err());
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_begins_says_so_of_every_check() {
    let (_sender, stopping) = watch::channel(true);
    let mut told = 0;
    let report = run(&Options::default(), stopping, |_| told += 1).await.unwrap();
    assert_eq!((report.passed, report.failed, report.unknown, told), (0, 0, ALL.len(), ALL.len()));
    let text = report.to_file();
    assert!(text.contains("13 cannot be said") && text.contains("```json"), "{text}");
}

/// What needs nothing of a desktop passes on every machine that runs these tests.
#[tokio::test(flavor = "multi_thread")]
async fn files_descriptors_clock_ownership_edge_and_trust_pass_here() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::enter_at(folder.path().join("room")).unwrap();
    for id in [
        CheckId::Files,
        CheckId::Descriptors,
        CheckId::Clock,
        CheckId::PortOwnership,
        CheckId::Edge,
        CheckId::TrustStore,
    ] {
        let finding = check(id, &room, &Options::default()).await;
        assert_eq!(finding.outcome, Outcome::Passed, "{id:?}: {:?} {:?}", finding.because, finding.saw);
    }
}
