use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::testkit::names;

const MADE: OffsetDateTime = datetime!(2026-11-20 12:00 UTC);

fn authority() -> Option<(OffsetDateTime, OffsetDateTime)> {
    Some((MADE, MADE + Duration::days(3649)))
}

fn held() -> Held {
    let not_before = MADE - Duration::hours(24);
    Held {
        not_before,
        not_after: not_before + Duration::days(365),
        names: names(&["mini.local", "192.168.1.20"]),
        from_authority: true,
    }
}

fn at(now: OffsetDateTime) -> Decision {
    decide(Some(&held()), authority(), &names(&["mini.local"]), now)
}

fn issue(reason: Reason) -> Decision {
    Decision::Issue { reason }
}

#[test]
fn a_fresh_leaf_with_more_names_than_wanted_is_kept() {
    assert_eq!(at(MADE), Decision::Keep);
}

#[test]
fn nothing_held_means_issue() {
    assert_eq!(decide(None, None, &names(&["a.local"]), MADE), issue(Reason::Absent));
}

#[test]
fn a_missing_name_is_named() {
    let decision = decide(Some(&held()), authority(), &names(&["mini.local", "10.0.0.9"]), MADE);
    assert_eq!(decision, issue(Reason::Names(names(&["10.0.0.9"]))));
}

#[test]
fn the_last_third_of_its_life_means_issue_and_not_a_second_earlier() {
    let third = held().not_after - Duration::days(365) / 3;
    assert_eq!(at(third - Duration::seconds(1)), Decision::Keep);
    assert_eq!(at(third), issue(Reason::Age));
}

#[test]
fn a_leaf_that_ends_with_its_authority_is_not_renewed_for_age() {
    let mut held = held();
    held.not_after = MADE + Duration::days(3649);
    let now = held.not_after - Duration::hours(1);
    assert_eq!(decide(Some(&held), authority(), &names(&["mini.local"]), now), Decision::Keep);
    assert_eq!(
        decide(Some(&held), authority(), &names(&["mini.local"]), held.not_after),
        issue(Reason::Expired)
    );
}

#[test]
fn a_leaf_of_another_authority_is_replaced() {
    let held = Held { from_authority: false, ..held() };
    assert_eq!(
        decide(Some(&held), authority(), &names(&["mini.local"]), MADE),
        issue(Reason::OtherAuthority)
    );
}

#[test]
fn a_leaf_from_a_clock_that_was_ahead_is_replaced() {
    let mut held = held();
    held.not_before = MADE + Duration::days(300);
    held.not_after = MADE + Duration::days(697);
    assert_eq!(decide(Some(&held), authority(), &names(&["mini.local"]), MADE), issue(Reason::NotYetValid));
}

#[test]
fn a_clock_far_behind_issues_nothing_but_keeps_what_is_good() {
    let behind = MADE - Duration::hours(2);
    assert_eq!(at(behind), Decision::Keep);
    assert_eq!(
        decide(Some(&held()), authority(), &names(&["new.local"]), behind),
        Decision::ClockBehind { created: MADE }
    );
    assert_eq!(at(MADE - Duration::days(2)), Decision::ClockBehind { created: MADE });
}

proptest! {
    #[test]
    fn kept_leaves_are_valid_complete_and_of_our_authority(
        start in -1_000_000_i64..1_000_000,
        life in 1_i64..40_000_000,
        now in -60_000_000_i64..60_000_000,
        has in proptest::collection::btree_set("[a-c]", 0..4),
        want in proptest::collection::btree_set("[a-c]", 0..4),
        from_authority: bool,
        authority_life in 1_i64..400_000_000,
    ) {
        let not_before = MADE + Duration::seconds(start);
        let now = MADE + Duration::seconds(now);
        let held = Held {
            not_before,
            not_after: not_before + Duration::seconds(life),
            names: Names { dns: has.clone(), ..Names::default() },
            from_authority,
        };
        let wanted = Names { dns: want.clone(), ..Names::default() };
        let ends = MADE + Duration::seconds(authority_life);
        let decision = decide(Some(&held), Some((MADE, ends)), &wanted, now);
        match &decision {
            Decision::Keep => {
                prop_assert!(from_authority && want.is_subset(&has));
                prop_assert!(held.not_before <= now && now < held.not_after);
                prop_assert!(held.not_after >= ends || (held.not_after - now) * 3 > Duration::seconds(life) - Duration::seconds(3));
            }
            Decision::ClockBehind { .. } => prop_assert!(now < MADE - Duration::hours(1)),
            Decision::Issue { .. } => prop_assert!(now >= MADE - Duration::hours(1)),
        }
        prop_assert_eq!(&decision, &decide(Some(&held), Some((MADE, ends)), &wanted, now));
        let more = Held { names: Names { dns: has.union(&want).cloned().collect(), ..Names::default() }, ..held.clone() };
        if decision == Decision::Keep {
            prop_assert_eq!(decide(Some(&more), Some((MADE, ends)), &wanted, now), Decision::Keep);
        }
    }

    #[test]
    fn what_was_just_issued_is_kept_until_the_authority_ends(
        days in 0_i64..3649, seconds in 0_i64..86_400,
    ) {
        let ends = MADE + Duration::days(3649);
        let now = MADE + Duration::days(days) + Duration::seconds(seconds);
        prop_assume!(now < ends);
        let not_before = now - Duration::hours(24);
        let fresh = Held {
            not_before,
            not_after: (not_before + Duration::days(365)).min(ends),
            names: names(&["mini.local"]),
            from_authority: true,
        };
        prop_assert_eq!(decide(Some(&fresh), Some((MADE, ends)), &names(&["mini.local"]), now), Decision::Keep);
    }
}
