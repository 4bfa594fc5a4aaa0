//! Apps that remember the certificate they saw.

use std::fs;

use gatehouse_tests::{Authority, ConnectAs, Device, DeviceKey, Gatehouse, House, Https, TOKEN, eventually};
use serde_json::Value;

use crate::expiry::{NAME, PATIENCE, open, public, ready};

/// The private key of the public certificate that is served.
fn key(gatehouse: &Gatehouse) -> String {
    let folder =
        fs::read_dir(gatehouse.home.join("certs/acme/public")).unwrap().flatten().next().unwrap().path();
    let current = fs::read_to_string(folder.join("current")).unwrap();
    fs::read_to_string(folder.join("issued").join(current.trim()).join("key.pem")).unwrap()
}

async fn connects(house: &House, client: &Https) -> Device {
    let socket = client.websocket_by_name(house.here.v4.into(), NAME).await.expect("it is upgraded");
    Device::connect(socket, &ConnectAs::phone(TOKEN), Some(&DeviceKey::number(1))).await.let_in()
}

async fn pins(gatehouse: &Gatehouse, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, PATIENCE, async || {
        let pins = gatehouse.run(&["--json", "cert", "pins"]).await.json();
        let pin = pins["pins"].as_array()?.first()?.clone();
        wanted(&pin).then_some(pin)
    })
    .await
}

#[tokio::test]
async fn an_app_that_remembers_a_public_certificate_is_named_when_it_changes_also_where_the_key_stays() {
    if !ready() {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::start(&house).await;
    let gatehouse = open(&house, &authority).await;
    let client = house.there.https(&authority.root().await);
    let knock = client.websocket_by_name(house.here.v4.into(), NAME).await.expect("it is upgraded");
    let phone = DeviceKey::number(1);
    let told = Device::connect(knock, &ConnectAs::phone(TOKEN), Some(&phone)).await.refused_with();
    assert_eq!(told, "PAIRING_REQUIRED");
    gatehouse.run(&["devices", "approve", &phone.id(), "--yes"]).await.succeeds();
    let mut connected = connects(&house, &client).await;
    let first = public(&gatehouse.status().await)["sha256"].clone();
    let pin = pins(&gatehouse, "the phone is remembered", |pin| pin["sha256"] == first).await;
    assert_eq!((&pin["host"], &pin["now"]), (&NAME.into(), &first));

    // The key stays where its owner says so: for whoever knows the public key. The app knows the certificate.
    authority.set_up(&gatehouse, &["--reuse-key"]).await.succeeds();
    assert_eq!(gatehouse.run(&["--json", "cert", "acme", "status"]).await.json()["reuse_key"], true);
    let before = key(&gatehouse);
    let asked = gatehouse.run(&["cert", "acme", "renew", "--force"]).await.ends_with(4);
    assert!(asked.text().contains("Kitchen phone"), "{}", asked.text());
    gatehouse.run(&["cert", "acme", "renew", "--force", "--yes"]).await.succeeds();
    assert_eq!(key(&gatehouse), before);
    let second = public(&gatehouse.status().await)["sha256"].clone();
    assert_ne!(second, first);
    assert!(connected.socket().is_alive().await, "a renewal dropped the phone");
    let broken = pins(&gatehouse, "the phone knows another one", |pin| pin["now"] == second).await;
    assert_eq!(broken["sha256"], first);
    gatehouse.run(&["cert", "pins"]).await.ends_with(3);
    let said = |status: &Value| status["problems"].to_string().contains("core.pins.broken");
    gatehouse.status_when("the status says so", said).await;

    // Who has come by since has seen the new one.
    drop(connected);
    let _again = connects(&house, &client).await;
    pins(&gatehouse, "the phone has seen it", |pin| pin["sha256"] == second).await;
    gatehouse.run(&["cert", "pins"]).await.succeeds();

    authority.set_up(&gatehouse, &["--reuse-key=false"]).await.succeeds();
    gatehouse.run(&["cert", "acme", "renew", "--force", "--yes"]).await.succeeds();
    assert_ne!(key(&gatehouse), before);
}
