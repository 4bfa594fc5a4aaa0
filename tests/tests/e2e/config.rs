//! The user's configuration is the user's: opening adds our entries, undoing removes exactly those.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, GatewayOptions, House, TOKEN};
use serde_json::json;

/// A file as somebody keeps it who cares: comments, single quotes, bare keys, trailing commas, odd spacing, entries of ours
/// to be joined to entries of theirs.
pub(crate) fn lived_in() -> GatewayOptions {
    let config = format!(
        "// Home gateway. Do not lose my comments.\n\
         {{\n\
         \x20 gateway : {{  mode: 'local',\n\
         \t  port: 18789, /* the default */   bind: \"loopback\",\n\
         \x20   auth: {{ mode: 'token', token: '{TOKEN}', }}, // secret\n\
         \x20   controlUi: {{\n\
         \x20     allowedOrigins: [\n\
         \x20       'https://mine.example', // my own name\n\
         \x20     ],\n\
         \x20   }},\n\
         \x20   trustedProxies: [ '192.0.2.1' ],\n\
         \x20 }},\n\
         \n\
         \x20 cron: {{ enabled: false }},\n\
         }}\n\
         // The end, without a newline after it."
    );
    GatewayOptions { config }
}

async fn opens(gatehouse: &Gatehouse) {
    let ran = gatehouse.run(&["open", "--to", "lan", "--yes"]).await;
    // 3: done, with something to say (a gateway that is not running cannot be shown to work).
    assert!([0, 3].contains(&ran.code), "{ran:?}");
}

#[tokio::test]
async fn the_file_is_the_same_to_the_byte_after_open_and_undo() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let plain = GatewayOptions::default().config;
    for config in [lived_in().config, plain.clone(), plain.replace('\n', "\r\n"), format!("\u{feff}{plain}")]
    {
        let house = House::with_options(&GatewayOptions { config: config.clone() });
        let gatehouse = house.serve().await;

        opens(&gatehouse).await;
        let open = house.gateway.config_value();
        gatehouse.run(&["undo", "--yes"]).await.succeeds();

        let ours = json!(["127.0.0.1", "::1"]);
        let proxies = open["gateway"]["trustedProxies"].as_array().expect("proxies are trusted").clone();
        assert!(ours.as_array().expect("a list").iter().all(|proxy| proxies.contains(proxy)), "{open}");
        assert_eq!(String::from_utf8(house.gateway.config_bytes()).expect("text"), config);
    }
}

#[tokio::test]
async fn comments_and_spacing_survive_while_it_is_open() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_options(&lived_in());
    let gatehouse = house.serve().await;

    opens(&gatehouse).await;

    let text = String::from_utf8(house.gateway.config_bytes()).expect("text");
    for kept in [
        "Do not lose my comments",
        "/* the default */",
        "// my own name",
        "'https://mine.example'",
        "{  mode: 'local',",
    ] {
        assert!(text.contains(kept), "{kept} is gone:\n{text}");
    }
}

#[tokio::test]
async fn the_value_is_the_same_after_open_and_undo_while_the_gateway_runs() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let mut house = House::with_options(&lived_in());
    house.gateway.start().await;
    let before = house.gateway.config_value();
    let gatehouse = house.serve().await;

    gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
    let open = house.gateway.config_value();
    gatehouse.run(&["undo", "--yes"]).await.succeeds();

    assert_ne!(open, before);
    assert_eq!(house.gateway.config_value(), before);
}

