use std::sync::atomic::Ordering;

use super::*;
use crate::testkit::Zone;

#[tokio::test]
async fn a_record_whose_setting_failed_is_taken_away_like_any_other() {
    for silent in [false, true] {
        let zone: Arc<Zone> = Arc::default();
        zone.fails.store(true, Ordering::SeqCst);
        zone.silent.store(silent, Ordering::SeqCst);
        let mut published = Vec::new();
        let record = ("_acme-challenge.home.example.org".to_owned(), "value".to_owned());

        let setting = present(zone.clone(), record.0.clone(), record.1.clone(), &mut published);
        let set = tokio::time::timeout(std::time::Duration::from_millis(50), setting).await;

        assert!(!matches!(set, Ok(Ok(()))));
        assert_eq!(zone.records(), [record]);
        for one in published {
            one.remove().await;
        }
        assert!(zone.records().is_empty());
    }
}
