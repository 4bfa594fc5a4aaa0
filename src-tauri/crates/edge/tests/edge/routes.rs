//! Requests that are treated in a way of their own.

use crate::kit::client::*;
use crate::kit::gateway::{Call, Gateway, header};
use crate::kit::{House, LONG, NAME};
use gatehouse_edge::Routes;
use http::Request;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn route(house: &House, routes: &str) {
    let routes: Routes = routes.parse().unwrap();
    house.change(|settings| settings.routes = routes);
}

fn ask(host: &str, path: &str) -> Request<Body> {
    Request::get(path).header("host", host).body(empty()).unwrap()
}

/// One request on a connection that asked for no name.
async fn over(house: &House, request: Request<Body>) -> http::Response<hyper::body::Incoming> {
    h1(house, "127.0.0.1").await.send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_name_of_its_own_serves_only_its_routes() {
    let gateway = Gateway::echo().await;
    let house = House::open(gateway.address).await;
    route(&house, "api.example.net/v1 api body=4");
    assert_eq!(over(&house, ask("api.example.net", "/v1/models")).await.status(), 200);
    for path in ["/", "/chat", "/v1/../chat", "/v1/%2e%2e/chat"] {
        let refused = over(&house, ask("api.example.net", path)).await;
        assert_eq!((refused.status().as_u16(), code(&refused)), (404, Some("not-routed")), "{path}");
    }
    assert_eq!(over(&house, ask(NAME, "/chat")).await.status(), 200, "other names serve all");
    let post = |body: &'static str| {
        Request::post("/v1/x").header("host", "api.example.net").body(full(body)).unwrap()
    };
    assert_eq!(over(&house, post("1234")).await.status(), 200);
    let refused = over(&house, post("12345")).await;
    assert_eq!((refused.status().as_u16(), code(&refused)), (413, Some("body-too-large")));
    assert_eq!(gateway.heads().len(), 3);
}

#[tokio::test]
async fn a_wildcard_leads_to_a_port_of_its_own_websockets_too() {
    let gateway = Gateway::echo().await;
    let portals = Gateway::start(|mut call: Call| async move {
        while let Some(head) = call.head().await {
            if header(&head, "upgrade").is_some() {
                call.accept(&head).await;
                call.rest().await;
                return;
            }
            call.ok("portal").await;
        }
    })
    .await;
    let house = House::open(gateway.address).await;
    route(&house, &format!("*.preview.example.net/ interactive port={}", portals.address.port()));
    let response = over(&house, ask("x7.preview.example.net:8443", "/app")).await;
    assert_eq!(text(response).await, "portal");
    let mut stream = tls(&house, "127.0.0.1", "http/1.1").await.unwrap();
    let handshake = handshake("/live", "").replace(NAME, "x7.preview.example.net");
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(header(&portals.heads()[0], "host").as_deref(), Some("x7.preview.example.net:8443"));
    assert_eq!(over(&house, ask("preview.example.net", "/")).await.status(), 421);
    assert_eq!(gateway.connections(), 0);
    // A portal that nobody serves is no restart of the gateway.
    portals.stop().await;
    let began = std::time::Instant::now();
    let gone = over(&house, ask("x8.preview.example.net", "/")).await;
    assert_eq!((gone.status().as_u16(), code(&gone)), (503, Some("gateway-restarting")));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(over(&house, ask(NAME, "/")).await.status(), 200);
}

#[tokio::test]
async fn a_frozen_gateway_is_waited_for_only_where_that_was_promised() {
    // It takes connections and says nothing, like a process that is stopped.
    let gateway = Gateway::start(|mut call: Call| async move {
        call.rest().await;
    })
    .await;
    let house = House::open(gateway.address).await;
    route(&house, "/v1 api");
    house.change(|settings| settings.limits.first_byte_api = Duration::from_millis(200));
    let patient = over(&house, ask(NAME, "/chat"));
    let api = async {
        let response = over(&house, ask(NAME, "/v1/models")).await;
        assert_eq!((response.status().as_u16(), code(&response)), (504, Some("gateway-timeout")));
    };
    tokio::select! {
        response = patient => panic!("{response:?}"),
        done = tokio::time::timeout(LONG, api) => done.unwrap(),
    }
}
