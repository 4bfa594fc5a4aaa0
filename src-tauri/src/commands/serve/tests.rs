use gatehouse_api::{Cause, Desired, DeviceCounts, GatewaySummary, Proof, SCHEMA, StepId};
use time::OffsetDateTime;

use super::*;

#[test]
fn what_is_proven_is_told_at_once_and_what_is_wrong_only_when_it_lasts() {
    assert_eq!(settled(&snapshot(on())), (true, Duration::ZERO));
    assert_eq!(settled(&snapshot(blocked())), (true, SETTLED));
    assert!(!settled(&snapshot(Actual::Preparing { step: StepId::Listen, number: 5, of: 8 })).0);
}

#[test]
fn a_newer_proof_is_no_news_and_a_device_that_waits_is() {
    let mut waiting = snapshot(on());
    waiting.devices.pending = 1;

    assert_eq!(told_as(&snapshot(on())), told_as(&snapshot(on())));
    assert_ne!(told_as(&snapshot(on())), told_as(&waiting));
    assert_ne!(told_as(&snapshot(on())), told_as(&snapshot(blocked())));
}

#[test]
fn what_a_start_waits_for_is_told_and_nothing_is_once_the_gateway_runs() {
    let mut installing = snapshot(Actual::Preparing { step: StepId::FindGateway, number: 1, of: 8 });
    installing.gateway.verdict = GatewayVerdict::Starting;
    installing.gateway.detail = Some("Installing OpenClaw (2 of 3)".into());
    assert_eq!(waits_for(&installing), Some("Installing OpenClaw (2 of 3)"));

    installing.gateway.verdict = GatewayVerdict::Running;
    assert_eq!(waits_for(&installing), None);
    assert_eq!(waits_for(&snapshot(blocked())), None);
}

fn on() -> Actual {
    let (url, from, protocol) =
        ("https://mini.local".to_owned(), "192.168.1.20".to_owned(), "TLS 1.3".to_owned());
    Actual::On { proof: Proof { url, from, protocol, at: OffsetDateTime::now_utc() } }
}

fn blocked() -> Actual {
    Actual::Blocked { cause: Cause { code: Code::PortTaken, text: "Port 443 is taken.".into() } }
}

fn snapshot(actual: Actual) -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        version: "0.1.0".to_owned(),
        desired: Desired::Off,
        actual,
        addresses: Vec::new(),
        cert: None,
        certificates: Vec::new(),
        gateway: GatewaySummary {
            version: None,
            pid: None,
            url: "http://127.0.0.1:18789".to_owned(),
            verdict: GatewayVerdict::Running,
            detail: None,
            config_path: None,
            supervised: false,
            service: None,
        },
        devices: DeviceCounts::default(),
        last_change: None,
        listener: None,
        mapping: None,
        problems: Vec::new(),
        expiring: Vec::new(),
        secrets: "file".to_owned(),
        pid: 1,
    }
}
