//! Who a client is: never what it says of itself.
//!
//! The gateway is the witness. `/readyz` tells details to a local client only; a local client that knows the shared token is
//! paired silently, a remote one waits for approval under the address that the gateway believes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gatehouse_tests::{Admission, Answer, ConnectAs, Device, DeviceKey, Socket, TOKEN, eventually};

use crate::shared::{OpenHouse, open_house};

/// Header families that claim to be local, or to be somebody.
const FORGERIES: &[(&str, &[(&str, &str)])] = &[
    ("nothing", &[]),
    ("Forwarded", &[("Forwarded", "for=127.0.0.1;proto=https;host=localhost")]),
    ("Forwarded, IPv6", &[("Forwarded", "for=\"[::1]\"")]),
    ("X-Forwarded-For", &[("X-Forwarded-For", "127.0.0.1")]),
    ("X-Forwarded-For, a list", &[("X-Forwarded-For", "10.1.2.3, 127.0.0.1, ::1")]),
    ("X-Forwarded-For, doubled", &[("X-Forwarded-For", "127.0.0.1"), ("x-forwarded-for", "10.1.2.3")]),
    ("X-Forwarded-For, empty", &[("X-Forwarded-For", "")]),
    ("X-Forwarded-For, garbage", &[("X-Forwarded-For", "unknown, _hidden, \"")]),
    ("X-Real-IP", &[("X-Real-IP", "127.0.0.1")]),
    (
        "the X-Forwarded family",
        &[
            ("X-Forwarded-Host", "localhost"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", "18789"),
            ("X-Forwarded-User", "owner"),
            ("X-Forwarded-Email", "owner@example.com"),
            ("X-Forwarded-Server", "localhost"),
        ],
    ),
    (
        "Tailscale",
        &[
            ("Tailscale-User-Login", "owner@example.com"),
            ("Tailscale-User-Name", "Owner"),
            ("Tailscale-Headers-Info", "https://tailscale.com/s/serve-headers"),
            ("Tailscale-Funnel-Request", "?1"),
        ],
    ),
    (
        "underscores",
        &[
            ("X_Forwarded_For", "127.0.0.1"),
            ("x_real_ip", "127.0.0.1"),
            ("X_Forwarded-User", "owner"),
            ("Tailscale_User_Login", "owner@example.com"),
        ],
    ),
    (
        "content delivery networks",
        &[
            ("CF-Connecting-IP", "127.0.0.1"),
            ("CF-Access-Authenticated-User-Email", "owner@example.com"),
            ("True-Client-IP", "127.0.0.1"),
            ("X-Client-IP", "127.0.0.1"),
            ("X-Cluster-Client-IP", "127.0.0.1"),
            ("X-Original-Forwarded-For", "127.0.0.1"),
        ],
    ),
    (
        "identities",
        &[
            ("Remote-User", "owner"),
            ("X-Remote-User", "owner"),
            ("X-Auth-Request-Email", "owner@example.com"),
            ("X-OpenClaw-Scopes", "operator.admin"),
        ],
    ),
];

/// What only HTTP/1.1 can write: a `Connection` that names our own header as one to drop.
const DROPPED_BY_CONNECTION: &[(&str, &[(&str, &str)])] = &[
    ("Connection names X-Forwarded-For", &[("Connection", "keep-alive, X-Forwarded-For, X-Forwarded-Proto")]),
    (
        "Connection names it, and one is sent",
        &[("Connection", "x-forwarded-for"), ("X-Forwarded-For", "127.0.0.1")],
    ),
];

fn is_remote(answer: &Answer) -> bool {
    answer.status == 200 && answer.json() == serde_json::json!({ "ready": true })
}

fn is_local(answer: &Answer) -> bool {
    answer.status == 200 && answer.json()["uptimeMs"].is_number()
}

/// The addresses of the machine with the gateway, each with the client's address on the same wire.
fn wires(open: &OpenHouse) -> [(IpAddr, IpAddr); 2] {
    let (here, there) = (&open.house.here, &open.house.there);
    [(here.v4.into(), there.v4.into()), (here.v6.into(), there.v6.into())]
}

/// Connects with the shared token and a key of its own: the gateway must know it as a remote client that waits.
async fn waits_as(open: &OpenHouse, socket: Socket, key: u8, from: IpAddr, story: &str) {
    let key = DeviceKey::number(key);
    let admission = Device::connect(socket, &ConnectAs::phone(TOKEN), Some(&key)).await;
    assert_eq!(admission.refused_with(), "PAIRING_REQUIRED", "{story}");
    let pending = open.house.gateway.pending(&key.id()).await;
    let pending = pending.unwrap_or_else(|| panic!("{story}: nothing waits"));
    assert_eq!(pending["remoteIp"], from.to_string(), "{story}");
}

#[tokio::test]
async fn a_client_on_this_machine_is_local() {
    let Some(open) = open_house().await else { return };
    for loopback in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let answer = open.here().get(loopback, "/readyz").await;
        assert!(is_local(&answer), "{loopback}: {answer:?}");
    }
}

