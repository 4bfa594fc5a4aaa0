use proptest::prelude::*;

use super::*;

const START: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);

fn of(life: Duration) -> Validity {
    Validity { not_before: START, not_after: START + life }
}

#[test]
fn a_short_certificate_is_renewed_at_half_its_life_and_a_long_one_when_a_third_is_left() {
    assert_eq!(of(Duration::hours(160)).backstop(), START + Duration::hours(80));
    assert_eq!(of(Duration::days(45)).backstop(), START + Duration::days(30));
    assert_eq!(of(Duration::days(90)).backstop(), START + Duration::days(60));
}

#[test]
fn reasons_come_in_the_order_of_their_weight() {
    let held = of(Duration::days(90));
    assert_eq!(due(None, None, START), Some(Why::Absent));
    assert_eq!(due(Some(held), None, START), None);
    let suggested = START + Duration::days(50);
    assert_eq!(due(Some(held), Some(suggested), suggested - TICK - Duration::SECOND), None);
    assert_eq!(due(Some(held), Some(suggested), suggested - TICK), Some(Why::Suggested));
    assert_eq!(
        due(Some(held), Some(held.not_after), held.backstop()),
        Some(Why::Age),
        "ARI may not push it back"
    );
    assert_eq!(due(Some(held), None, held.not_after), Some(Why::Expired));
}

#[test]
fn nearness_is_a_share_of_the_life() {
    let week = of(Duration::hours(160));
    assert_eq!(week.nearness(START + Duration::hours(100)), Nearness::Far);
    assert_eq!(week.nearness(START + Duration::hours(121)), Nearness::Near);
    assert_eq!(week.nearness(START + Duration::hours(145)), Nearness::Close);
    assert_eq!(week.nearness(START + Duration::hours(160)), Nearness::Over);
}

#[test]
fn a_clock_before_the_certificate_or_before_gatehouse_is_wrong() {
    let held = Some(of(Duration::days(45)));
    assert!(!clock_is_wrong(held, START - Duration::minutes(59)));
    assert!(clock_is_wrong(held, START - Duration::hours(2)));
    assert!(clock_is_wrong(None, datetime!(1970-01-01 00:00 UTC)));
}

proptest! {
    #[test]
    fn whatever_is_suggested_nothing_waits_past_the_backstop(
        life in 1i64..2000, at in -100i64..4000, suggested in proptest::option::of(-5000i64..5000),
    ) {
        let held = of(Duration::hours(life));
        let now = START + Duration::hours(at);
        let suggested = suggested.map(|hours| START + Duration::hours(hours));
        let due = due(Some(held), suggested, now);
        if now >= held.backstop() { prop_assert!(due.is_some()); }
        prop_assert!(begins(held, suggested) <= held.backstop());
        if due.is_none() { prop_assert!(now < begins(held, suggested)); }
    }
}
