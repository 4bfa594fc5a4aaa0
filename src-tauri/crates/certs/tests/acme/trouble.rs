//! What goes wrong with real authorities.

use std::process::{Child, Command, Stdio};

use gatehouse_certs::acme::{Cause, ChallengeKind, Identifier};
use gatehouse_certs::renewal::plan::Next;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::kit::pebble::{Moods, Pebble};
use crate::kit::{House, LONG, Ports, failure, free_port, have, shown};

async fn house(moods: &Moods, names: &str) -> Option<(Pebble, House)> {
    if !have("pebble") {
        return None;
    }
    let ports = Ports::free();
    let pebble = Pebble::start(ports, moods);
    let house = House::open(ports, vec![pebble.root.clone()]).await.authority(&pebble.directory);
    Some((pebble, house.wants(&[names])))
}

#[tokio::test]
async fn bad_nonces_are_borne_at_one_in_twenty_and_at_one_in_two() {
    for bad_nonces in [5, 50] {
        let moods = Moods { bad_nonces, ..Moods::default() };
        let Some((pebble, house)) = house(&moods, "a.example.org b.example.org").await else { return };
        let status = house.one().await;
        assert!(status.facts.is_some(), "{bad_nonces} %: {:?}", status.record.setbacks);
        assert!(pebble.requests("order-plz") >= 1);
    }
}

#[tokio::test]
async fn a_slow_authority_is_waited_for() {
    let moods = Moods { slow: Some(3), ..Moods::default() };
    let Some((_pebble, house)) = house(&moods, "home.example.org").await else { return };
    assert!(house.one().await.facts.is_some());
}

#[tokio::test]
async fn an_authority_that_lost_its_memory_gets_a_new_account() {
    let Some((mut pebble, house)) = house(&Moods::default(), "home.example.org").await else { return };
    let first = house.one().await.facts.unwrap();
    pebble.restart();
    house.renewal.ask_now(None, true);

    let status = house.one().await;

    assert_ne!(status.facts.unwrap().sha256, first.sha256);
    assert!(status.record.setbacks.is_empty(), "{:?}", status.record.setbacks);
}

