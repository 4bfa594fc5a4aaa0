//! Whatever a client claims about itself, the gateway hears only what the edge knows.

use crate::kit::client::*;
use crate::kit::gateway::{Gateway, header, headers};
use crate::kit::{House, NAME, OWN};
use gatehouse_edge::{EdgeSettings, FrontProxy};
use http::{HeaderName, HeaderValue, Request};
use tokio::io::AsyncWriteExt;

/// Claims that are no evidence of a proxy.
const IDENTITY: [(&str, &str); 4] = [
    ("x-openclaw-scopes", "operator.admin"),
    ("x_openclaw_scopes", "operator.admin"),
    ("x-team-user", "root"),
    ("x-request-id", "forged"),
];

/// Claims of a proxy.
const FORWARDING: [(&str, &str); 9] = [
    ("forwarded", "for=127.0.0.1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x_forwarded_for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("x-forwarded-user", "root"),
    ("x-forwarded-host", "localhost"),
    ("x-forwarded-proto", "http"),
    ("tailscale-user-login", "root@example"),
    ("cf-access-jwt-assertion", "forged"),
];

fn lines(claims: &[(&str, &str)]) -> String {
    claims.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn with(claims: &[(&str, &str)]) -> Request<Body> {
    let mut request = get("/");
    for (name, value) in claims {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// The head shows a remote client with our word for it, and none of the claims.
fn is_ours(head: &str, client: &str) {
    assert_eq!(header(head, "x-forwarded-for").as_deref(), Some(client), "{head}");
    assert_eq!(header(head, "x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(header(head, "x-forwarded-host"), header(head, "host"));
    assert_eq!(header(head, "x-request-id").unwrap().len(), 36, "{head}");
    for (name, value) in IDENTITY.iter().chain(&FORWARDING) {
        assert!(!headers(head, name).iter().any(|it| it == value), "{name} in {head}");
    }
}

/// Sends the claims as a request over both protocols and as an upgrade, and says what the gateway saw.
async fn claimed(settings: impl FnOnce(&mut EdgeSettings), claims: &[(&str, &str)]) -> Vec<String> {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|it| {
        it.identity_headers.push(HeaderName::from_static("x-team-user"));
        settings(it);
    });
    assert_eq!(over_h1(&house, with(claims)).await.status(), 200);
    assert_eq!(over_h2(&house, with(claims)).await.status(), 200);
    let mut upgrade = tls(&house, NAME, "http/1.1").await.unwrap();
    upgrade.write_all(handshake("/", &lines(claims)).as_bytes()).await.unwrap();
    read_head(&mut upgrade).await;
    let heads = gateway.heads();
    assert_eq!(heads.len(), 3);
    heads
}

#[tokio::test]
async fn forged_identity_never_reaches_the_gateway_over_any_protocol() {
    let heads = claimed(|_| {}, &IDENTITY).await;
    heads.iter().for_each(|head| is_ours(head, OWN));
}

#[tokio::test]
async fn behind_a_declared_proxy_only_its_one_header_counts() {
    let proxy = FrontProxy::Trusted {
        peers: vec!["127.0.0.1/32".parse().unwrap()],
        client_header: HeaderName::from_static("cf-connecting-ip"),
    };
    let claims = [&IDENTITY[..], &FORWARDING[..], &[("cf-connecting-ip", "198.51.100.7")]].concat();
    let heads = claimed(|settings| settings.front = proxy, &claims).await;
    for head in heads {
        is_ours(&head, "198.51.100.7");
        assert!(headers(&head, "cf-connecting-ip").is_empty(), "{head}");
    }
}

#[tokio::test]
async fn a_loopback_peer_with_forwarding_evidence_is_a_tunnel_and_refused() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    for claim in FORWARDING {
        let response = over_h1(&house, with(&[claim])).await;
        assert_eq!(
            (response.status().as_u16(), code(&response)),
            (403, Some("tunnel-undeclared")),
            "{claim:?}"
        );
        let response = over_h2(&house, with(&[claim])).await;
        assert_eq!(
            (response.status().as_u16(), code(&response)),
            (403, Some("tunnel-undeclared")),
            "{claim:?}"
        );
        let answer = raw(
            &house,
            &handshake("/", &(lines(&[claim]) + "x-close: 1\r\n"))
                .replace("keep-alive, Upgrade", "close, Upgrade"),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{claim:?}: {answer}");
    }
    assert!(gateway.heads().is_empty());
}

#[tokio::test]
async fn this_machine_by_a_loopback_name_is_local_and_gets_no_forwarding_header() {
    let gateway = Gateway::echo().await;
    let mut house = House::open(gateway.address).await;
    let mut client = h1(&house, "localhost").await;
    let mut request = with(&IDENTITY);
    request.headers_mut().insert("host", "localhost:8443".parse().unwrap());
    assert_eq!(client.send_request(request).await.unwrap().status(), 200);
    assert_eq!(house.record().await.client.to_string(), "127.0.0.1");
    let head = gateway.heads().pop().unwrap();
    assert_eq!(header(&head, "host").as_deref(), Some("localhost:8443"));
    assert!(!head.to_ascii_lowercase().contains("forwarded"), "{head}");
    assert!(!head.to_ascii_lowercase().contains("tailscale"), "{head}");
}

#[tokio::test]
async fn an_own_name_without_an_own_address_is_refused() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    house.change(|settings| settings.own.v4 = None);
    let response = over_h1(&house, get("/")).await;
    assert_eq!((response.status().as_u16(), code(&response)), (403, Some("client-unattributable")));
    assert!(gateway.heads().is_empty());
}
