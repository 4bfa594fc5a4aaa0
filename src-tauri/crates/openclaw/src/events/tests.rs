use std::time::Duration;

use serde_json::json;

use super::GatewayEvent;

#[test]
fn a_request_carries_the_device_and_what_it_asks_for() {
    let payload = json!({
        "requestId": "r1", "deviceId": "d1", "publicKey": "k", "platform": "MacIntel", "clientId": "openclaw-control-ui",
        "role": "operator", "scopes": ["operator.admin"], "remoteIp": "192.168.1.50", "ts": 1_795_166_336_103_u64,
    });

    let Some(GatewayEvent::PairRequested(pending)) =
        GatewayEvent::from_frame("device.pair.requested".to_owned(), payload)
    else {
        panic!("not a request");
    };

    assert_eq!((pending.device_id.as_str(), pending.request_id.as_str()), ("d1", "r1"));
    assert_eq!(pending.roles, ["operator"]);
    assert_eq!(pending.asked_at.unwrap().unix_timestamp(), 1_795_166_336);
}

#[test]
fn a_shutdown_says_how_long_it_takes() {
    let event = GatewayEvent::from_frame(
        "shutdown".to_owned(),
        json!({"reason": "gateway restarting", "restartExpectedMs": 1500}),
    );

    assert_eq!(
        event,
        Some(GatewayEvent::Shutdown {
            reason: "gateway restarting".to_owned(),
            restart_expected: Some(Duration::from_millis(1500)),
        })
    );
}

#[test]
fn ticks_are_no_events_and_unknown_names_are_kept() {
    assert_eq!(GatewayEvent::from_frame("tick".to_owned(), json!({})), None);
    assert!(matches!(
        GatewayEvent::from_frame("new.thing".to_owned(), json!(1)),
        Some(GatewayEvent::Other { name, .. }) if name == "new.thing"
    ));
}
