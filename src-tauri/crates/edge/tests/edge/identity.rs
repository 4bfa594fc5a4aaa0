//! Whatever a client claims about itself, the gateway hears only what the edge knows.

use crate::kit::client::*;
use crate::kit::gateway::{Gateway, header, headers};
use crate::kit::{House, NAME, OWN};
use http::{HeaderName, HeaderValue, Request};

/// Claims that need no forwarding evidence, so that a loopback client is not taken for a tunnel.
const IDENTITY: [(&str, &str); 5] = [
    ("tailscale-user-login", "root@example"),
    ("x_openclaw_scopes", "operator.admin"),
    ("x-openclaw-scopes", "operator.admin"),
    ("cf-access-jwt-assertion", "forged"),
    ("x-request-id", "forged"),
];

/// Claims of a proxy.
const FORWARDING: [(&str, &str); 6] = [
    ("forwarded", "for=127.0.0.1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x_forwarded_for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("x-forwarded-user", "root"),
    ("x-forwarded-host", "localhost"),
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
fn is_ours(head: &str) {
    assert_eq!(header(head, "x-forwarded-for").as_deref(), Some(OWN), "{head}");
    assert_eq!(header(head, "x-forwarded-proto").as_deref(), Some("https"));
    assert_eq!(header(head, "x-forwarded-host"), header(head, "host"));
    assert_ne!(header(head, "x-request-id").as_deref(), Some("forged"));
    for (name, _) in IDENTITY.iter().chain(&FORWARDING).filter(|(name, _)| !name.starts_with("x-forwarded-"))
    {
        assert!(*name == "x-request-id" || headers(head, name).is_empty(), "{name} in {head}");
    }
    assert!(headers(head, "x-forwarded-user").is_empty(), "{head}");
}

#[tokio::test]
async fn forged_identity_never_reaches_the_gateway_over_any_protocol() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    assert_eq!(over_h1(&house, with(&IDENTITY)).await.status(), 200);
    assert_eq!(over_h2(&house, with(&IDENTITY)).await.status(), 200);
    let mut upgrade = tls(&house, NAME, "http/1.1").await.unwrap();
    let send = handshake("/", &lines(&IDENTITY));
    tokio::io::AsyncWriteExt::write_all(&mut upgrade, send.as_bytes()).await.unwrap();
    read_head(&mut upgrade).await;
    let heads = gateway.heads();
    assert_eq!(heads.len(), 3);
    heads.iter().for_each(|head| is_ours(head));
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
