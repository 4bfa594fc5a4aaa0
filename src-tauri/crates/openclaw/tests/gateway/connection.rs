//! Finding it, logging in, following it.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_openclaw::client::{Credentials, Endpoint, GatewayClient, Link};
use gatehouse_openclaw::discovery::{Auth, Environment, PortSource, discover};
use gatehouse_openclaw::probe::{GatewayHealth, health};
use gatehouse_openclaw::program::Program;
use gatehouse_openclaw::supervise::{State, Supervisor};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::bench::{Bench, Device, LIMIT, START, wait_for};

pub(crate) async fn the_gateway_is_found_ready_and_says_who_it_is(bench: &Bench) {
    let mut environment = Environment { home: bench.home(), ..Environment::default() };
    environment
        .variables
        .insert("OPENCLAW_STATE_DIR".to_owned(), bench.recipe.state_dir.display().to_string());

    let gateway = discover(&environment).unwrap();
    let hello = bench.client().await.ready(LIMIT).await.unwrap();

    assert_eq!((gateway.port, gateway.port_source), (bench.recipe.port, PortSource::Config));
    assert!(matches!(gateway.auth, Auth::Token(token) if token.expose_secret() == bench.token()));
    assert_eq!(health(bench.address()).await, GatewayHealth::Ready);
    assert_eq!(hello.version, gatehouse_openclaw::install::OPENCLAW_VERSION);
    assert_eq!(hello.config_path.as_deref(), bench.recipe.config_path.to_str());
    assert_eq!(hello.auth_mode.as_deref(), Some("token"));
    assert!(hello.scopes.contains(&"operator.pairing".to_owned()), "{:?}", hello.scopes);
}

pub(crate) async fn a_wrong_token_is_refused_with_its_code(bench: &Bench) {
    let wrong =
        Endpoint { address: bench.address(), auth: Credentials::Token(SecretString::from("not-the-token")) };
    let client = GatewayClient::spawn(wrong);

    let link = wait_for(&client, |link| matches!(link, Link::Refused { .. })).await;
    client.set_endpoint(bench.endpoint());

    assert!(matches!(&link, Link::Refused { code, .. } if code == "AUTH_TOKEN_MISMATCH"), "{link:?}");
    wait_for(&client, |link| matches!(link, Link::Up { .. })).await;
}

pub(crate) async fn a_device_key_of_ours_is_accepted_and_paired_silently(bench: &Bench) {
    let device = Device::new(None);

    let connected = device
        .connect(bench, json!({"token": bench.token()}), &["operator.read"])
        .await
        .unwrap_or_else(|error| panic!("{error}"));

    assert!(connected.hello["auth"]["deviceToken"].is_string(), "{}", connected.hello["auth"]);
    let client = bench.client().await;
    let paired = gatehouse_openclaw::devices::list(&client).await.unwrap().paired;
    let ours = paired.iter().find(|paired| paired.device_id == device.id()).unwrap();
    assert_eq!(ours.approved_via.as_deref(), Some("silent"));
    gatehouse_openclaw::devices::revoke(&client, device.id()).await.unwrap();
}

pub(crate) async fn the_command_line_gives_a_link_and_a_status(bench: &Bench) {
    let program = Program {
        path: bench.recipe.installed.program.clone(),
        node: Some(bench.recipe.installed.node.clone()),
        home: bench.home(),
        state_dir: Some(bench.recipe.state_dir.clone()),
        config_path: Some(bench.recipe.config_path.clone()),
        profile: None,
    };

    let link = program.dashboard().await.unwrap();
    let status = program.gateway_status().await.unwrap();

    assert!(link.bootstrap_token.expose_secret().len() > 16);
    assert!(link.expires_at.is_some());
    assert_eq!(status["gateway"]["port"], bench.recipe.port);
}

pub(crate) async fn the_client_follows_a_restart(bench: &Bench) {
    let client = bench.client().await;
    let before = client.ready(LIMIT).await.unwrap();

    client.call("gateway.restart.request", json!({})).await.unwrap();
    let link =
        wait_for(&client, |link| matches!(link, Link::Up { hello } if hello.boot_id != before.boot_id)).await;

    assert!(matches!(link, Link::Up { .. }));
}

pub(crate) async fn a_gateway_that_is_killed_is_started_again_and_an_orphan_is_taken_over(bench: &Bench) {
    let first = bench.running().await;
    let client = bench.client().await;
    let killed = std::process::Command::new("kill").args(["-9", &first.to_string()]).status().unwrap();
    assert!(killed.success());
    let mut state = bench.supervisor.lock().await.as_ref().unwrap().state();
    let not_running = |state: &State| !matches!(state, State::Running { .. });
    tokio::time::timeout(START, state.wait_for(not_running)).await.unwrap().unwrap();
    let second = bench.running().await;
    wait_for(&client, |link| matches!(link, Link::Up { .. })).await;
    assert_ne!(first, second);

    // As if we had been killed: nobody stops the gateway, and the pid file stays.
    std::mem::forget(bench.supervisor.lock().await.take());
    let heir = Arc::new(Supervisor::start(bench.recipe.clone()).await.unwrap());
    let mut state = heir.state();
    let same = |state: &gatehouse_openclaw::supervise::State| matches!(state, gatehouse_openclaw::supervise::State::Running { pid } if *pid == second);
    tokio::time::timeout(LIMIT, state.wait_for(same)).await.unwrap().unwrap();
    Arc::into_inner(heir).unwrap().stop(Duration::from_secs(15)).await;

    assert_eq!(health(bench.address()).await, GatewayHealth::Refused);
    assert!(!bench.recipe.pid_file.exists());
}
