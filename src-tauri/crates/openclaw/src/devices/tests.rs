use serde_json::json;

use super::{Access, DeviceError, Paired, Pending, ReturnPath, Shown, knows_secret, return_paths};
use crate::config::{AuthMode, View};

fn asks(role: &str, scopes: &[&str]) -> Pending {
    let value = json!({"requestId": "r", "deviceId": "d", "role": role, "scopes": scopes, "ts": 1});
    Pending::from_value(&value).unwrap()
}

fn from(ip: &str) -> Paired {
    let value = json!({"deviceId": "d", "role": "operator", "remoteIp": ip});
    Paired::from_value(&value).unwrap()
}

#[test]
fn a_request_for_the_same_or_less_is_covered_by_what_was_shown() {
    let shown = Shown::of(&asks("operator", &["operator.read", "operator.write"]));

    assert!(shown.covers(&asks("operator", &["operator.write", "operator.read"])));
    assert!(shown.covers(&asks("operator", &["operator.read"])));
}

#[test]
fn a_request_for_more_or_for_another_role_is_not_covered() {
    let shown = Shown::of(&asks("operator", &["operator.read"]));
    let mut two_roles = asks("operator", &["operator.read"]);
    two_roles.roles.push("node".to_owned());

    assert!(!shown.covers(&asks("operator", &["operator.read", "operator.admin"])));
    assert!(!shown.covers(&asks("node", &["operator.read"])));
    assert!(!shown.covers(&two_roles));
}

#[test]
fn a_narrower_access_is_refused_when_the_device_asks_for_more() {
    let admin = asks("operator", &["operator.read", "operator.admin"]);

    assert!(Access::Full.admits(&admin).is_ok());
    let error = Access::Chat.admits(&admin).unwrap_err();
    assert!(matches!(error, DeviceError::NotSupported { because } if because.contains("operator.admin")));
}

#[test]
fn a_narrower_access_is_fine_when_the_device_asks_for_no_more() {
    assert!(Access::Read.admits(&asks("operator", &["operator.read"])).is_ok());
    assert!(Access::Chat.admits(&asks("operator", &["operator.read", "operator.write"])).is_ok());
    assert!(Access::Read.admits(&asks("node", &[])).is_err());
}

#[test]
fn a_removed_local_device_can_return_unless_local_approval_is_off() {
    let view = View { auto_approve_local: true, auth_mode: Some(AuthMode::Token), ..View::default() };
    let strict = View { auto_approve_local: false, ..view.clone() };
    let open = View { auth_mode: Some(AuthMode::None), ..view.clone() };

    assert_eq!(return_paths(&from("127.0.0.1"), &view), [ReturnPath::LocalAutoApproval]);
    assert_eq!(return_paths(&from("::ffff:127.0.0.1"), &open), [ReturnPath::NoAuthentication]);
    assert_eq!(return_paths(&from("127.0.0.1"), &strict), []);
}

#[test]
fn a_removed_remote_device_needs_an_approval_unless_a_proxy_vouches_for_it() {
    let view = View { auto_approve_local: true, auth_mode: Some(AuthMode::Token), ..View::default() };
    let proxy = View { auth_mode: Some(AuthMode::TrustedProxy), proxy_auto_approve: true, ..view.clone() };

    assert_eq!(return_paths(&from("192.168.1.50"), &view), []);
    assert_eq!(return_paths(&from("192.168.1.50"), &proxy), [ReturnPath::ProxyAutoApproval]);
}

#[test]
fn every_field_of_a_paired_device_is_read() {
    let value = json!({
        "deviceId": "3a10", "displayName": "Tray", "operatorLabel": "Kitchen iPad", "platform": "macos",
        "deviceFamily": "Mac", "clientId": "openclaw-macos", "clientMode": "ui", "role": "operator",
        "roles": ["operator"], "scopes": ["operator.read"], "remoteIp": "192.168.1.50", "approvedVia": "owner",
        "createdAtMs": 1000, "approvedAtMs": 2000, "lastSeenAtMs": 3000, "connected": true,
        "tokens": [{"role": "operator", "scopes": ["operator.read"], "createdAtMs": 1000, "revokedAtMs": 4000}],
    });

    let device = Paired::from_value(&value).unwrap();

    assert_eq!(device.label.as_deref(), Some("Kitchen iPad"));
    assert_eq!(device.last_seen_at.unwrap().unix_timestamp(), 3);
    assert_eq!(device.tokens[0].revoked_at.unwrap().unix_timestamp(), 4);
    assert!(device.connected);
}

#[test]
fn only_a_device_that_never_logged_in_with_the_shared_secret_does_not_know_it() {
    let token = View { auth_mode: Some(AuthMode::Token), ..View::default() };
    let open = View { auth_mode: Some(AuthMode::None), ..View::default() };
    let by_link = Paired { approved_via: Some("bootstrap".to_owned()), ..from("192.168.1.50") };

    assert!(knows_secret(&from("192.168.1.50"), &token));
    assert!(knows_secret(&from("192.168.1.50"), &View::default()));
    assert!(!knows_secret(&by_link, &token));
    assert!(!knows_secret(&from("192.168.1.50"), &open));
}
