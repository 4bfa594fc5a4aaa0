//! The gateway as a job of the system: by OpenClaw's own installer, told from three signals, mended.

use std::time::Duration;

use gatehouse_tests::need::{Part, parts};
use gatehouse_tests::{Booted, GatewayOptions, eventually};
use serde_json::Value;

use super::gatehouse;

const UNIT: &str = "openclaw-gateway.service";

fn state(answer: &Value) -> &str {
    answer["service"]["state"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateways_service_is_installed_explained_mended_and_removed() {
    if !parts(&[Part::Machines, Part::Systemd, Part::OpenClaw, Part::Program]) {
        return;
    }
    let machine = Booted::new().await;
    machine.lingers().await;
    let folder = machine.home().join(".openclaw");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("openclaw.json"), GatewayOptions::default().config).unwrap();
    machine.say("chmod", &["-R", "go=", folder.to_str().unwrap()]).await;
    let mut gatehouse = gatehouse(&machine);
    gatehouse.serve(&[]).await;
    let status = async || gatehouse.run(&["gateway", "status", "--json"]).await.json();
    let becomes = async |wanted: &str| {
        eventually(wanted, Duration::from_secs(90), async || {
            let answer = status().await;
            (state(&answer) == wanted).then_some(answer)
        })
        .await
    };
    assert_eq!(state(&status().await), "not-installed");

    let installed = gatehouse.run(&["gateway", "install", "--json"]).await.succeeds();
    assert_eq!(state(&installed.json()), "runs", "{}", installed.text());
    assert!(installed.err.contains("WebSocket"), "the way there is shown: {}", installed.err);
    let unit = machine.home().join(".config/systemd/user").join(UNIT);
    let written = std::fs::read(&unit).unwrap();

    // Stopped behind our back.
    machine.user("stop", &[UNIT]).await;
    let stopped = becomes("stopped").await;
    assert_eq!(stopped["service"]["fix"]["command"], "gatehouse gateway repair");
    let plan = gatehouse.run(&["gateway", "repair", "--dry-run", "--json"]).await.succeeds().json();
    assert_eq!(plan["steps"][0]["command"], "openclaw gateway start");
    assert_eq!(state(&status().await), "stopped");
    let mended = gatehouse.run(&["gateway", "repair", "--yes", "--json"]).await.succeeds().json();
    assert_eq!((mended["done"].as_bool(), state(&mended)), (Some(true), "runs"));

    // A configuration that the gateway refuses: it ends with 78, and systemd does not try again.
    let good = std::fs::read(folder.join("openclaw.json")).unwrap();
    std::fs::write(folder.join("openclaw.json"), "{ gateway: { bogus: 1 } }").unwrap();
    machine.user("restart", &[UNIT]).await;
    let broken = becomes("crash-loop").await;
    let fix = broken["service"]["fix"]["command"].as_str().unwrap_or_default();
    assert!(["openclaw config validate", "gatehouse gateway log"].contains(&fix), "{broken}");
    let nothing = gatehouse.run(&["gateway", "repair", "--yes", "--json"]).await.ends_with(3).json();
    assert_eq!(nothing["steps"], serde_json::json!([]));
    std::fs::write(folder.join("openclaw.json"), good).unwrap();
    gatehouse.run(&["gateway", "start"]).await.succeeds();
    becomes("runs").await;

    assert_eq!(std::fs::read(&unit).unwrap(), written, "the file is OpenClaw's");
    gatehouse.run(&["gateway", "uninstall", "--no-input"]).await.ends_with(4);
    gatehouse.run(&["gateway", "uninstall", "--yes"]).await.succeeds();
    assert!(!unit.exists());
    becomes("not-installed").await;
}
