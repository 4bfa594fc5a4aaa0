use std::fs;

use gatehouse_api::{ErrorEnvelope, say};

use super::{PATIENCE, attempt};
use crate::transaction::Intent;
use crate::transaction::draft::Draft;
use crate::transaction::tests::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_the_vault_refuses_leaves_all_as_it_was() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let certificates = &house.context().certificates;
    let before = (certificates.authority().unwrap().sha256, certificates.current().unwrap());
    house.lock_the_vault(true);

    house.transactions().run(Intent::Close { purge: true }).await.unwrap_err();

    assert_eq!((certificates.authority().unwrap().sha256, certificates.current().unwrap()), before);
    assert!(house.settings_open() && !house.listening().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_removed_once_the_authority_is_gone_is_told_and_keeps_nothing_open() {
    let house = House::new();
    house.transactions().run(house.open(&[])).await.unwrap();
    let public = house.context().journal.parent().unwrap().join("acme/public");
    fs::write(&public, "a file where a folder belongs").unwrap();

    let change = house.transactions().run(Intent::Close { purge: true }).await.unwrap();

    assert!(change.warnings.iter().any(|line| line.contains("acme/public")), "{change:?}");
    assert!(!house.has_authority() && !house.settings_open() && house.listening().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_waited_for_without_end_and_the_same_is_told_once() {
    let mut draft = Draft::default();
    let begun = tokio::time::Instant::now();
    for _ in 0..2 {
        attempt(&mut draft, std::future::pending::<Result<(), ErrorEnvelope>>()).await;
    }
    assert_eq!(begun.elapsed().as_secs(), 2 * PATIENCE.as_secs());
    let because = say!("core.slow.because", seconds = PATIENCE.as_secs());
    assert_eq!(draft.warnings, [say!("core.both", title = say!("core.slow.title"), because = because)]);
}
