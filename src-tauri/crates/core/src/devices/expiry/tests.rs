use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn one(seconds: u64) -> BTreeMap<String, ExpirySettings> {
    BTreeMap::from([("pad".to_owned(), stay(seconds, NOW).unwrap())])
}

fn later(seconds: i64) -> OffsetDateTime {
    NOW + time::Duration::seconds(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_device_is_due_when_the_wall_clock_says_so() {
    let (kept, mut fuses) = (one(3600), Fuses::default());

    assert!(fuses.due(&kept, NOW).is_empty());
    assert!(fuses.due(&kept, later(3599)).is_empty());
    assert_eq!(fuses.due(&kept, later(3600)), ["pad"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_passed_while_nothing_ran_is_over_at_the_next_start() {
    assert_eq!(Fuses::default().due(&one(3600), later(86_400)), ["pad"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_lengthens_no_stay() {
    let (kept, mut fuses) = (one(3600), Fuses::default());
    assert!(fuses.due(&kept, NOW).is_empty());

    tokio::time::advance(Duration::from_secs(3601)).await;
    assert_eq!(fuses.due(&kept, later(-86_400)), ["pad"]);

    let mut after_a_restart = Fuses::default();
    assert!(after_a_restart.due(&kept, later(-86_400)).is_empty());
    tokio::time::advance(Duration::from_secs(3601)).await;
    assert_eq!(after_a_restart.due(&kept, later(-86_400)), ["pad"], "no more than what was decided");
}

#[tokio::test(start_paused = true)]
async fn a_stay_that_was_changed_is_measured_anew_and_one_that_was_ended_not_at_all() {
    let mut fuses = Fuses::default();
    assert!(fuses.due(&one(60), NOW).is_empty());
    tokio::time::advance(Duration::from_secs(61)).await;

    assert!(fuses.due(&one(3600), NOW).is_empty());
    assert!(fuses.due(&BTreeMap::new(), later(7200)).is_empty());
}

#[test]
fn a_stay_is_between_a_minute_and_a_year() {
    for (seconds, good) in [(0, false), (59, false), (60, true), (366 * 86_400, true), (u64::MAX, false)] {
        assert_eq!(stay(seconds, NOW).is_ok(), good, "{seconds}");
    }
}

#[test]
fn what_is_told_is_bounded_in_number_and_time() {
    let device = |at| ExpiredDevice {
        device_id: "pad".into(),
        name: "Pad".into(),
        at,
        can_return: false,
        note: Text::default(),
    };
    let mut expired = Vec::new();
    for second in 0..50 {
        note(&mut expired, device(later(second)));
    }
    assert_eq!((expired.len(), expired[0].at), (TOLD_MOST, later(49)));

    note(&mut expired, device(later(8 * 86_400)));
    assert_eq!(expired.len(), 1);
    assert!(recent(&expired, later(16 * 86_400)).is_empty());
}
