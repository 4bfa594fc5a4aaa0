//! Certificates of the user and rules about clients as changes: served at once, remembered, taken back.

use std::collections::BTreeSet;

use gatehouse_api::{ChangeKind, ChangeState};
use gatehouse_certs::Names;
use gatehouse_certs::clients::ClientRule;
use gatehouse_certs::imported::{ImportSource, Material, Pair};
use rcgen::{CertificateParams, KeyPair};

use super::house::House;
use crate::transaction::{Bringing, Intent};

const NAME: &str = "chat.example.com";

fn pair() -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.not_before = time::OffsetDateTime::now_utc() - time::Duration::days(30);
    params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(60);
    let text = format!("{}{}", params.self_signed(&key).unwrap().pem(), key.serialize_pem());
    Pair::read(&[Material { file: "test", bytes: text.as_bytes() }], None).unwrap()
}

fn import(house: &House) -> (Intent, String) {
    let id = house.context().brought.imports.copy(&pair(), house.context().clock.now()).unwrap();
    let what = Bringing::Import {
        slot: NAME.to_owned(),
        source: ImportSource::Copied { id: id.clone() },
        names: Names { dns: BTreeSet::from([NAME.to_owned()]), ..Names::default() },
        remarks: Vec::new(),
    };
    (Intent::Bring(what), id)
}

fn hosts(house: &House) -> Vec<String> {
    let served = house.context().served.load_full();
    let addresses = served.iter().flat_map(|served| &served.plan.addresses);
    addresses.map(|address| address.host.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_certificate_opens_its_name_and_undo_takes_both_away() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let before = (house.config(), house.origins());
    let (intent, id) = import(&house);
    let change = house.transactions().run(intent).await.unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    assert_eq!(house.transactions().history(1).remove(0).kind, ChangeKind::Certificates);
    assert!(hosts(&house).contains(&NAME.to_owned()));
    assert!(house.origins().iter().any(|origin| origin.contains(NAME)), "{:?}", house.origins());
    let local = house.context().certificates.current().unwrap();
    assert!(!local.names.dns.contains(NAME), "the local authority vouches for no public name");
    assert!(house.context().certificates.shelf().lookup(Some(NAME)).is_some());

    house.transactions().undo(None, false).await.unwrap();
    assert_eq!((house.config(), house.origins()), before);
    assert!(!hosts(&house).contains(&NAME.to_owned()));
    assert!(house.context().certificates.shelf().lookup(Some(NAME)).is_none());
    assert!(!house.transactions().copies().contains(&id), "nothing needs the copy any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_certificate_is_kept_for_as_long_as_its_removal_can_be_undone() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let (intent, id) = import(&house);
    house.transactions().run(intent).await.unwrap();
    house.transactions().run(Intent::Bring(Bringing::Remove { slot: NAME.to_owned() })).await.unwrap();
    assert!(!hosts(&house).contains(&NAME.to_owned()));
    assert!(house.transactions().copies().contains(&id));
    house.transactions().undo(None, false).await.unwrap();
    assert!(hosts(&house).contains(&NAME.to_owned()));
    assert!(house.context().certificates.shelf().lookup(Some(NAME)).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_about_clients_is_in_force_at_once_and_taken_back_like_any_change() {
    let house = House::new();
    let require =
        Bringing::Require { host: NAME.to_owned(), rule: ClientRule::default(), remarks: Vec::new() };
    house.transactions().run(Intent::Bring(require)).await.unwrap();
    assert!(house.context().brought.asks(NAME));
    assert!(!house.context().brought.asks("other.example.com"));
    house.transactions().undo(None, false).await.unwrap();
    assert!(!house.context().brought.asks(NAME));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_change_is_under_way_is_not_tidied_away() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let brought = house.context().brought.clone();
    let id = brought.copy(&pair(), house.context().clock.now()).unwrap();
    brought.keep_only(&[]).unwrap();
    let what = Bringing::Import {
        slot: NAME.to_owned(),
        source: ImportSource::Copied { id: id.clone() },
        names: Names { dns: BTreeSet::from([NAME.to_owned()]), ..Names::default() },
        remarks: Vec::new(),
    };
    house.transactions().run(Intent::Bring(what)).await.unwrap();
    assert!(house.context().certificates.shelf().lookup(Some(NAME)).is_some());
}
