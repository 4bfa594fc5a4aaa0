//! The real installation, from the npm registry.
//!
//! Takes a minute and 800 MB, so it runs only where `GATEHOUSE_TEST_INSTALL` is set (CI sets it). What it proves: a machine
//! without a suitable Node ends up with a gateway that starts, in one folder, and a second run changes nothing.

use std::time::Duration;

use gatehouse_openclaw::client::{Credentials, Endpoint, GatewayClient};
use gatehouse_openclaw::discovery::{Auth, Environment, discover};
use gatehouse_openclaw::install::{OPENCLAW_VERSION, ensure, own_gateway, plan};
use gatehouse_openclaw::supervise::{Recipe, Supervisor};

#[tokio::test]
async fn a_machine_without_a_suitable_node_gets_a_gateway_that_starts() {
    if std::env::var_os("GATEHOUSE_TEST_INSTALL").is_none() {
        println!("skipped: the real installation: GATEHOUSE_TEST_INSTALL is not set");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skipped in CI");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("openclaw");
    let environment = Environment::from_process();

    let installed = ensure(&folder, &environment, |step| println!("{step:?}")).await.unwrap();
    let again = ensure(&folder, &environment, |step| panic!("{step:?} although complete")).await.unwrap();
    let own = own_gateway(root.path(), 23_400).unwrap();
    let recipe = Recipe {
        installed: installed.clone(),
        state_dir: own.state_dir.clone(),
        config_path: own.config_path.clone(),
        port: own.address.port(),
        log: root.path().join("gateway.log"),
        pid_file: root.path().join("gateway.pid"),
        variables: vec![("OPENCLAW_SKIP_CHANNELS".to_owned(), "1".to_owned())],
    };
    let found = Environment {
        variables: [("OPENCLAW_CONFIG_PATH".to_owned(), own.config_path.display().to_string())].into(),
        ..environment.clone()
    };
    let Auth::Token(token) = discover(&found).unwrap().auth else { panic!("it has a token") };
    let supervisor = Supervisor::start(recipe).await.unwrap();
    let client = GatewayClient::spawn(Endpoint { address: own.address, auth: Credentials::Token(token) });
    let hello = client.ready(Duration::from_secs(90)).await;
    supervisor.stop(Duration::from_secs(15)).await;

    assert_eq!(installed, again);
    assert!(plan(&folder, &environment).await.complete);
    let hello = hello.unwrap_or_else(|link| panic!("{link:?}"));
    assert_eq!(hello.version, OPENCLAW_VERSION);
    assert_eq!(hello.config_path.as_deref(), own.config_path.to_str());
}
