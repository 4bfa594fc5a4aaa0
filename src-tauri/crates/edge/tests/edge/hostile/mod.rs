//! Hostile clients: what a stranger can send, and what becomes of it.
//!
//! Cases are data (`tests/hostile/*.txt`, the format is in `script`). Each ends in the answer that stands beside it, and
//! whatever reaches the gateway is read by a reader of its own (`strict`) that knows one way to read a request and takes
//! no other. The bytes are kept beside the cases, so that a change in what the gateway gets is seen by a person.
//! `GATEHOUSE_GOLDEN=update` writes them anew.

mod h1;
mod h2;
mod recorder;
mod script;
mod strict;

use crate::kit::{House, settings};
use gatehouse_edge::{FrontProxy, Http2WebSockets};
use http::HeaderName;
use recorder::Recorder;
use script::Case;
use std::path::PathBuf;
use std::time::Duration;

/// More than any answer here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the cases are.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// An edge in front of a gateway that keeps every byte.
async fn house(recorder: &Recorder) -> House {
    let mut settings = settings(recorder.address);
    settings.limits.connection_rate = 100_000;
    settings.limits.connection_burst = 100_000;
    House::with(settings).await
}

/// Settings that a case asks for by name.
fn prepare(house: &House, case: &Case) {
    let (front, bridge, hurry) = (case.has("front"), case.has("8441"), case.has("hurry"));
    house.change(|settings| {
        settings.front = if front {
            let client_header = HeaderName::from_static("x-client");
            FrontProxy::Trusted { peers: vec!["127.0.0.0/8".parse().unwrap()], client_header }
        } else {
            FrontProxy::None
        };
        settings.websocket_over_h2 = if bridge { Http2WebSockets::Offered } else { Http2WebSockets::Off };
        settings.limits.body_stall = if hurry { Duration::from_millis(100) } else { PATIENCE };
    });
}

/// What the gateway got, compared with what is kept beside the cases.
fn compare(file: &str, seen: &str) {
    let path = folder().join(format!("{file}.upstream"));
    if std::env::var_os("GATEHOUSE_GOLDEN").is_some_and(|wish| wish == "update") {
        std::fs::write(&path, seen).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == seen,
        "{} is not what the gateway got; if that is right, GATEHOUSE_GOLDEN=update writes it anew.\n{}",
        path.display(),
        difference(&kept, seen)
    );
}

fn difference(kept: &str, seen: &str) -> String {
    let at = kept.lines().zip(seen.lines()).take_while(|(kept, seen)| kept == seen).count();
    let around = |text: &str| text.lines().skip(at.saturating_sub(4)).take(10).collect::<Vec<_>>().join("\n");
    format!("kept:\n{}\nseen:\n{}", around(kept), around(seen))
}

/// Ends the edge and waits for everything that was on the way: nothing more may reach the gateway than was expected.
async fn finish(house: House, recorder: Recorder, requests: usize) {
    drop(house);
    let all = recorder.finish().await;
    assert_eq!(all, requests, "requests that reached the gateway");
}
