use gatehouse_api::{
    Actual, AddressScope, Code, Desired, ErrorEnvelope, GatewayVerdict, OpenRequest, Scope, TrustedBy,
};

use super::super::state::{Collected, GatewayState};
use super::*;

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_795_000_000 + seconds).unwrap()
}

fn address(url: &str) -> Address {
    Address { url: url.into(), scope: AddressScope::Lan, verified_at: None, trusted_by: TrustedBy::LocalCa }
}

#[test]
fn a_core_that_knows_nothing_yet_is_off() {
    let snapshot = view(&State::default(), at(0));

    assert_eq!((snapshot.desired, snapshot.actual), (Desired::Off, Actual::Off));
    assert_eq!(snapshot.gateway.verdict, GatewayVerdict::NotFound);
}

#[test]
fn each_address_says_when_it_was_reached_itself() {
    let collected = Collected {
        addresses: vec![address("https://192.168.1.20"), address("https://mini.local")],
        ..Collected::default()
    };
    let mut state = State { collected, ..State::default() };
    state.reached.insert("https://mini.local".into(), at(7));

    let snapshot = view(&state, at(8));

    assert_eq!(snapshot.addresses[0].verified_at, None);
    assert_eq!(snapshot.addresses[1].verified_at, Some(at(7)));
}

#[test]
fn what_is_wrong_beside_the_address_is_said_also_when_it_is_off() {
    let broken = Problem {
        code: Code::Storage,
        title: "The settings file cannot be read".into(),
        because: "line 1".into(),
        fix: None,
    };
    let gateway = GatewayState {
        undiscovered: Some(ErrorEnvelope::new(Code::ConfigUnsupported, "x", "line 3: no JSON5")),
        ..GatewayState::default()
    };
    let collected = Collected { settings_problem: Some(broken.clone()), ..Collected::default() };

    let snapshot = view(&State { collected, gateway, ..State::default() }, at(0));

    assert_eq!(snapshot.actual, Actual::Off);
    assert_eq!(snapshot.problems.len(), 2);
    assert_eq!(snapshot.problems[1], broken);
    assert_eq!(snapshot.gateway.detail.as_deref(), Some("line 3: no JSON5"));
}

#[test]
fn a_problem_is_said_once() {
    let request = OpenRequest {
        scope: Scope::Lan,
        hosts: Vec::new(),
        port: None,
        redirect_port: None,
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    };
    let listener = gatehouse_api::ListenerSummary {
        port: 443,
        port_reason: None,
        redirect_port: None,
        redirect_reason: None,
        http2_websocket_reason: None,
        connections: 0,
        websockets: 0,
        connections_limit: None,
        limits: None,
    };
    let collected = Collected { open: Some(request), listener: Some(listener), ..Collected::default() };

    let snapshot = view(&State { collected, ..State::default() }, at(0));

    assert!(matches!(snapshot.actual, Actual::Degraded { proof: None }));
    assert_eq!(snapshot.problems.len(), 1);
}