#[tokio::test]
async fn an_unreachable_authority_costs_nothing_and_is_asked_again_soon() {
    let Some((mut pebble, house)) = house(&Moods::default(), "home.example.org").await else { return };
    let first = house.one().await.facts.unwrap();
    pebble.stop();
    let later = OffsetDateTime::now_utc() + Duration::days(80);
    let mut now = later;
    for _ in 0..12 {
        let status = house.tick_at(now).await.remove(0);
        assert_eq!(failure(&status).cause, Cause::Unreachable);
        assert_eq!(
            shown(&house.resolver, "home.example.org").as_ref(),
            Some(&first.sha256),
            "the old one is served"
        );
        let next = status.next_attempt().unwrap();
        assert!(next <= now + Duration::minutes(11), "{}", next - now);
        now = next;
    }
    pebble.restart();
    assert_ne!(house.tick_at(now).await.remove(0).facts.unwrap().sha256, first.sha256);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_told_with_what_the_authority_saw_and_within_its_limits() {
    let Some((pebble, house)) = house(&Moods::default(), "home.example.org").await else { return };
    // A port on which nobody listens, and a name that nobody knows.
    pebble.tell_dns("add-a", &json!({ "host": "home.example.org.", "addresses": ["127.0.0.9"] }));
    let status = house.one().await;
    let told = failure(&status);
    assert!(matches!(told.cause, Cause::Connection | Cause::WrongAnswer), "{told:?}");
    assert!(told.detail.starts_with("home.example.org: "), "{told}");

    let mut now = OffsetDateTime::now_utc();
    let end = now + Duration::hours(1);
    while now < end {
        house.renewal.ask_now(None, false);
        house.tick_at(now).await;
        now += Duration::minutes(5);
    }
    assert!(pebble.requests("order-plz") <= 4, "{} attempts", pebble.requests("order-plz"));
}

#[tokio::test]
async fn after_a_failure_the_other_port_is_tried() {
    if !have("pebble") {
        return;
    }
    let ports = Ports::free();
    // The authority looks for TLS on a port that is not ours, as behind a router that forwards only port 80.
    let pebble = Pebble::start(Ports { tls: free_port(), ..ports }, &Moods::default());
    let house = House::open(ports, vec![pebble.root.clone()]).await.authority(&pebble.directory);
    let house = house.ways(&[ChallengeKind::TlsAlpn, ChallengeKind::Http]).wants(&["home.example.org"]);
    let first = house.one().await;
    assert!(first.facts.is_none());

    let second = house.tick_at(first.next_attempt().unwrap()).await.remove(0);

    assert!(second.facts.is_some(), "{:?}", second.record.setbacks);
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_and_one_that_is_blocked_are_told_apart() {
    let Some((pebble, house)) = house(&Moods::default(), "servfail.example.org").await else { return };
    pebble.tell_dns("set-servfail", &json!({ "host": "servfail.example.org." }));
    let told = failure(&house.one().await);
    assert_eq!(told.cause, Cause::Dns, "{told:?}");

    let house = house.wants(&["blocked-domain.example"]);
    assert_eq!(failure(&house.one().await).cause, Cause::Rejected);
}

#[tokio::test]
async fn a_wildcard_without_a_dns_provider_is_told_before_anything_is_counted() {
    let Some((pebble, house)) = house(&Moods::default(), "*.example.org").await else { return };
    let status = house.one().await;
    assert_eq!(status.next, Next::NoWay);
    assert!(status.record.log.is_empty() && pebble.requests("POST /order-plz") == 0);
}

/// Caddy as an authority, on ports of its own; it asks on the real ports of the name.
struct Caddy {
    directory: String,
    root: CertificateDer<'static>,
    child: Child,
    _folder: TempDir,
}

impl Caddy {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (https, http) = (free_port(), free_port());
        let caddyfile = format!(
            "{{\n admin off\n skip_install_trust\n auto_https disable_redirects\n http_port {http}\n https_port {https}\n \
             storage file_system {data}\n}}\nhttps://localhost:{https} {{\n bind 127.0.0.1\n tls internal\n acme_server\n}}\n",
            data = folder.path().join("data").display()
        );
        std::fs::write(folder.path().join("Caddyfile"), caddyfile).unwrap();
        let child = Command::new("caddy")
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(folder.path().join("Caddyfile"))
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let root = folder.path().join("data/pki/authorities/local/root.crt");
        let listens = async {
            while !root.exists() || tokio::net::TcpStream::connect(("127.0.0.1", https)).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, listens).await.expect("caddy does not listen");
        let root = CertificateDer::from_pem_file(root).unwrap();
        let directory = format!("https://localhost:{https}/acme/local/directory");
        Self { directory, root, child, _folder: folder }
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Caddy asks on ports 80 and 443 of the name; whoever runs this may not be allowed to listen there.
fn may_use(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[tokio::test]
async fn another_authority_issues_while_the_first_is_down() {
    if !have("pebble") || !have("caddy") || !may_use(443) || !may_use(80) {
        return;
    }
    let ports = Ports { tls: 443, http: 80 };
    let (mut pebble, caddy) = (Pebble::start(ports, &Moods::default()), Caddy::start().await);
    let roots = vec![pebble.root.clone(), caddy.root.clone()];
    let house = House::open(ports, roots).await.authority(&pebble.directory).authority(&caddy.directory);
    pebble.stop();
    let house = house.wants(&["localhost"]);

    let mut now = OffsetDateTime::now_utc();
    let mut status = house.tick_at(now).await.remove(0);
    for _ in 0..4 {
        if status.facts.is_some() {
            break;
        }
        assert_eq!(failure(&status).cause, Cause::Unreachable);
        now = status.next_attempt().unwrap_or(now + Duration::SECOND);
        status = house.tick_at(now).await.remove(0);
    }

    let facts = status.facts.unwrap_or_else(|| panic!("{:?}", status.record));
    assert!(facts.issuer.contains("Caddy"), "{}", facts.issuer);
    assert_eq!(status.record.live.unwrap().directory, caddy.directory);
    assert_eq!(status.identifiers, [Identifier::Dns("localhost".into())]);
}
