//! Golden files of every `--json` object.

use std::{fs, path::PathBuf};

use gatehouse_api::{Code, ErrorEnvelope, Event};
use serde_json::Value;

use crate::{
    core::{FakeCore, private_folder},
    fixtures,
    run::{end, program, run_line},
};

/// Each command and the file that freezes its object.
const OBJECTS: [(&str, &str, i32); 74] = [
    ("status", "status --json", 0),
    ("open", "open --to lan --json", 0),
    ("plan", "open --to lan --dry-run --json", 0),
    ("plan", "close --dry-run --json", 0),
    ("plan", "undo --dry-run --json", 0),
    ("close", "close --json", 0),
    ("undo", "undo --json", 0),
    ("confirm", "confirm --json", 0),
    ("pause", "pause --for 10m --json", 0),
    ("pause", "resume --json", 0),
    ("history", "history --json", 0),
    ("origins-list", "origins list --json", 3),
    ("origins-add", "origins add https://mini.local --json", 0),
    ("origins-remove", "origins remove https://mini.local --json", 0),
    ("origins-test", "origins test https://MINI.local/ --json", 0),
    ("origins-seen", "origins seen --json", 0),
    ("devices-list", "devices list --json", 0),
    ("devices-approve", "devices approve 3f9a --json", 0),
    ("devices-deny", "devices deny 3f9a --json", 0),
    ("devices-revoke", "devices revoke 77c0 --yes --json", 0),
    ("devices-rename", "devices rename 77c0 Laptop --json", 0),
    ("devices-rename", "devices expire 77c0 7d --json", 0),
    ("test", "test --json", 8),
    ("cert-show", "cert show --json", 3),
    ("cert-acme-status", "cert acme status --json", 3),
    ("cert-acme-terms", "cert acme terms --json", 0),
    ("cert-acme-test", "cert acme test --json", 1),
    ("cert-acme-log", "cert acme log --json", 0),
    ("cert-acme-account", "cert acme account --json", 0),
    ("cert-acme-renew", "cert acme renew --json", 3),
    ("cert-change", "cert import cert.pem --watch --json", 0),
    ("cert-change", "cert remove home.example --yes --json", 0),
    ("cert-change", "cert clients require home.example --json", 0),
    ("cert-change", "cert clients off home.example --yes --json", 0),
    ("cert-clients-list", "cert clients list --json", 0),
    ("cert-clients-issue-file", "cert clients issue phone --out phone.p12 --json", 0),
    ("cert-clients-issue", "cert clients issue phone --out - --json", 0),
    ("cert-clients-revoke", "cert clients revoke phone --yes --json", 0),
    ("cert-fingerprint", "cert fingerprint --json", 0),
    ("cert-renew", "cert renew --yes --json", 0),
    ("cert-fingerprint-leaf", "cert fingerprint --leaf --all --json", 0),
    ("cert-pins", "cert pins --json", 3),
    ("cert-trust", "cert trust --json", 3),
    ("cert-trust", "cert untrust --dry-run --json", 0),
    ("cert-export-for", "cert export --ca out.pem --for node --json", 0),
    ("cert-export-file", "cert export --ca out.der --format der --json", 0),
    ("cert-export", "cert export --ca - --json", 0),
    ("link", "link --json", 0),
    ("link-owner", "link --kind owner --yes --json", 0),
    ("link-app", "link --kind app --yes --json", 0),
    ("link-trust", "link --kind trust --json", 0),
    ("gateway-status", "gateway status --json", 0),
    ("gateway-status", "gateway start --json", 0),
    ("gateway-status", "gateway restart --json", 0),
    ("gateway-repair-plan", "gateway repair --dry-run --json", 0),
    ("gateway-repair", "gateway repair --yes --json", 3),
    ("token-status", "token status --json", 0),
    ("token-status", "token import --json", 0),
    ("plan", "token rotate --dry-run --json", 0),
    ("token-change", "token rotate --yes --json", 0),
    ("token-reveal", "token reveal --i-understand --json", 0),
    ("service-readiness", "service readiness --json", 3),
    ("gateway-log", "gateway log --json", 0),
    ("config-get", "config get --json", 0),
    ("config-set", "config set limits.connections 500 --json", 0),
    ("config-export", "config export --json", 0),
    ("config-schema", "config schema --json", 0),
    ("front-status", "front status --json", 0),
    ("config-set", "front none --json", 0),
    ("network", "network --ask --json", 3),
    ("network", "network --renew --json", 3),
    ("metrics", "metrics --json", 0),
    ("version", "version --json", 0),
    ("error-usage", "devices approve --json", 2),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_as_it_was_frozen() {
    let core = FakeCore::usual();
    for (name, line, status) in OBJECTS {
        let ran = run_line(&core.path, line).await;

        assert_eq!(ran.status, status, "{line}: {ran:?}");
        assert_eq!(ran.json()["schema"], 1, "{line}");
        compare(&format!("{name}.json"), &without_pid(&ran.stdout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_an_object_too() {
    let core = FakeCore::refusing(fixtures::verify_failed());
    let ran = run_line(&core.path, "open --json").await;

    assert_eq!(ran.status, 8);
    compare("error.json", &ran.stdout);
    let folder = private_folder();
    let ran = run_line(&folder.path().join("none"), "status --json").await;
    assert_eq!(ran.status, 5);
    compare(
        "error-not-running.json",
        &ran.stdout.replace(folder.path().to_str().unwrap(), "/home/ada/gatehouse"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_that_scripts_rely_on_are_there() {
    let core = FakeCore::usual();
    let status = run_line(&core.path, "status --json").await.json();
    for keys in [
        "desired",
        "actual",
        "addresses/0/url",
        "addresses/0/scope",
        "addresses/0/verified_at",
        "addresses/0/trusted_by",
        "cert/issuer",
        "cert/not_after",
        "cert/names",
        "cert/sha256",
        "gateway/version",
        "gateway/pid",
        "gateway/url",
        "gateway/verdict",
        "devices/pending",
        "devices/paired",
        "last_change/id",
        "last_change/at",
        "last_change/undo_until",
    ] {
        assert!(status.pointer(&format!("/{keys}")).is_some(), "{keys} in {status}");
    }
    let devices = run_line(&core.path, "devices list --json").await.json();
    for list in ["pending", "paired"] {
        for key in ["device_id", "request_id", "name", "platform", "role", "scopes", "remote_ip", "via_edge"]
        {
            assert!(devices.pointer(&format!("/{list}/0/{key}")).is_some(), "{list} {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_are_an_object_when_asked() {
    let folder = private_folder();
    let object = run_line(&folder.path().join("none"), "completions fish --json").await.json();

    assert_eq!((&object["schema"], &object["shell"]), (&Value::from(1), &Value::from("fish")));
    assert!(object["script"].as_str().unwrap().contains("complete -c gatehouse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_objects_a_line_each() {
    for (name, line) in [
        ("status-watch", "status --watch --jsonl"),
        ("tail", "tail --jsonl"),
        ("devices-watch", "devices watch --jsonl"),
    ] {
        let mut core = FakeCore::usual();
        let child = program(&core.path, &line.split(' ').collect::<Vec<_>>()).spawn().unwrap();
        core.is_followed().await;
        if name == "devices-watch" {
            core.was_asked(1).await;
        }
        let mut devices = fixtures::devices();
        devices.pending = vec![fixtures::tablet()];
        for event in [
            Event::Traffic(Box::new(fixtures::traffic("/chat", 101))),
            Event::Traffic(Box::new(fixtures::traffic("/", 421))),
            Event::Devices(Box::new(devices)),
        ] {
            core.events.send(event).unwrap();
        }
        core.events.send(Event::Stopping).unwrap();
        let ran = end(child).await;
        core.stop();

        assert_eq!(ran.status, 5, "{line}: {ran:?}");
        compare(&format!("{name}.jsonl"), &ran.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_not_one_object() {
    let core = FakeCore::usual();
    for line in ["status --watch --json", "tail --json", "devices watch --json"] {
        let ran = run_line(&core.path, line).await;
        assert_eq!((ran.status, &ran.json()["error"]["code"]), (2, &Value::from("usage")), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_has_its_exit_status() {
    for (code, status) in [
        (Code::Failed, 1),
        (Code::Usage, 2),
        (Code::NeedsConfirmation, 4),
        (Code::GatewayUnreachable, 5),
        (Code::Busy, 6),
        (Code::Permission, 7),
        (Code::RolledBack, 8),
    ] {
        let core = FakeCore::refusing(ErrorEnvelope::new(code, "No", "Because."));
        let ran = run_line(&core.path, "history").await;
        assert_eq!((ran.status, ran.stdout.as_str()), (status, ""), "{code:?}: {ran:?}");
        assert!(ran.stderr.contains("Because."), "{ran:?}");
    }
}

/// Compares with a golden file, or writes it where a person asked for that.
pub(crate) fn compare(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var("GATEHOUSE_GOLDEN").is_ok_and(|value| value == "update") {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "{name} is not as it was frozen. Now:\n{text}\nFrozen:\n{golden}\nGATEHOUSE_GOLDEN=update writes it anew."
    );
}

/// The made-up core lives in the process of the tests.
fn without_pid(text: &str) -> String {
    text.replace(&format!("\"pid\": {}", std::process::id()), "\"pid\": 812")
}
