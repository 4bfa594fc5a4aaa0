use gatehouse_api::Code;

use super::*;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

fn proof(seconds: i64) -> Proof {
    Proof {
        url: "https://192.168.1.20:8443".into(),
        from: "192.168.1.20".into(),
        protocol: "TLS 1.3, HTTP/1.1, WebSocket".into(),
        at: at(seconds),
    }
}

fn problem() -> Problem {
    Problem { code: Code::VerifyFailed, title: "No answer".into(), because: "tcp timeout".into(), fix: None }
}

#[test]
fn a_proof_counts_for_five_minutes_and_not_a_second_longer() {
    let mut freshness = Freshness::default();
    freshness.succeeded(proof(0));

    assert_eq!(freshness.standing(at(300)), Standing::Fresh(proof(0)));
    assert_eq!(freshness.standing(at(301)), Standing::Expired(proof(0)));
}

#[test]
fn the_next_probe_comes_before_the_proof_expires() {
    let mut freshness = Freshness::default();
    assert!(freshness.due(at(0)));
    freshness.succeeded(proof(0));

    assert!(!freshness.due(at(239)));
    assert!(freshness.due(at(240)));
}

#[test]
fn a_relevant_change_makes_a_probe_due_and_leaves_the_proof_its_age() {
    let mut freshness = Freshness::default();
    freshness.succeeded(proof(0));

    freshness.invalidate();

    assert!(freshness.due(at(1)));
    assert_eq!(freshness.standing(at(1)), Standing::Fresh(proof(0)));
}

#[test]
fn one_failed_probe_is_repeated_and_two_are_a_verdict() {
    let mut freshness = Freshness::default();
    freshness.succeeded(proof(0));

    freshness.failed(problem(), at(10));
    assert_eq!(freshness.standing(at(10)), Standing::Fresh(proof(0)));
    assert!(!freshness.due(at(12)));
    assert!(freshness.due(at(13)));

    freshness.failed(problem(), at(13));
    assert_eq!(freshness.standing(at(13)), Standing::Failed { last: Some(proof(0)), problem: problem() });

    freshness.succeeded(proof(20));
    assert_eq!(freshness.standing(at(20)), Standing::Fresh(proof(20)));
}

#[test]
fn an_address_that_keeps_failing_is_not_hammered() {
    let mut freshness = Freshness::default();
    for second in 0..3 {
        freshness.failed(problem(), at(second));
    }

    assert!(!freshness.due(at(31)));
    assert!(freshness.due(at(32)));
}

#[test]
fn a_clock_that_was_set_back_makes_a_probe_due() {
    let mut freshness = Freshness::default();
    freshness.succeeded(proof(0));

    assert!(freshness.due(at(-60)));
}

#[test]
fn nothing_is_proven_about_an_address_that_was_replaced() {
    let mut freshness = Freshness::default();
    freshness.succeeded(proof(0));

    freshness.forget();

    assert_eq!(freshness.standing(at(1)), Standing::Never);
    assert!(freshness.due(at(1)));
}
