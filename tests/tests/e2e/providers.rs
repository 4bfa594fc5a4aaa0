//! Who proves names elsewhere: a name server that takes updates, Cloudflare's API, and accounts on an authority's web site.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Authority, Cloudflare, Gatehouse, House, Line, Moods};
use serde_json::Value;

const NAME: &str = "home.gatehouse-story.org";
const WILDCARD: &str = "*.gatehouse-story.org";
const RECORD: &str = "_acme-challenge.gatehouse-story.org";

fn ready(more: &[Part]) -> bool {
    let usual = [Part::Machines, Part::OpenClaw, Part::Program, Part::Pebble];
    need::parts(&[&usual[..], more].concat())
}

async fn attempts(gatehouse: &Gatehouse) -> Vec<Value> {
    let log = gatehouse.run(&["cert", "acme", "log", "--json"]).await.succeeds().json();
    log["attempts"].as_array().cloned().unwrap_or_default()
}

/// Whether any file of the folder that others than its owner may read, or that is none of secrets, holds this text.
fn leaks(folder: &Path, secret: &str) -> bool {
    let inside = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    inside.filter(|path| !path.ends_with("secrets")).any(|path| match path.is_dir() {
        true => leaks(&path, secret),
        false => String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).contains(secret),
    })
}

/// Ends with a warning, or well where the certificate is on its way already.
async fn set_up_while_one_is_missing(authority: &Authority, gatehouse: &Gatehouse, words: &[&str]) {
    let ran = authority.set_up(gatehouse, words).await;
    assert!([0, 3].contains(&ran.code), "{}", ran.text());
}

/// Opens the name and has it served with what is there already.
async fn opens_and_is_seen(house: &House, gatehouse: &Gatehouse, authority: &Authority) {
    let orders = authority.orders();
    gatehouse.run(&["open", "--to", "internet", "--host", NAME, "--yes"]).await.succeeds();
    assert_eq!(authority.orders(), orders, "the wildcard is enough");
    let client = house.there.https(&authority.root().await);
    client.tls(house.here.v4.into(), NAME, &["http/1.1"]).await.expect("the wildcard is served");
}

