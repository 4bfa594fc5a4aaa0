//! The gateway's token: kept where the gateway asks for it, replaced, and brought back, with the real gateway.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, House, Line, TOKEN};
use serde_json::{Value, json};

/// Whether the running gateway takes a token.
async fn takes(house: &House, token: &str) -> bool {
    let stream = house.here.connect((Ipv4Addr::LOCALHOST, 18789).into()).await.expect("the gateway listens");
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str())];
    let answer = Line::over(stream).get("127.0.0.1:18789", "/control-ui-config.json", &headers).await;
    match answer.status {
        200 => true,
        401 => false,
        other => panic!("the gateway answered {other}"),
    }
}

/// A gateway that Gatehouse knows, with nothing open.
async fn known() -> (House, Gatehouse) {
    let house = House::with_gateway().await;
    let mut gatehouse = house.gatehouse();
    gatehouse.serve(&[]).await;
    gatehouse.status_when("the gateway is known", |status| status["gateway"]["verdict"] == "running").await;
    (house, gatehouse)
}

async fn revealed(gatehouse: &Gatehouse) -> String {
    let ran = gatehouse.run(&["--json", "token", "reveal", "--i-understand"]).await.succeeds();
    ran.json()["token"].as_str().expect("a token").to_owned()
}

async fn status(gatehouse: &Gatehouse) -> Value {
    gatehouse.run(&["--json", "token", "status"]).await.json()
}

/// Every file below a folder that holds a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            found.extend(holding(&path, text));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn the_gateway_asks_for_its_token_and_starts_with_it_whether_gatehouse_runs_or_not() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let mut house = House::with_gateway().await;
    let before = house.gateway.config_value();
    let mut gatehouse = house.gatehouse();
    gatehouse.serve(&[]).await;
    gatehouse.status_when("the gateway is known", |status| status["gateway"]["verdict"] == "running").await;
    assert_eq!(status(&gatehouse).await["place"], "configuration");

    let plan = gatehouse.run(&["--json", "token", "use-secret-ref", "--dry-run"]).await;
    assert_eq!(house.gateway.config_value(), before, "{plan:?}");
    let moved = gatehouse.run(&["token", "use-secret-ref"]).await;
    assert!([0, 3].contains(&moved.code), "{moved:?}");

    let config = house.gateway.config_value();
    assert_eq!(
        config["gateway"]["auth"]["token"],
        json!({"source": "exec", "provider": "gatehouse", "id": "gateway-token"})
    );
    assert!(!config.to_string().contains(TOKEN));
    let helper = config["secrets"]["providers"]["gatehouse"]["command"].as_str().expect("a program");
    assert_eq!(std::fs::metadata(helper).expect("it is there").permissions().mode() & 0o777, 0o700);
    assert!(takes(&house, TOKEN).await);
    let told = status(&gatehouse).await;
    assert_eq!((&told["place"], &told["state"]), (&json!("store"), &json!("known")), "{told}");
    assert_eq!((&told["accepted"], &told["store"]), (&json!(true), &json!("file")), "{told}");

    house.gateway.stops().await;
    house.gateway.start().await;
    assert!(takes(&house, TOKEN).await);
    gatehouse.interrupt().await;
    house.gateway.stops().await;
    house.gateway.start().await;
    assert!(takes(&house, TOKEN).await);

    gatehouse.serve(&[]).await;
    gatehouse.status_when("it lets us in", |status| status["gateway"]["verdict"] == "running").await;
    gatehouse.run(&["undo", "--yes"]).await.succeeds();
    assert_eq!(house.gateway.config_value(), before);
    assert!(takes(&house, TOKEN).await);
    assert_eq!(status(&gatehouse).await["place"], "configuration");
}

