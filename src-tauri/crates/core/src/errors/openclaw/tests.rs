use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gatehouse_openclaw::config::KeyPath;
use gatehouse_openclaw::devices::Pending;
use serde_json::Value;

use super::*;

fn path() -> PathBuf {
    PathBuf::from("/home/a/.openclaw/openclaw.json")
}

fn io(kind: io::ErrorKind) -> io::Error {
    io::Error::from(kind)
}

fn refused() -> CallError {
    CallError::Refused {
        method: "device.pair.approve".into(),
        code: "INVALID_REQUEST".into(),
        message: "unknown requestId".into(),
        details: Box::new(Value::Null),
    }
}

fn all(table: Vec<(ErrorEnvelope, Code)>) {
    for (envelope, code) in table {
        assert_eq!(envelope.code, code, "{}", envelope.title);
        assert!(!envelope.title.is_empty() && !envelope.because.is_empty(), "{envelope:?}");
        assert!(envelope.title.chars().count() <= 90, "{}", envelope.title);
    }
}

#[test]
fn calls() {
    use Code::{GatewayRefused, GatewayUnreachable};
    let busy = CallError::Unavailable {
        message: "restarting".into(),
        retry_after: Some(Duration::from_millis(35_200)),
    };
    assert_eq!(busy.explain().fix.unwrap().text, "Try again in 35 s.");
    all(vec![
        (CallError::NotConnected.explain(), GatewayUnreachable),
        (CallError::Lost.explain(), GatewayUnreachable),
        (CallError::TimedOut { after: Duration::from_secs(30) }.explain(), GatewayUnreachable),
        (busy.explain(), GatewayUnreachable),
        (refused().explain(), GatewayRefused),
        (CallError::TooLarge.explain(), GatewayRefused),
    ]);
}

#[test]
fn configurations() {
    let at = KeyPath::from("gateway.controlUi");
    let full = ConfigError::Io { path: path(), source: io(io::ErrorKind::StorageFull) };
    let forbidden = ConfigError::Io { path: path(), source: io(io::ErrorKind::PermissionDenied) };
    all(vec![
        (ConfigError::Missing { path: path() }.explain(), Code::GatewayNotFound),
        (ConfigError::Invalid { path: path(), because: "line 3".into() }.explain(), Code::ConfigUnsupported),
        (ConfigError::Unsupported { at, because: "$include".into() }.explain(), Code::ConfigUnsupported),
        (ConfigError::Conflict.explain(), Code::ConfigConflict),
        (ConfigError::Refused { because: "bad key".into() }.explain(), Code::GatewayRefused),
        (ConfigError::RateLimited { retry_after: None }.explain(), Code::GatewayRefused),
        (full.explain(), Code::Storage),
        (forbidden.explain(), Code::Permission),
        (ConfigError::Call(CallError::NotConnected).explain(), Code::GatewayUnreachable),
        (ConfigError::Answer { what: "hash" }.explain(), Code::GatewayRefused),
    ]);
}

#[test]
fn devices() {
    let now = Box::new(Pending {
        request_id: "r".into(),
        device_id: "d".into(),
        display_name: None,
        platform: None,
        device_family: None,
        client_id: None,
        client_mode: None,
        role: "operator".into(),
        roles: Vec::new(),
        scopes: vec!["operator.admin".into()],
        remote_ip: None,
        silent: false,
        is_repair: false,
        asked_at: None,
    });
    let widened = DeviceError::Widened { now }.explain();
    assert_eq!(widened.because, "It asks as operator for operator.admin.");
    all(vec![
        (widened, Code::Widened),
        (DeviceError::NotFound { device_id: "d".into() }.explain(), Code::NotFound),
        (
            DeviceError::NotSupported { because: "the token is a reference".into() }.explain(),
            Code::GatewayRefused,
        ),
        (DeviceError::KeepsChanging.explain(), Code::Failed),
        (DeviceError::Answer { what: "pending" }.explain(), Code::GatewayRefused),
        (DeviceError::Call(refused()).explain(), Code::GatewayRefused),
        (DeviceError::Config(ConfigError::Conflict).explain(), Code::ConfigConflict),
    ]);
}

#[test]
fn finding_installing_and_running() {
    let looked = DiscoveryError::NotFound { looked: vec![path()] }.explain();
    assert_eq!(looked.evidence, ["/home/a/.openclaw/openclaw.json"]);
    let variable = DiscoveryError::Variable { name: "OPENCLAW_GATEWAY_PORT", because: "no number".into() };
    let io_error = || io(io::ErrorKind::StorageFull);
    all(vec![
        (looked, Code::GatewayNotFound),
        (
            DiscoveryError::Config { path: path(), because: "line 3".into() }.explain(),
            Code::ConfigUnsupported,
        ),
        (variable.explain(), Code::Usage),
        (InstallError::NoNpm.explain(), Code::GatewayNotFound),
        (InstallError::NoNetwork { detail: "ENOTFOUND".into() }.explain(), Code::Failed),
        (InstallError::DiskFull.explain(), Code::Storage),
        (InstallError::Npm { status: "1".into(), detail: "EACCES".into() }.explain(), Code::Failed),
        (InstallError::TimedOut { seconds: 900 }.explain(), Code::Failed),
        (InstallError::Broken { detail: "no bin".into() }.explain(), Code::Failed),
        (InstallError::Io { path: path(), source: io_error() }.explain(), Code::Storage),
        (SuperviseError::Io { path: path(), source: io_error() }.explain(), Code::Storage),
        (SuperviseError::PortTaken { port: 18789 }.explain(), Code::PortTaken),
        (NotAnOrigin { because: "it has no scheme".into() }.explain(), Code::Usage),
    ]);
}

#[test]
fn the_output_of_a_failed_program_is_not_passed_on() {
    let error = ProgramError::Failed { status: "1".into(), stderr: "token=hunter2".to_owned().into() };

    let text = format!("{:?}", error.explain());

    assert!(!text.contains("hunter2"), "{text}");
}