#[tokio::test]
async fn a_name_server_that_takes_signed_updates_proves_a_wildcard_with_nothing_open() {
    if !ready(&[Part::Bind]) {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::with(&house, Moods { bind: true, ..Moods::default() }).await;
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;
    let server = format!("{}:53", house.there.v4);
    let words = |secret: &str| {
        let file = authority.secret_file(secret);
        let words =
            ["--way", "dns-01", "--dns", "rfc2136", "--dns-server", &server, "--dns-zone", Authority::ZONE];
        let key = ["--dns-key-name", Authority::TSIG.0, "--secret-file", &file, "--dns-settle", "5s"];
        words.into_iter().chain(key).map(str::to_owned).collect::<Vec<_>>()
    };

    // A key that the name server does not know sets nothing, and the reason says so.
    let wrong = words("bm90IHRoZSBrZXkgb2YgdGhpcyBuYW1lIHNlcnZlcg==");
    let wrong: Vec<&str> =
        [WILDCARD, Authority::ZONE].into_iter().chain(wrong.iter().map(String::as_str)).collect();
    let refused = authority.set_up(&gatehouse, &wrong).await.ends_with(1);
    assert!(refused.text().contains("refuses the key"), "{}", refused.text());
    assert!(!authority.name_server_said().contains("adding an RR"));

    let right = words(Authority::TSIG.1);
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    set_up_while_one_is_missing(&authority, &gatehouse, &right).await;
    gatehouse.run(&["cert", "acme", "renew"]).await.succeeds();
    let said = authority.name_server_said();
    assert!(said.contains("/key gatehouse: updating zone"), "{said}");
    assert_eq!(said.matches("adding an RR at '_acme-challenge").count(), 2, "one for each name: {said}");
    assert_eq!(authority.txt(RECORD).await, Vec::<String>::new(), "the records are gone");
    assert!(!leaks(&gatehouse.home, Authority::TSIG.1), "the key lies in a file that is none of secrets");

    opens_and_is_seen(&house, &gatehouse, &authority).await;
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.succeeds();
    let all = attempts(&gatehouse).await;
    assert_eq!(all.iter().filter(|one| one["problem"].is_null()).count(), 2, "{all:?}");
}

#[tokio::test]
async fn cloudflares_api_proves_a_wildcard_and_keeps_no_record() {
    if !ready(&[]) {
        return;
    }
    const TOKEN: &str = "Fq8hcXWmWf3w2tHb-5rY7vXyZ0aBcDeFgHiJkLmN";
    let house = House::with_gateway().await;
    let authority = Arc::new(Authority::start(&house).await);
    let cloudflare = Cloudflare::start(Arc::clone(&authority), TOKEN, Authority::ZONE).await;
    let mut gatehouse = authority.gatehouse(&house).with("GATEHOUSE_TEST_CLOUDFLARE", &cloudflare.url());
    gatehouse.serve(&[]).await;

    let file = authority.secret_file("another token");
    let words = ["--way", "dns-01", "--dns", "cloudflare", "--secret-file", &file];
    let refused = authority.set_up(&gatehouse, &[&[WILDCARD][..], &words].concat()).await.ends_with(1);
    assert!(refused.text().contains("Cloudflare refuses"), "{}", refused.text());
    assert_eq!(cloudflare.counts().1, 0);

    let _ = authority.secret_file(TOKEN);
    set_up_while_one_is_missing(&authority, &gatehouse, &words).await;
    gatehouse.run(&["cert", "acme", "renew"]).await.succeeds();
    let (there, made, refused) = cloudflare.counts();
    assert_eq!((there, made), (0, 1), "a record was made and taken away");
    assert!(refused > 0);
    assert!(!leaks(&gatehouse.home, TOKEN), "the token lies in a file that is none of secrets");

    opens_and_is_seen(&house, &gatehouse, &authority).await;
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.succeeds();
    assert_eq!(cloudflare.counts(), (0, 2, refused));
    only_a_tunnel_reaches(&house, &gatehouse, &authority).await;
}

/// The name is opened for this machine alone: a tunnel on it brings its clients, and nobody else comes.
async fn only_a_tunnel_reaches(house: &House, gatehouse: &Gatehouse, authority: &Authority) {
    let declared = gatehouse.run(&["--json", "front", "tunnel"]).await.succeeds().json();
    let secret = (declared["header"].as_str().unwrap(), declared["secret"].as_str().unwrap());
    gatehouse.run(&["open", "--to", "mac", "--host", NAME, "--yes"]).await.succeeds();
    let root = authority.root().await;
    let tunnel = house.here.https(&root).tls(Ipv4Addr::LOCALHOST.into(), NAME, &["http/1.1"]).await;
    let mut tunnel = Line::over(tunnel.expect("the name's certificate"));
    let answer = tunnel.get(NAME, "/readyz", &[("CF-Connecting-IP", "198.51.100.7"), secret]).await;
    assert_eq!((answer.status, answer.json()), (200, serde_json::json!({"ready": true})), "{answer:?}");
    let other = house.there.https(&root).tls(house.here.v4.into(), NAME, &["http/1.1"]).await;
    assert!(other.is_err(), "another machine is turned away");
}

#[tokio::test]
async fn an_authority_that_wants_an_account_of_its_web_site_gets_one() {
    if !ready(&[]) {
        return;
    }
    let house = House::with_gateway().await;
    let authority = Authority::with(&house, Moods { external: true, ..Moods::default() }).await;
    let mut gatehouse = authority.gatehouse(&house);
    gatehouse.serve(&[]).await;

    let refused = authority.set_up(&gatehouse, &[]).await.ends_with(1);
    assert!(refused.text().contains("--eab-kid"), "{}", refused.text());
    let (id, key) = Authority::EXTERNAL;
    let file = authority.secret_file("bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50IGF0IGFsbA");
    let words = ["--eab-kid", id, "--secret-file", &file];
    authority.set_up(&gatehouse, &words).await.ends_with(1);
    assert_eq!(authority.accounts(), 0);

    let _ = authority.secret_file(key);
    authority.set_up(&gatehouse, &words).await.succeeds();
    gatehouse.run(&["open", "--to", "internet", "--host", NAME, "--yes"]).await.succeeds();
    gatehouse.run(&["cert", "acme", "renew", "--force"]).await.succeeds();

    let status = gatehouse.run(&["--json", "cert", "acme", "status"]).await;
    let state = status.json();
    assert_eq!(state["authorities"][0]["external_key_id"], id, "{state}");
    assert!(state["authorities"][0]["account"].is_string(), "{state}");
    assert_eq!(attempts(&gatehouse).await.len(), 2);
    assert!(!status.text().contains(key) && !leaks(&gatehouse.home, key), "the key leaked");

    // Everything goes, and is told before.
    let told = gatehouse.run(&["--json", "close", "--purge", "--dry-run"]).await.json().to_string();
    for key in ["core.purge.account", "core.purge.public", "core.purge.attempts", "core.purge.secrets"] {
        assert!(told.contains(key), "{key}: {told}");
    }
    gatehouse.run(&["close", "--purge", "--yes"]).await;
    let left = gatehouse.home.join("certs/acme");
    assert!(fs::read_dir(left.join("accounts")).unwrap().next().is_none() && !left.join("public").exists());
    let state = gatehouse.run(&["--json", "cert", "acme", "status"]).await.json();
    assert_eq!(state["authorities"], serde_json::json!([]));
}
