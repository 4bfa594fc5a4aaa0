use gatehouse_api::{Proof, Scope, Text};

use super::*;

static OPEN: Desired =
    Desired::Open { scope: Scope::Lan, hosts: Vec::new(), port: None, redirect_port: None, only: Vec::new() };

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

fn proof() -> Proof {
    Proof {
        url: "https://192.168.1.20".into(),
        from: "192.168.1.20".into(),
        protocol: "TLS 1.3, HTTP/1.1, WebSocket".into(),
        at: at(0),
    }
}

fn problem(title: &str) -> Problem {
    Problem { code: Code::GatewayUnreachable, title: title.into(), because: Text::default(), fix: None }
}

fn on() -> Facts<'static> {
    Facts {
        now: at(10),
        desired: &OPEN,
        change: None,
        blocked: None,
        listening: true,
        pause: None,
        gateway_away: None,
        standing: Standing::Fresh(proof()),
        first_probe_pending: false,
        faults: &[],
    }
}

fn titles(facts: Facts<'_>) -> (Actual, Vec<Text>) {
    let (state, problems) = actual(facts);
    (state, problems.into_iter().map(|problem| problem.title).collect())
}

#[test]
fn a_fresh_proof_and_no_problem_are_on() {
    assert_eq!(titles(on()), (Actual::On { proof: proof() }, vec![]));
}

#[test]
fn configuration_alone_is_never_on() {
    let (state, problems) = titles(Facts { standing: Standing::Never, ..on() });

    assert_eq!(state, Actual::Degraded { proof: None });
    assert_eq!(problems, ["The address has not been checked yet"]);
}

#[test]
fn the_first_check_after_a_start_is_shown_as_a_step() {
    let facts = Facts { standing: Standing::Never, first_probe_pending: true, ..on() };

    assert_eq!(titles(facts).0, Actual::Preparing { step: StepId::Verify, number: 7, of: 8 });
}

#[test]
fn an_expired_proof_degrades_and_is_kept() {
    let (state, problems) = titles(Facts { now: at(360), standing: Standing::Expired(proof()), ..on() });

    assert_eq!(state, Actual::Degraded { proof: Some(proof()) });
    assert_eq!(problems, ["The address has not been checked for a while"]);
}

#[test]
fn a_gateway_that_is_away_degrades_and_hides_what_follows_from_it() {
    let facts = Facts {
        gateway_away: Some(problem("The gateway does not run")),
        standing: Standing::Failed { last: Some(proof()), problem: problem("502") },
        ..on()
    };

    let (state, problems) = titles(facts);

    assert_eq!(state, Actual::Degraded { proof: Some(proof()) });
    assert_eq!(problems, ["The gateway does not run"]);
}

#[test]
fn a_fault_degrades_also_with_a_fresh_proof() {
    let faults = [problem("Two addresses are not in the certificate")];

    assert_eq!(titles(Facts { faults: &faults, ..on() }).0, Actual::Degraded { proof: Some(proof()) });
}

#[test]
fn a_pause_is_shown_until_it_ends() {
    let facts = |now| Facts { now, pause: Some(Some(at(60))), ..on() };

    assert_eq!(titles(facts(at(59))).0, Actual::Paused { until: Some(at(60)) });
    assert_eq!(titles(facts(at(60))).0, Actual::On { proof: proof() });
}

#[test]
fn a_pause_until_told_has_no_end() {
    assert_eq!(titles(Facts { pause: Some(None), ..on() }).0, Actual::Paused { until: None });
}

#[test]
fn a_change_hides_everything_and_off_hides_what_is_wrong() {
    let cause = Cause { code: Code::PortTaken, text: "443 is held by nginx (pid 7)".into() };
    let change = At { step: StepId::Listen, number: 5, of: 8 };

    let changing = Facts { change: Some(change), blocked: Some(&cause), ..on() };
    assert_eq!(titles(changing).0, Actual::Preparing { step: StepId::Listen, number: 5, of: 8 });

    let off = Facts { desired: &Desired::Off, blocked: Some(&cause), ..on() };
    assert_eq!(titles(off).0, Actual::Off);

    let blocked = Facts { blocked: Some(&cause), listening: false, ..on() };
    assert_eq!(titles(blocked).0, Actual::Blocked { cause });
}
