//! The network around the machine: addresses that come and go under live sockets, a firewall, the public address.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, House, eventually, within};
use serde_json::Value;

/// Noticed within seconds: a change counts once it is steady.
const SOON: Duration = Duration::from_secs(20);
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 11);
const SECOND_URL: &str = "https://192.168.77.11";

async fn network(gatehouse: &Gatehouse) -> Value {
    gatehouse.run(&["network", "--json"]).await.json()
}

fn urls(status: &Value) -> Vec<String> {
    let all = status["addresses"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|one| one["url"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn an_address_that_goes_is_kept_for_a_day_and_then_forgotten_while_sockets_live_on() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    house.here.gain_address(SECOND.into());
    let mut gatehouse = house.open_to_lan().await;
    let client = house.there.https(&gatehouse.ca().await);
    assert_eq!(client.get(IpAddr::from(SECOND), "/healthz").await.status, 200);
    assert!(house.gateway.config_value().to_string().contains(SECOND_URL), "its origin is allowed");
    let mut socket = client.websocket(house.here.v4, &[]).await.expect("it is upgraded");

    house.here.lose_address(SECOND.into());
    let status = within("the change is noticed", SOON, async {
        gatehouse
            .status_when("the address is gone", |status| !urls(status).iter().any(|it| it == SECOND_URL))
            .await
    })
    .await;
    assert!(!urls(&status).is_empty());
    let seen = eventually("it is told as kept", SOON, async || {
        let seen = network(&gatehouse).await;
        (seen["kept"][0]["url"] == SECOND_URL).then_some(seen)
    })
    .await;
    assert!(seen["kept"][0]["until"].is_string(), "{seen}");
    assert!(socket.is_alive().await, "a socket of another address lives on");
    assert!(house.gateway.config_value().to_string().contains(SECOND_URL), "its origin is kept");
    // A browser that still has the page open asks for the old name.
    let mut line = client.h1(house.here.v4).await;
    assert_eq!(line.get("192.168.77.11", "/healthz", &[]).await.status, 200);

    // It comes back: nothing has to be made anew.
    let before = client.fingerprint(house.here.v4).await;
    house.here.gain_address(SECOND.into());
    gatehouse
        .status_when("the address is back", |status| urls(status).iter().any(|it| it == SECOND_URL))
        .await;
    assert_eq!(network(&gatehouse).await["kept"], serde_json::json!([]));
    assert_eq!(client.fingerprint(house.here.v4).await, before, "the certificate named it all the time");
    assert!(socket.is_alive().await);

    // A day later, as far as the settings know.
    house.here.lose_address(SECOND.into());
    eventually("it is kept again", SOON, async || {
        (network(&gatehouse).await["kept"][0]["url"] == SECOND_URL).then_some(())
    })
    .await;
    assert!(gatehouse.interrupt().await.success());
    let file = gatehouse.home.join("settings.json");
    let mut settings: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    settings["kept"][SECOND_URL]["until"] = "2026-01-01T00:00:00Z".into();
    fs::write(&file, settings.to_string()).unwrap();
    gatehouse.serve(&[]).await;
    eventually("its origin is forgotten, and then itself", SOON * 2, async || {
        let allowed = house.gateway.config_value().to_string().contains(SECOND_URL);
        (!allowed && network(&gatehouse).await["kept"] == serde_json::json!([])).then_some(())
    })
    .await;
    let refused = client.h1(house.here.v4).await.get("192.168.77.11", "/healthz", &[]).await;
    assert_eq!(refused.status, 421, "the old name is served no more");
}

#[tokio::test]
async fn a_firewall_that_keeps_devices_out_is_told_with_the_command_that_lets_them_in() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program, Part::Router]) {
        return;
    }
    let house = House::with_gateway().await;
    let gatehouse = house.open_to_lan().await;
    let firewall = |seen: &Value| {
        let points = seen["points"].as_array().cloned().unwrap_or_default();
        points.into_iter().find(|point| point["id"] == "firewall").unwrap_or_default()
    };
    assert_eq!(firewall(&network(&gatehouse).await)["state"], "ready");

    let rules = house.folder("rules");
    fs::write(
        &rules,
        "table inet filter {\n chain input {\n type filter hook input priority 0; policy drop;\n iif lo accept\n \
         ct state established,related accept\n tcp dport 22 accept\n }\n}\n",
    )
    .unwrap();
    house.here.must_run("nft", &["-f", &rules.to_string_lossy()]);
    assert!(
        tokio::time::timeout(Duration::from_secs(3), house.there.connect((house.here.v4, 443).into()))
            .await
            .is_err(),
        "a device gets no answer"
    );
    let seen = gatehouse.run(&["network", "--json"]).await.ends_with(3).json();
    let point = firewall(&seen);
    assert_eq!(point["state"], "attention", "{seen}");
    let command = point["fix"]["command"].as_str().unwrap().to_owned();
    let words: Vec<&str> = command.split(' ').skip_while(|word| *word == "sudo").collect();
    house.here.must_run(words[0], &words[1..]);
    house.there.connect((house.here.v4, 443).into()).await.expect("the remedy lets devices in");
    assert_eq!(firewall(&network(&gatehouse).await)["state"], "ready");
}

#[tokio::test]
async fn the_public_address_is_asked_only_of_whom_the_user_named() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let folder = house.folder("echo");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ip"), "44.55.66.77\n").unwrap();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=echo"])
        .args(["-addext", "subjectAltName=IP:192.168.77.20"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"])
        .current_dir(&folder)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut echo = house.there.command("openssl");
    echo.args(["s_server", "-accept", "8080", "-cert", "cert.pem", "-key", "key.pem", "-WWW", "-quiet"]);
    let _echo =
        echo.current_dir(&folder).stdout(std::process::Stdio::null()).spawn().expect("openssl starts");
    let trust = folder.join("cert.pem").to_string_lossy().into_owned();
    let mut gatehouse = house.gatehouse().with("SSL_CERT_FILE", &trust);
    gatehouse.serve(&[]).await;

    let nobody = gatehouse.run(&["network", "--ask", "--json"]).await.json();
    let sources = |seen: &Value| -> Vec<String> {
        let all = seen["public"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one["source"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(sources(&nobody), ["router"], "{nobody}");
    gatehouse.run(&["config", "set", "network.echoes", "http://plain.example"]).await.ends_with(2);
    let url = "https://192.168.77.20:8080/ip";
    gatehouse.run(&["config", "set", "network.echoes", url]).await.succeeds();
    let unasked = gatehouse.run(&["network", "--json"]).await.json();
    assert!(sources(&unasked).is_empty(), "nothing is sent without a wish: {unasked}");
    let seen = eventually("the echo answers", SOON, async || {
        let seen = gatehouse.run(&["network", "--ask", "--json"]).await.json();
        let of_echo = seen["public"].as_array()?.iter().find(|one| one["source"] == url)?.clone();
        (of_echo["address"] == "44.55.66.77").then_some(of_echo)
    })
    .await;
    assert!(seen["problem"].is_null(), "{seen}");
}
