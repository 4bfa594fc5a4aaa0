//! What the commands tell, compared with what is really there.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use gatehouse_tests::{ConnectAs, Device, DeviceKey, TOKEN, within};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::shared::open_house;

#[tokio::test]
async fn the_status_tells_what_was_proven() {
    let Some(open) = open_house().await else { return };

    let status = open.gatehouse.status_when("it is proven", |status| status["actual"]["state"] == "on").await;

    assert_eq!(status["schema"], 1);
    assert_eq!(status["desired"]["scope"], "lan");
    let addresses = status["addresses"].as_array().expect("addresses");
    for url in ["https://192.168.77.10", "https://[fd77::10]"] {
        let address = addresses.iter().find(|address| address["url"] == url);
        let address = address.unwrap_or_else(|| panic!("{url} is missing: {status}"));
        assert_eq!(address["scope"], "lan");
        assert_eq!(address["trusted_by"], "local-ca");
        assert!(address["verified_at"].is_string(), "{status}");
    }
    assert_eq!(status["cert"]["sha256"], open.there().fingerprint(open.house.here.v4).await);
    assert_eq!(status["gateway"]["version"], "2026.9.6");
    assert_eq!(status["gateway"]["pid"], open.house.gateway.pid());
    assert_eq!(status["gateway"]["verdict"], "running");
    assert_eq!(status["listener"]["port"], 443);
    assert!(status["devices"]["pending"].is_u64() && status["devices"]["paired"].is_u64(), "{status}");
    assert!(status["last_change"]["id"].is_string(), "{status}");
}

#[tokio::test]
async fn the_fingerprints_are_those_of_the_certificates() {
    let Some(open) = open_house().await else { return };

    let leaf = open.gatehouse.run(&["cert", "fingerprint", "--leaf"]).await.succeeds();
    let shown = open.gatehouse.run(&["--json", "cert", "show"]).await.succeeds().json();

    let served = open.there().fingerprint(open.house.here.v4).await;
    assert!(leaf.out.contains(&served), "{}", leaf.out);
    assert!(shown.to_string().contains(&served), "{shown}");
}

#[tokio::test]
async fn an_origin_is_added_tested_listed_and_removed() {
    let Some(open) = open_house().await else { return };
    let origin = "https://commands.example";
    let before = open.house.gateway.config_value();

    open.gatehouse.run(&["origins", "add", "HTTPS://Commands.Example:443/"]).await.succeeds();
    let listed = open.gatehouse.run(&["--json", "origins", "list"]).await.succeeds().json();
    let tested = open.gatehouse.run(&["--json", "origins", "test", origin]).await.succeeds().json();
    open.gatehouse.run(&["origins", "remove", origin]).await.succeeds();

    assert!(listed.to_string().contains(&format!("\"{origin}\"")), "{listed}");
    assert_eq!(tested["verdict"], "listed", "{tested}");
    assert_eq!(open.house.gateway.config_value(), before);
}

#[tokio::test]
async fn an_origin_that_the_gateway_refused_is_seen() {
    let Some(open) = open_house().await else { return };
    let stranger = "https://stranger.example";
    let socket =
        open.there().websocket(open.house.here.v4, &[("Origin", stranger)]).await.expect("it is upgraded");
    let ui = ConnectAs { client: "openclaw-control-ui", mode: "webchat", ..ConnectAs::phone(TOKEN) };
    let refused = Device::connect(socket, &ui, Some(&DeviceKey::number(30))).await.refused_with();
    assert_eq!(refused, "CONTROL_UI_ORIGIN_NOT_ALLOWED");

    let seen = gatehouse_tests::eventually("the origin is listed", Duration::from_secs(20), async || {
        let seen = open.gatehouse.run(&["--json", "origins", "seen", "--refused"]).await.succeeds().json();
        seen.to_string().contains(stranger).then_some(seen)
    })
    .await;

    assert!(seen.to_string().contains("192.168.77.20"), "{seen}");
}

#[tokio::test]
async fn the_history_names_the_change_that_the_status_offers_to_undo() {
    let Some(open) = open_house().await else { return };

    let history = open.gatehouse.run(&["--json", "history"]).await.succeeds().json();

    let text = history.to_string();
    assert!(text.contains("\"kind\":\"open\"") && text.contains("\"committed\""), "{history}");
}

#[tokio::test]
async fn the_tail_shows_a_request_as_it_ends() {
    let Some(open) = open_house().await else { return };
    let mut command = open.house.here.command(gatehouse_tests::program());
    command.env("GATEHOUSE_HOME", &open.gatehouse.home).env("HOME", open.house.gateway.home());
    let mut tail = command.args(["--jsonl", "tail"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(tail.stdout.take().expect("its output is ours")).lines();

    let found = within("the request in the tail", Duration::from_secs(30), async {
        loop {
            // Asked until it is shown: the tail begins at a moment that nobody tells.
            let answer = open.there().get(open.house.here.v4, "/healthz?secret=hidden").await;
            let id = answer.header("x-request-id").to_owned();
            while let Ok(Ok(Some(line))) =
                tokio::time::timeout(Duration::from_millis(500), lines.next_line()).await
            {
                if line.contains(&id) {
                    return serde_json::from_str::<Value>(&line).expect("JSON");
                }
            }
        }
    })
    .await;

    assert_eq!(found["path"], "/healthz");
    assert!(!found.to_string().contains("hidden"), "{found}");
}

#[tokio::test]
async fn the_link_is_the_best_address_and_can_be_scanned() {
    let Some(open) = open_house().await else { return };
    let best = open.gatehouse.status().await["addresses"][0]["url"].as_str().expect("an address").to_owned();

    let link = open.gatehouse.run(&["link", "--qr"]).await.succeeds();

    assert!(link.out.contains(&best), "{}", link.out);
    assert!(link.out.lines().count() > 10, "{}", link.out);
    assert!(!link.out.contains(TOKEN));
}

#[tokio::test]
async fn nothing_that_is_printed_or_logged_holds_the_shared_token() {
    let Some(open) = open_house().await else { return };
    for command in [
        &["--json", "status"][..],
        &["--json", "gateway", "status"],
        &["--json", "history"],
        &["--json", "devices", "list"],
        &["--json", "open", "--to", "lan", "--dry-run"],
    ] {
        let ran = open.gatehouse.run(command).await;
        assert!(!ran.text().contains(TOKEN), "{command:?}");
    }
    assert!(!open.gatehouse.output().contains(TOKEN));
    let mut folders = vec![open.gatehouse.home.join("logs"), open.gatehouse.home.join("journal")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|kind| kind == "backup") {
                // The user's file as it was, secrets and all, as private as the file itself.
                let mode = entry.metadata().expect("it is there").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
            } else {
                let bytes = std::fs::read(entry.path()).unwrap_or_default();
                assert!(!String::from_utf8_lossy(&bytes).contains(TOKEN), "{}", entry.path().display());
            }
        }
    }
}
