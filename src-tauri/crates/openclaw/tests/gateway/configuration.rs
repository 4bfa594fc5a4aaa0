//! Edits through the gateway, and beside it.

use std::fs;

use gatehouse_openclaw::client::GatewayClient;
use gatehouse_openclaw::config::file::Restored;
use gatehouse_openclaw::config::{ConfigError, Edit, file, rpc};
use gatehouse_openclaw::events::GatewayEvent;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::bench::{Bench, LIMIT, wait_for};

const ORIGINS: &str = "gateway.controlUi.allowedOrigins";

fn add(path: &str, values: &[&str]) -> Edit {
    Edit::AddToArray { path: path.into(), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn open_edits() -> [Edit; 3] {
    [
        add(ORIGINS, &["https://mine.example:8443"]),
        add("gateway.trustedProxies", &["127.0.0.1", "::1"]),
        Edit::Set { path: "gateway.publicOrigin".into(), value: json!("https://mine.example:8443") },
    ]
}

async fn edit(client: &GatewayClient, edits: &[Edit]) -> Vec<Edit> {
    let prepared = rpc::prepare(client, edits).await.unwrap();
    prepared.commit(client).await.unwrap_or_else(|error| panic!("{error}: {prepared:?}"));
    settled(client).await;
    prepared.record().inverse.clone()
}

/// A change of trusted proxies drops every client once.
async fn settled(client: &GatewayClient) {
    while client.call("config.get", json!({})).await.is_err() {
        wait_for(client, |link| matches!(link, gatehouse_openclaw::client::Link::Up { .. })).await;
    }
}

/// Writes the file as a user would, and waits until the gateway has seen it.
async fn write(bench: &Bench, client: &GatewayClient, value: &Value) {
    fs::write(&bench.recipe.config_path, value.to_string()).unwrap();
    let seen = async {
        loop {
            if let Ok(answer) = client.call("config.get", json!({})).await
                && answer["parsed"]["gateway"]["controlUi"] == value["gateway"]["controlUi"]
            {
                return;
            }
        }
    };
    timeout(LIMIT, seen).await.expect("the gateway reads its file");
}

pub(crate) async fn one_patch_is_written_hot_and_its_inverse_gives_the_value_back(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();

    let prepared = rpc::prepare(&client, &open_edits()).await.unwrap();
    assert_eq!(bench.config(), before);
    let committed = prepared.commit(&client).await.unwrap();
    settled(&client).await;
    let view = rpc::read_view(&client).await.unwrap();
    let again = rpc::prepare(&client, &open_edits()).await.unwrap();
    edit(&client, &prepared.record().inverse).await;

    assert!(!committed.restarts);
    assert_eq!(committed.changed_paths.len(), 3, "{committed:?}");
    assert_eq!(view.trusted_proxies.unwrap(), ["127.0.0.1", "::1"]);
    assert_eq!(view.allowed_origins.unwrap(), ["https://mine.example:8443"]);
    assert!(view.token_is_plain && again.is_noop());
    assert_eq!(bench.config(), before);
}

pub(crate) async fn an_entry_with_a_variable_survives_patch_and_undo(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();
    let mut with_variable = before.clone();
    with_variable["gateway"]["controlUi"] = json!({"allowedOrigins": ["${MY_ORIGIN}", "https://a.example"]});
    write(bench, &client, &with_variable).await;

    let inverse = edit(&client, &open_edits()).await;
    let edited = bench.config();
    edit(&client, &inverse).await;
    let undone = bench.config();
    write(bench, &client, &before).await;

    let expected = json!(["${MY_ORIGIN}", "https://a.example", "https://mine.example:8443"]);
    assert_eq!(edited["gateway"]["controlUi"]["allowedOrigins"], expected);
    assert_eq!(undone, with_variable);
}

pub(crate) async fn a_foreign_change_elsewhere_is_no_conflict_and_at_our_place_it_is(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();
    let ours = rpc::prepare(&client, &open_edits()[..1]).await.unwrap();
    let late = rpc::prepare(&client, &open_edits()[..1]).await.unwrap();

    let foreign = edit(
        &client,
        &[Edit::Set { path: "gateway.publicOrigin".into(), value: json!("https://x.example") }],
    )
    .await;
    ours.commit(&client).await.unwrap();
    let conflict = late.commit(&client).await;

    assert!(matches!(conflict, Err(ConfigError::Conflict)), "{conflict:?}");
    edit(&client, &ours.record().inverse).await;
    edit(&client, &foreign).await;
    assert_eq!(bench.config(), before);
}

pub(crate) async fn what_somebody_added_meanwhile_survives_the_undo(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();
    let ours = edit(&client, &open_edits()).await;
    let theirs = edit(&client, &[add(ORIGINS, &["https://theirs.example"])]).await;
    edit(&client, &[Edit::Set { path: "gateway.allowRealIpFallback".into(), value: json!(false) }]).await;

    let undo = rpc::prepare(&client, &ours).await.unwrap();
    undo.commit(&client).await.unwrap();
    settled(&client).await;

    let left = bench.config();
    assert_eq!(left["gateway"]["controlUi"], json!({"allowedOrigins": ["https://theirs.example"]}));
    assert_eq!(left["gateway"]["allowRealIpFallback"], false);
    assert_eq!(left["gateway"].get("trustedProxies"), None);
    assert!(undo.record().drift.is_empty());
    edit(&client, &theirs).await;
    write(bench, &client, &before).await;
}

pub(crate) async fn a_change_that_only_removes_an_empty_object_is_settled_by_reading(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();
    let mut with_empty = before.clone();
    with_empty["gateway"]["controlUi"] = json!({});
    write(bench, &client, &with_empty).await;

    let prepared = rpc::prepare(&client, &[Edit::Prune { path: "gateway.controlUi".into() }]).await.unwrap();
    prepared.commit(&client).await.unwrap();

    assert_eq!(bench.config(), before);
}

pub(crate) async fn an_invalid_value_and_an_included_part_are_refused(bench: &Bench) {
    let client = bench.client().await;
    let before = bench.config();
    let invalid = Edit::Set { path: "gateway.bogus".into(), value: json!(1) };
    let refused = rpc::prepare(&client, &[invalid]).await.unwrap().commit(&client).await;
    let part = bench.recipe.state_dir.join("ui.json5");
    fs::write(&part, "{ allowedOrigins: ['https://a.example'] }").unwrap();
    let mut with_include = before.clone();
    with_include["gateway"]["controlUi"] = json!({"$include": "./ui.json5"});
    write(bench, &client, &with_include).await;

    let included = rpc::prepare(&client, &open_edits()).await.map(|_| ());
    write(bench, &client, &before).await;

    assert!(
        matches!(&refused, Err(ConfigError::Refused { because }) if because.contains("bogus")),
        "{refused:?}"
    );
    assert!(
        matches!(&included, Err(ConfigError::Unsupported { because, .. }) if because.contains("$include")),
        "{included:?}"
    );
    assert_eq!(bench.config(), before);
}

pub(crate) async fn an_edit_of_the_file_is_noticed_and_taken_back_byte_for_byte(bench: &Bench) {
    let client = bench.client().await;
    let mut events = client.events();
    let bytes = fs::read(&bench.recipe.config_path).unwrap();

    let prepared = file::prepare(&bench.recipe.config_path, &open_edits()[..1]).unwrap();
    prepared.commit().unwrap();
    let noticed = timeout(LIMIT, async {
        loop {
            let view = rpc::read_view(&client).await.unwrap();
            if view.allowed_origins.is_some() {
                return view;
            }
        }
    });
    let view = noticed.await.unwrap();
    let restored =
        file::restore(&bench.recipe.config_path, prepared.before(), &prepared.record().after_sha256).unwrap();

    assert_eq!(view.allowed_origins.unwrap(), ["https://mine.example:8443"]);
    assert_eq!(restored, Restored::Identical);
    assert_eq!(fs::read(&bench.recipe.config_path).unwrap(), bytes);
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, GatewayEvent::Shutdown { .. }), "an origin must not need a restart");
    }
}

pub(crate) async fn more_changes_than_the_gateway_takes_are_told_apart(bench: &Bench) {
    let client = bench.client().await;
    let mut limited = None;
    for number in 0..40 {
        let value = json!(format!("https://n{number}.example"));
        let set = Edit::Set { path: "gateway.publicOrigin".into(), value };
        match rpc::prepare(&client, &[set]).await.unwrap().commit(&client).await {
            Ok(_) => {}
            Err(ConfigError::RateLimited { retry_after }) => {
                limited = Some(retry_after);
                break;
            }
            Err(other) => panic!("{other}"),
        }
    }

    assert!(limited.expect("a limit").is_some_and(|wait| wait.as_secs() <= 60), "{limited:?}");
}
