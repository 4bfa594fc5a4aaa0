//! Devices that come through a trusted proxy, and from this machine.

use gatehouse_openclaw::client::GatewayClient;
use gatehouse_openclaw::config::{Edit, rpc};
use gatehouse_openclaw::devices::{self, Access, DeviceError, ReturnPath, Shown};
use gatehouse_openclaw::events::GatewayEvent;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::timeout;

use crate::bench::{Bench, Device, LIMIT};

const REMOTE: Option<&str> = Some("192.168.1.50");
const ALL: [&str; 3] = ["operator.admin", "operator.read", "operator.write"];

/// A client of a gateway that trusts a proxy on loopback.
async fn behind_a_proxy(bench: &Bench) -> GatewayClient {
    let client = bench.client().await;
    let edit =
        Edit::AddToArray { path: "gateway.trustedProxies".into(), values: vec!["127.0.0.1".to_owned()] };
    rpc::prepare(&client, &[edit]).await.unwrap().commit(&client).await.unwrap();
    while client.call("health", json!({})).await.is_err() {
        let _ = client.ready(LIMIT).await;
    }
    client
}

pub(crate) async fn a_remote_device_waits_and_is_approved_by_its_key(bench: &Bench) {
    let client = behind_a_proxy(bench).await;
    let mut events = client.events();
    let device = Device::new(REMOTE);
    device.asks(bench, &ALL).await;
    let announced = timeout(LIMIT, async {
        loop {
            if let Ok(GatewayEvent::PairRequested(pending)) = events.recv().await {
                return pending;
            }
        }
    });
    let announced = announced.await.unwrap();
    let listed = devices::list(&client).await.unwrap().pending;
    let listed = listed.iter().find(|pending| pending.device_id == device.id()).unwrap();

    let paired =
        devices::approve(&client, device.id(), Access::Full, Some(&Shown::of(listed))).await.unwrap();
    let label = devices::rename(&client, device.id(), "Kitchen iPad").await.unwrap().label;
    let connected = device.connect(bench, json!({"token": bench.token()}), &ALL).await;
    let now = devices::list(&client).await.unwrap().paired;
    let now = now.into_iter().find(|paired| paired.device_id == device.id()).unwrap();
    let revoked = devices::revoke(&client, device.id()).await.unwrap();

    assert_eq!(announced.device_id, device.id());
    assert_eq!(listed.remote_ip.as_deref(), REMOTE);
    assert_eq!((paired.approved_via.as_deref(), label.as_deref()), (Some("owner"), Some("Kitchen iPad")));
    assert!(connected.is_ok() && now.connected);
    let over_http = bench.http_status_from("192.168.1.50", "/control-ui-config.json").await;
    assert_eq!(revoked.can_return, []);
    assert!(revoked.knows_secret);
    assert_eq!(over_http, 200, "the shared secret alone no longer opens HTTP: say so no more");
    device.asks(bench, &ALL).await;
    devices::deny(&client, device.id()).await.unwrap();
}

pub(crate) async fn a_device_that_asks_for_more_than_was_shown_is_shown_again(bench: &Bench) {
    let client = behind_a_proxy(bench).await;
    let device = Device::new(REMOTE);
    device.asks(bench, &["operator.read"]).await;
    let shown = devices::list(&client).await.unwrap().pending;
    let shown = Shown::of(shown.iter().find(|pending| pending.device_id == device.id()).unwrap());

    device.asks(bench, &ALL).await;
    let result = devices::approve(&client, device.id(), Access::Full, Some(&shown)).await;

    let Err(DeviceError::Widened { now }) = result else { panic!("{result:?}") };
    assert!(now.scopes.contains(&"operator.admin".to_owned()));
    assert!(
        !devices::list(&client).await.unwrap().paired.iter().any(|paired| paired.device_id == device.id())
    );
    devices::approve(&client, device.id(), Access::Full, Some(&Shown::of(&now))).await.unwrap();
    devices::revoke(&client, device.id()).await.unwrap();
}

pub(crate) async fn narrowing_a_token_does_not_last_so_it_is_not_offered(bench: &Bench) {
    let client = behind_a_proxy(bench).await;
    let device = Device::new(REMOTE);
    device.asks(bench, &ALL).await;
    let refused = devices::approve(&client, device.id(), Access::Read, None).await;
    devices::approve(&client, device.id(), Access::Full, None).await.unwrap();
    let narrower = json!({"deviceId": device.id(), "role": "operator", "scopes": ["operator.read"]});
    client.call("device.token.rotate", narrower).await.unwrap();

    let back = device.connect(bench, json!({"token": bench.token()}), &ALL).await;

    assert!(matches!(refused, Err(DeviceError::NotSupported { .. })), "{refused:?}");
    let scopes = back.unwrap_or_else(|error| panic!("{error}")).hello["auth"]["scopes"].clone();
    assert!(
        scopes.as_array().unwrap().contains(&json!("operator.admin")),
        "narrowing lasts now: offer it ({scopes})"
    );
    devices::revoke(&client, device.id()).await.unwrap();
}

pub(crate) async fn a_denied_device_is_gone_from_the_list(bench: &Bench) {
    let client = behind_a_proxy(bench).await;
    let device = Device::new(REMOTE);
    device.asks(bench, &["operator.read"]).await;

    devices::deny(&client, device.id()).await.unwrap();

    let again = devices::deny(&client, device.id()).await;
    assert!(matches!(again, Err(DeviceError::NotFound { .. })), "{again:?}");
    let approve = devices::approve(&client, device.id(), Access::Full, None).await;
    assert!(matches!(approve, Err(DeviceError::NotFound { .. })), "{approve:?}");
}

pub(crate) async fn a_removed_local_device_comes_back_by_itself_and_that_is_said(bench: &Bench) {
    let client = bench.client().await;
    let device = Device::new(None);
    let auth = json!({"token": bench.token()});
    assert!(device.connect(bench, auth.clone(), &ALL).await.is_ok());

    let revoked = devices::revoke(&client, device.id()).await.unwrap();

    assert_eq!(revoked.can_return, [ReturnPath::LocalAutoApproval]);
    assert!(device.connect(bench, auth, &ALL).await.is_ok());
    devices::revoke(&client, device.id()).await.unwrap();
}

pub(crate) async fn rotating_the_shared_token_keeps_paired_devices(bench: &Bench) {
    let client = bench.client().await;
    let device = Device::new(None);
    let connected = device.connect(bench, json!({"token": bench.token()}), &["operator.read"]).await;
    let connected = connected.unwrap_or_else(|error| panic!("{error}"));
    let device_token = connected.hello["auth"]["deviceToken"].clone();
    let old = bench.token();

    let token = devices::rotate_shared_token(&client).await.unwrap();
    bench.set_token(token.expose_secret());
    client.set_endpoint(bench.endpoint());

    while client.call("health", json!({})).await.is_err() {
        client.ready(LIMIT).await.unwrap_or_else(|link| panic!("{link:?}"));
    }
    let with_old = Device::new(None).connect(bench, json!({"token": old}), &["operator.read"]).await;
    let with_device_token =
        device.connect(bench, json!({"deviceToken": device_token}), &["operator.read"]).await;
    assert_eq!(with_old.err().unwrap()["details"]["code"], "AUTH_TOKEN_MISMATCH");
    assert!(with_device_token.is_ok(), "{:?}", with_device_token.err());
    devices::revoke(&client, device.id()).await.unwrap();
}