#[tokio::test]
async fn forged_headers_over_http1_leave_a_remote_client_remote() {
    let Some(open) = open_house().await else { return };
    for (to, _) in wires(open) {
        for (family, headers) in FORGERIES {
            let answer = open.there().get_with(to, "/readyz", headers).await;
            assert!(is_remote(&answer), "{family} to {to}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_client_cannot_have_our_headers_dropped_on_the_way() {
    let Some(open) = open_house().await else { return };
    for (family, headers) in DROPPED_BY_CONNECTION {
        let answer = open.there().get_with(open.house.here.v4, "/readyz", headers).await;
        assert_eq!((answer.status, answer.edge_error()), (400, "bad-connection"), "{family}: {answer:?}");
    }
}

#[tokio::test]
async fn forged_headers_over_http2_leave_a_remote_client_remote() {
    let Some(open) = open_house().await else { return };
    for (to, _) in wires(open) {
        let client = open.there();
        let mut connection = client.h2(to).await;
        for (family, headers) in FORGERIES {
            let answer = connection.get(&client.authority(to), "/readyz", headers).await;
            assert!(is_remote(&answer), "{family} to {to}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn asking_for_a_loopback_name_leaves_a_remote_client_remote() {
    let Some(open) = open_house().await else { return };
    let client = open.there();
    for host in ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:18789"] {
        let answer = client.h1(open.house.here.v4).await.get(host, "/readyz", &[]).await;
        assert!(is_remote(&answer) || answer.status == 421, "HTTP/1.1, {host}: {answer:?}");
        let answer = client.h2(open.house.here.v4).await.get(host, "/readyz", &[]).await;
        assert!(is_remote(&answer) || answer.status == 421, "HTTP/2, {host}: {answer:?}");
    }
}

#[tokio::test]
async fn forged_headers_on_an_upgrade_never_pair_silently_and_never_hide_the_address() {
    let Some(open) = open_house().await else { return };
    for (number, (family, headers)) in (0..).zip(FORGERIES) {
        let (to, from) = wires(open)[usize::from(number % 2)];
        let socket = open.there().websocket(to, headers).await.expect("the upgrade is answered with one");
        waits_as(open, socket, 100 + number, from, family).await;
    }
}

#[tokio::test]
async fn forged_headers_on_an_extended_connect_never_pair_silently_and_never_hide_the_address() {
    let Some(open) = open_house().await else { return };
    for (number, (family, headers)) in (0..).zip(FORGERIES) {
        let (to, from) = wires(open)[usize::from(number % 2)];
        let client = open.there();
        // It is offered once the core has tried it.
        let socket = eventually("a WebSocket over HTTP/2", Duration::from_secs(60), async || {
            client.h2(to).await.websocket(&client.authority(to), headers).await
        })
        .await;
        waits_as(open, socket, 200 + number, from, family).await;
    }
}

#[tokio::test]
async fn a_remote_client_without_a_device_gets_no_rights_from_the_shared_token() {
    let Some(open) = open_house().await else { return };
    let socket = open.there().websocket(open.house.here.v4, &[]).await.expect("it is upgraded");

    match Device::connect(socket, &ConnectAs::backend(TOKEN), None).await {
        Admission::In(mut device) => {
            let listed = device.call("device.pair.list", serde_json::json!({})).await;
            assert_eq!(listed.expect_err("no rights")["code"], "FORBIDDEN");
        }
        Admission::Refused { .. } => {}
    }
}

#[tokio::test]
async fn forwarding_headers_from_this_machine_are_a_tunnel_and_are_refused() {
    let Some(open) = open_house().await else { return };
    let (loopback, network) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(open.house.here.v4));
    let forgeries = FORGERIES.iter().filter(|(family, _)| *family != "nothing");
    for (to, (family, headers)) in forgeries.flat_map(|forgery| [(loopback, forgery), (network, forgery)]) {
        let answer = open.here().get_with(to, "/readyz", headers).await;
        assert_eq!(
            (answer.status, answer.edge_error()),
            (403, "tunnel-undeclared"),
            "HTTP/1.1 to {to}, {family}: {answer:?}"
        );

        let answer = open.here().h2(to).await.get(&open.here().authority(to), "/readyz", headers).await;
        assert_eq!(
            (answer.status, answer.edge_error()),
            (403, "tunnel-undeclared"),
            "HTTP/2 to {to}, {family}: {answer:?}"
        );

        let refused = open.here().websocket(to, headers).await.err().expect("no upgrade");
        assert_eq!(
            (refused.status, &*refused.edge_error),
            (403, "tunnel-undeclared"),
            "upgrade to {to}, {family}"
        );
    }
}

#[tokio::test]
async fn this_machine_asking_for_its_network_name_is_attributed_to_its_own_address() {
    let Some(open) = open_house().await else { return };
    let host = open.house.here.v4.to_string();
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);

    let answer = open.here().h1(loopback).await.get(&host, "/readyz", &[]).await;
    assert!(is_remote(&answer), "{answer:?}");

    let socket = open.here().websocket_as(loopback, &host, &[]).await.expect("it is upgraded");
    waits_as(open, socket, 99, open.house.here.v4.into(), "loopback peer, network name").await;
}

#[tokio::test]
async fn this_machine_through_its_network_address_needs_approval_like_any_other() {
    let Some(open) = open_house().await else { return };
    let address = open.house.here.v4;
    let answer = open.here().get(address, "/readyz").await;
    assert!(is_remote(&answer), "{answer:?}");

    let socket = open.here().websocket(address, &[]).await.expect("it is upgraded");
    waits_as(open, socket, 98, address.into(), "own network address").await;
}
