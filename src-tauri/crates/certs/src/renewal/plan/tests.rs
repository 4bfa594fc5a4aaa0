use time::macros::datetime;

use super::*;
use crate::acme::Failure;
use crate::acme::Window;
use crate::renewal::budget::Outcome;
use crate::renewal::record::{Live, Suggested};

const NOW: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);

struct House {
    identifiers: Vec<Identifier>,
    directories: Vec<String>,
    ways: Vec<ChallengeKind>,
    held: Option<Validity>,
    record: Record,
    budget: Budget,
}

impl House {
    fn new() -> Self {
        Self {
            identifiers: vec!["a.example".parse().unwrap()],
            directories: vec!["one".into(), "two".into()],
            ways: vec![ChallengeKind::TlsAlpn],
            held: None,
            record: Record::default(),
            budget: Budget::default(),
        }
    }

    fn next(&self, now: OffsetDateTime) -> Next {
        let known = Known {
            identifiers: &self.identifiers,
            directories: &self.directories,
            ways: &self.ways,
            held: self.held,
            asked: false,
            record: &self.record,
            budget: &self.budget,
        };
        next(&known, now)
    }

    fn fail(&mut self, directory: &str, cause: Cause, now: OffsetDateTime) {
        let failure = Failure { cause, detail: String::new(), retry_after: None };
        self.record.failed(directory, &failure, now, 0.5);
    }
}

fn asks(directory: &str, why: Why) -> Next {
    Next::Attempt { directory: directory.into(), why, replaces: None }
}

#[test]
fn the_first_authority_is_asked_first_and_again_after_its_wait() {
    let mut house = House::new();
    assert_eq!(house.next(NOW), asks("one", Why::Absent));
    house.fail("one", Cause::Connection, NOW);
    assert_eq!(house.next(NOW), Next::Wait { until: NOW + Duration::minutes(1) });
    assert_eq!(house.next(NOW + Duration::minutes(1)), asks("one", Why::Absent));
}

#[test]
fn another_authority_is_asked_when_the_first_stays_in_the_way() {
    let mut house = House::new();
    house.fail("one", Cause::RateLimited, NOW);
    assert_eq!(house.next(NOW), asks("two", Why::Absent), "rate limited: at once");

    let mut house = House::new();
    for failures in 0..3 {
        assert_ne!(house.next(NOW), asks("two", Why::Absent), "after {failures}");
        house.fail("one", Cause::Unreachable, NOW);
    }
    assert_eq!(house.next(NOW), asks("two", Why::Absent), "unreachable: after three");

    let mut house = House::new();
    house.fail("one", Cause::NoChallenge, NOW);
    house.fail("one", Cause::NoChallenge, NOW);
    assert_eq!(house.next(NOW), Next::Wait { until: NOW + Duration::minutes(100) }, "the obstacle is here");
}

#[test]
fn what_is_replaced_is_named_only_to_the_authority_that_issued_it_and_suggests_renewals() {
    let mut house = House::new();
    house.held = Some(Validity { not_before: NOW - Duration::days(40), not_after: NOW + Duration::days(5) });
    house.record.live = Some(Live { directory: "one".into(), id: Some("a.b".into()), sha256: String::new() });
    assert_eq!(house.next(NOW), asks("one", Why::Age));
    let window = Window { start: NOW, end: NOW };
    house.record.suggested = Some(Suggested { window, pick: NOW, explanation: None });
    let replacing =
        Next::Attempt { directory: "one".into(), why: Why::Suggested, replaces: Some("a.b".into()) };
    assert_eq!(house.next(NOW), replacing);
    house.fail("one", Cause::RateLimited, NOW);
    assert_eq!(house.next(NOW), asks("two", Why::Suggested));
}

#[test]
fn nothing_is_asked_with_a_wrong_clock_without_an_authority_or_before_its_time() {
    let mut house = House::new();
    assert_eq!(house.next(datetime!(2001-01-01 00:00 UTC)), Next::ClockWrong);
    house.held = Some(Validity { not_before: NOW, not_after: NOW + Duration::days(45) });
    assert_eq!(house.next(NOW), Next::Wait { until: NOW + Duration::days(30) });
    house.directories.clear();
    assert_eq!(house.next(NOW), Next::NoAuthority);
}

#[test]
fn a_used_up_budget_is_waited_for_or_another_authority_is_asked() {
    let mut house = House::new();
    for _ in 0..4 {
        house.budget.begin("one", &house.identifiers, false, NOW);
        house.budget.end("one", &house.identifiers, Outcome::Failed);
    }
    assert_eq!(house.next(NOW), asks("two", Why::Absent));
    house.directories.pop();
    assert_eq!(house.next(NOW), Next::Wait { until: NOW + Duration::hours(1) });
}

#[test]
fn a_wait_keeps_its_length_when_the_clock_is_set_back() {
    let mut house = House::new();
    house.directories.pop();
    let later = NOW + Duration::days(900);
    house.fail("one", Cause::RateLimited, later);
    house.record.believe(NOW);
    assert_eq!(house.next(NOW), Next::Wait { until: NOW + Duration::hours(1) });
}

#[test]
fn nothing_is_attempted_where_no_way_can_prove_every_name() {
    let mut house = House::new();
    house.identifiers = vec!["a.example".parse().unwrap(), "*.a.example".parse().unwrap()];
    assert_eq!(house.next(NOW), Next::NoWay);
    house.ways = vec![ChallengeKind::Http, ChallengeKind::Dns];
    assert_eq!(house.next(NOW), asks("one", Why::Absent));
    house.ways.clear();
    assert_eq!(house.next(NOW), Next::NoWay);
    house.held = Some(Validity { not_before: NOW, not_after: NOW + Duration::days(90) });
    assert!(matches!(house.next(NOW), Next::Wait { .. }), "what is not due needs no way yet");
}