#[tokio::test]
async fn what_somebody_else_added_meanwhile_stays_after_undo() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let mut house = House::with_options(&lived_in());
    house.gateway.start().await;
    let gatehouse = house.serve().await;
    gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
    let mut operator = house.gateway.operator().await;
    let hash =
        operator.call("config.get", json!({})).await.expect("the configuration is told")["hash"].clone();
    let open = house.gateway.config_value();
    let mut origins = open["gateway"]["controlUi"]["allowedOrigins"].as_array().expect("origins").clone();
    origins.push(json!("https://added.example"));
    let patch = json!({ "gateway": { "controlUi": { "allowedOrigins": origins } } }).to_string();
    let replace = json!(["gateway.controlUi.allowedOrigins"]);
    let patched = operator
        .call("config.patch", json!({ "raw": patch, "baseHash": hash, "replacePaths": replace }))
        .await;
    patched.expect("the gateway takes the patch");

    gatehouse.run(&["undo", "--yes"]).await.succeeds();

    let left = house.gateway.config_value();
    let origins = &left["gateway"]["controlUi"]["allowedOrigins"];
    assert_eq!(*origins, json!(["https://mine.example", "https://added.example"]));
    assert_eq!(left["gateway"]["trustedProxies"], json!(["192.0.2.1"]));
}

#[tokio::test]
async fn a_dry_run_says_everything_and_changes_nothing() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_options(&lived_in());
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--dry-run"]).await;

    let plan = ran.json();
    assert!([0, 3].contains(&ran.code), "{ran:?}");
    assert_eq!(plan["schema"], 1);
    assert!(plan["steps"].as_array().is_some_and(|steps| steps.len() > 3), "{plan}");
    assert!(plan["addresses"].to_string().contains("https://192.168.77.10"), "{plan}");
    assert_eq!(String::from_utf8(house.gateway.config_bytes()).expect("text"), lived_in().config);
    assert_eq!(gatehouse.status().await["desired"]["state"], "off");
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
}

#[tokio::test]
async fn a_file_with_includes_is_refused_and_not_flattened() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let config =
        GatewayOptions::default().config.replace("gateway: {", "gateway: { '$include': './mine.json5',");
    let house = House::with_options(&GatewayOptions { config: config.clone() });
    std::fs::write(house.gateway.state().join("mine.json5"), "{ trustedProxies: ['192.0.2.1'] }")
        .expect("written");
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--yes"]).await;

    assert!([6, 8].contains(&ran.code), "{ran:?}");
    assert!(ran.text().contains("config-unsupported") && ran.text().contains("$include"), "{}", ran.text());
    assert_eq!(String::from_utf8(house.gateway.config_bytes()).expect("text"), config);
}

#[tokio::test]
async fn a_file_that_is_no_json5_is_refused_and_left_alone() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let config = "{ gateway: { mode: 'local', ".to_owned();
    let house = House::with_options(&GatewayOptions { config: config.clone() });
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--yes"]).await;

    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.text().contains("config-unsupported"), "{}", ran.text());
    assert_eq!(String::from_utf8(house.gateway.config_bytes()).expect("text"), config);
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
}

#[tokio::test]
async fn an_editor_that_saves_all_the_time_loses_nothing() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = Arc::new(House::with_options(&lived_in()));
    let gatehouse = house.serve().await;
    let saving = Arc::new(AtomicBool::new(true));
    // As an editor does: read, change one line, replace the file; ours is the only other writer.
    let editor = std::thread::spawn({
        let (path, saving) = (house.gateway.config_path(), Arc::clone(&saving));
        move || {
            let mut saves = 0_u32;
            while saving.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string(&path).expect("the file is always there");
                let text = text.split("// save ").next().expect("the text before the mark").to_owned();
                saves += 1;
                let beside = path.with_extension("editor");
                std::fs::write(&beside, format!("{text}// save {saves}")).expect("written");
                std::fs::rename(&beside, &path).expect("replaced");
            }
            saves
        }
    });

    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(gatehouse.run(&["open", "--to", "lan", "--yes"]).await.code);
        gatehouse.run(&["close", "--yes"]).await;
    }
    saving.store(false, Ordering::Relaxed);
    let saves = editor.join().expect("the editor ends");

    // 0 and 3: done; 6: it changed under our hands, and we say so; 8: rolled back for that reason.
    assert!(codes.iter().all(|code| [0, 3, 6, 8].contains(code)), "{codes:?}");
    let text = String::from_utf8(house.gateway.config_bytes()).expect("text");
    assert!(text.contains(&format!("// save {saves}")), "the last save is lost:\n{text}");
    assert!(text.contains("Do not lose my comments") && text.contains("'https://mine.example'"), "{text}");
}