#[tokio::test]
async fn a_new_token_is_taken_and_the_old_one_is_not_in_both_places() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let (house, gatehouse) = known().await;

    gatehouse.run(&["token", "rotate"]).await.ends_with(4);
    assert!(takes(&house, TOKEN).await);
    let rotated = gatehouse.run(&["--json", "token", "rotate", "--yes"]).await;
    assert!([0, 3].contains(&rotated.code), "{rotated:?}");
    let second = revealed(&gatehouse).await;
    assert_ne!(second, TOKEN);
    assert!(takes(&house, &second).await && !takes(&house, TOKEN).await);
    assert_eq!(house.gateway.config_value()["gateway"]["auth"]["token"], second);
    assert_eq!(holding(&gatehouse.home, &second), Vec::<String>::new());
    assert_eq!(holding(&gatehouse.home, TOKEN), Vec::<String>::new());

    let moved = gatehouse.run(&["token", "use-secret-ref"]).await;
    assert!([0, 3].contains(&moved.code), "{moved:?}");
    let config = house.gateway.config_value();
    let rotated = gatehouse.run(&["--json", "token", "rotate", "--yes"]).await;
    assert!([0, 3].contains(&rotated.code), "{rotated:?}");
    let third = revealed(&gatehouse).await;
    assert_ne!(third, second);
    assert!(takes(&house, &third).await && !takes(&house, &second).await);
    assert_eq!(house.gateway.config_value(), config);
    let kept = holding(&gatehouse.home, &third);
    assert!(kept.len() == 1 && kept[0].ends_with("secrets/gateway-token.secret"), "{kept:?}");
    assert_eq!(holding(&gatehouse.home, &second), Vec::<String>::new());

    let plain = gatehouse.run(&["token", "plain"]).await;
    assert!([0, 3].contains(&plain.code), "{plain:?}");
    let config = house.gateway.config_value();
    assert_eq!(config["gateway"]["auth"]["token"], third);
    assert_eq!(config.get("secrets"), None, "{config}");
    assert!(takes(&house, &third).await);
    assert_eq!(holding(&gatehouse.home, &third), Vec::<String>::new());
}

#[tokio::test]
async fn a_stored_token_that_is_gone_is_told_and_never_made_anew() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let (house, mut gatehouse) = known().await;
    let moved = gatehouse.run(&["token", "use-secret-ref"]).await;
    assert!([0, 3].contains(&moved.code), "{moved:?}");
    let secret = gatehouse.home.join("secrets/gateway-token.secret");
    gatehouse.interrupt().await;
    std::fs::remove_file(&secret).expect("it was there");
    gatehouse.serve(&[]).await;

    let told = status(&gatehouse).await;
    assert_eq!(told["state"], "missing", "{told}");
    for change in ["generate", "rotate", "plain"] {
        let ran = gatehouse.run(&["token", change, "--yes"]).await;
        assert!(ran.code != 0 && ran.code != 3, "{change}: {ran:?}");
    }
    assert!(!secret.exists());
    assert!(takes(&house, TOKEN).await);

    let file = gatehouse.home.with_extension("token");
    std::fs::write(&file, "not-the-token-of-the-gateway").expect("it can be written");
    let path = file.to_str().expect("a path of letters");
    gatehouse.run(&["token", "import", "--secret-file", path]).await.ends_with(5);
    std::fs::write(&file, TOKEN).expect("it can be written");
    gatehouse.run(&["token", "import", "--secret-file", path]).await.succeeds();
    assert_eq!(status(&gatehouse).await["state"], "known");
    assert_eq!(revealed(&gatehouse).await, TOKEN);
}

#[tokio::test]
async fn whoever_removes_everything_leaves_a_gateway_that_starts_with_its_token() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let (mut house, gatehouse) = known().await;
    let before = house.gateway.config_value();
    let moved = gatehouse.run(&["token", "use-secret-ref"]).await;
    assert!([0, 3].contains(&moved.code), "{moved:?}");
    assert!(!house.gateway.config_value().to_string().contains(TOKEN));

    let removed = gatehouse.run(&["service", "uninstall", "--purge", "--yes"]).await;

    assert_eq!(house.gateway.config_value()["gateway"], before["gateway"], "{removed:?}");
    assert!(!gatehouse.home.join("secrets").exists(), "{removed:?}");
    house.gateway.stops().await;
    house.gateway.start().await;
    assert!(takes(&house, TOKEN).await);
}
