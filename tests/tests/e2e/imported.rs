//! Certificates of the user's own, and names that want certificates from their clients.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, House, Https, eventually};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const NAME: &str = "home.example";
const PATIENCE: Duration = Duration::from_secs(60);

/// An authority of the user's own, made with OpenSSL, and what it signs.
struct Maker {
    folder: tempfile::TempDir,
}

impl Maker {
    fn new() -> Self {
        let maker = Self { folder: tempfile::tempdir().unwrap() };
        maker.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 \
             -subj /CN=ours -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
        );
        maker
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn openssl(&self, line: &str) {
        let mut openssl = Command::new("openssl");
        openssl.args(line.split_ascii_whitespace()).current_dir(self.folder.path());
        let done = openssl.output().expect("openssl is installed");
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// `<name>.pem` and `<name>.key`, for a server or a client.
    fn signs(&self, name: &str, key: &str, extensions: &str) {
        fs::write(self.path("extensions"), extensions.replace(';', "\n")).unwrap();
        self.openssl(&format!(
            "req -new -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out {name}.pem"
        ));
    }

    fn server(&self, name: &str, key: &str) {
        let extensions = format!("subjectAltName=DNS:{NAME};extendedKeyUsage=serverAuth");
        self.signs(name, key, &extensions);
    }
}

const ECDSA: &str = "ec -pkeyopt ec_paramgen_curve:P-256";

async fn open_house() -> Option<(House, Gatehouse, Maker)> {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return None;
    }
    let house = House::with_gateway().await;
    let gatehouse = house.open_to_lan().await;
    Some((house, gatehouse, Maker::new()))
}

/// The status of a request for the name, over TLS for the name.
async fn asks(client: &Https, house: &House) -> Result<u16, String> {
    let stream = client.tls(house.here.v4.into(), NAME, &["http/1.1"]).await.map_err(|e| e.to_string())?;
    asked_over(stream).await.map(|(status, _)| status)
}

/// The status of a request for the name, and the answer. A client that is refused hears it when it reads.
async fn asked_over(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(u16, String), String> {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(|e| e.to_string())?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| "no answer".to_owned())?, answer))
}

fn imported(list: &serde_json::Value) -> Vec<serde_json::Value> {
    let all = list["certificates"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|one| one["kind"] == "imported").collect()
}

#[tokio::test]
async fn a_certificate_from_openssl_is_served_for_its_name_until_it_is_undone() {
    let Some((house, gatehouse, maker)) = open_house().await else { return };
    maker.server("leaf", ECDSA);
    let client = house.there.https(&maker.read("ca.pem"));
    assert!(asks(&client, &house).await.is_err(), "nobody serves it yet");

    // A private authority is worth a remark.
    let (leaf, key) = (maker.text("leaf.pem"), maker.text("leaf.key"));
    let ran = gatehouse.run(&["cert", "import", &leaf, "--key", &key, "--json"]).await.ends_with(3);
    assert_eq!(ran.json()["state"], "committed", "{ran:?}");
    assert_eq!(asks(&client, &house).await, Ok(200));
    let status = gatehouse.status().await;
    let urls: Vec<_> = status["addresses"].as_array().unwrap().iter().map(|one| one["url"].clone()).collect();
    assert!(urls.contains(&format!("https://{NAME}").into()), "{urls:?}");
    assert!(
        house.gateway.config_value().to_string().contains(&format!("https://{NAME}")),
        "its origin is allowed"
    );
    let list = gatehouse.run(&["cert", "list", "--json"]).await.json();
    assert_eq!(imported(&list)[0]["names"], serde_json::json!([NAME]), "{list}");
    let local = house.there.https(&gatehouse.ca().await);
    assert_eq!(local.get(house.here.v4, "/healthz").await.status, 200, "addresses have the local one");

    gatehouse.run(&["undo"]).await.succeeds();
    assert!(asks(&client, &house).await.is_err());
    assert!(!house.gateway.config_value().to_string().contains(NAME), "its origin is gone");

    // The same as PKCS#12, with the password in a file, and then a key that does not fit.
    fs::write(maker.path("password"), "correct horse\n").unwrap();
    maker.openssl(
        "pkcs12 -export -inkey leaf.key -in leaf.pem -certfile ca.pem -passout file:password -out leaf.p12",
    );
    let (bundle, password) = (maker.text("leaf.p12"), maker.text("password"));
    gatehouse.run(&["cert", "import", &bundle, "--json"]).await.ends_with(1);
    gatehouse.run(&["cert", "import", &bundle, "--password-file", &password]).await.ends_with(3);
    assert_eq!(asks(&client, &house).await, Ok(200));
    maker.server("other", ECDSA);
    let other = maker.text("other.key");
    let refused = gatehouse.run(&["cert", "import", &leaf, "--key", &other]).await.ends_with(1);
    assert!(refused.err.contains("belongs to none of the certificates"), "{refused:?}");
    assert_eq!(asks(&client, &house).await, Ok(200), "the old one stays");
    gatehouse.run(&["cert", "remove", NAME, "--yes"]).await.succeeds();
    assert!(asks(&client, &house).await.is_err());
}

#[tokio::test]
async fn watched_files_are_swapped_under_a_live_websocket_and_half_a_pair_is_not() {
    let Some((house, gatehouse, maker)) = open_house().await else { return };
    for name in ["one", "two", "three"] {
        maker.server(name, ECDSA);
    }
    let live = maker.path("live");
    fs::create_dir(&live).unwrap();
    let link = |file: &str, to: &str| {
        let next = live.join("next");
        symlink(maker.path(to), &next).unwrap();
        fs::rename(next, live.join(file)).unwrap();
    };
    link("fullchain.pem", "one.pem");
    link("privkey.pem", "one.key");
    let at = |file: &str| live.join(file).display().to_string();
    let (chain, key) = (at("fullchain.pem"), at("privkey.pem"));
    gatehouse.run(&["cert", "import", &chain, "--key", &key, "--watch"]).await.ends_with(3);
    let client = house.there.https(&maker.read("ca.pem"));
    let shown = async || client.fingerprint_of(house.here.v4.into(), NAME).await;
    let first = shown().await;
    let mut socket = client.websocket_by_name(house.here.v4.into(), NAME).await.expect("it is upgraded");

    link("privkey.pem", "two.key");
    let problem = |list: &serde_json::Value| imported(list)[0]["problem"]["because"].to_string();
    eventually("the half pair is told", PATIENCE, async || {
        let list = gatehouse.run(&["cert", "list", "--json"]).await.json();
        problem(&list).contains("belongs to none").then_some(())
    })
    .await;
    assert_eq!(shown().await, first, "the last good pair is served");
    link("fullchain.pem", "two.pem");
    let second = eventually("the new pair is served", PATIENCE, async || {
        let now = shown().await;
        (now != first).then_some(now)
    })
    .await;

    // In place, and broken in between.
    fs::write(maker.path("two.pem"), "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    eventually("the broken file is told", PATIENCE, async || {
        let list = gatehouse.run(&["cert", "list", "--json"]).await.json();
        (problem(&list) != "null").then_some(())
    })
    .await;
    assert_eq!(shown().await, second);
    fs::copy(maker.path("three.key"), maker.path("two.key")).unwrap();
    fs::copy(maker.path("three.pem"), maker.path("two.pem")).unwrap();
    eventually("the third pair is served", PATIENCE, async || (shown().await != second).then_some(())).await;
    assert!(socket.is_alive().await, "three certificates dropped no connection");
}

#[tokio::test]
async fn only_clients_with_a_certificate_of_ours_get_in_at_a_name_until_it_is_taken_back() {
    let Some((house, gatehouse, maker)) = open_house().await else { return };
    maker.server("leaf", ECDSA);
    let (leaf, key) = (maker.text("leaf.pem"), maker.text("leaf.key"));
    gatehouse.run(&["cert", "import", &leaf, "--key", &key]).await.ends_with(3);
    let refused = gatehouse.run(&["cert", "clients", "require", NAME]).await.ends_with(2);
    assert!(refused.err.contains("No client has a certificate yet"), "{refused:?}");
    let client = house.there.https(&maker.read("ca.pem"));
    let mut given = Vec::new();
    for label in ["phone", "laptop"] {
        let out = maker.text(&format!("{label}.pem"));
        let words = ["cert", "clients", "issue", label, "--out", &out, "--format", "pem"];
        gatehouse.run(&words).await.succeeds();
        given.push(client.clone().with_certificate(&maker.read(&format!("{label}.pem"))));
    }
    let before = client.tls(house.here.v4.into(), NAME, &["http/1.1"]).await.unwrap();
    gatehouse.run(&["cert", "clients", "require", NAME]).await.succeeds();

    let none = asks(&client, &house).await.unwrap_err();
    assert!(none.contains("CertificateRequired"), "{none}");
    let (status, answer) = asked_over(before).await.unwrap();
    assert_eq!(status, 421);
    assert!(answer.contains("x-gatehouse-error: client-certificate-required"), "{answer}");
    for client in &given {
        assert_eq!(asks(client, &house).await, Ok(200));
    }
    maker.signs("stranger", ECDSA, "extendedKeyUsage=clientAuth");
    let stranger = format!("{}{}", maker.read("stranger.pem"), maker.read("stranger.key"));
    assert!(asks(&client.clone().with_certificate(&stranger), &house).await.is_err());
    // By address, which names nothing in TLS, and over HTTP/2 of another name.
    let local = house.there.https(&gatehouse.ca().await);
    let around = local.h1(house.here.v4).await.get(NAME, "/healthz", &[]).await;
    assert_eq!((around.status, around.edge_error()), (421, "client-certificate-required"));
    assert_eq!(local.get(house.here.v4, "/healthz").await.status, 200, "other addresses ask nobody");
    gatehouse
        .status_when("the address is proven all the same", |status| status["actual"]["state"] == "on")
        .await;

    let mut socket = given[0].websocket_by_name(house.here.v4.into(), NAME).await.expect("it is upgraded");
    let mut stays = given[1].websocket_by_name(house.here.v4.into(), NAME).await.expect("it is upgraded");
    gatehouse.run(&["cert", "clients", "revoke", "phone", "--yes"]).await.succeeds();
    let (_, _) = socket.end(Duration::from_secs(20)).await;
    let revoked = asks(&given[0], &house).await.unwrap_err();
    assert!(revoked.contains("CertificateRevoked"), "{revoked}");
    assert!(stays.is_alive().await);
    assert_eq!(asks(&given[1], &house).await, Ok(200));
    let log = fs::read_to_string(newest_log(&gatehouse.home)).unwrap();
    assert!(log.contains("\"client_certificate\":\"laptop sha256:"), "{log}");

    // Somebody else's authority, with a list that it keeps.
    maker.signs("worker", ECDSA, "extendedKeyUsage=clientAuth");
    let worker = format!("{}{}", maker.read("worker.pem"), maker.read("worker.key"));
    let worker = client.clone().with_certificate(&worker);
    let ca = maker.text("ca.pem");
    gatehouse.run(&["cert", "clients", "require", NAME, "--ca", &ca]).await.succeeds();
    assert_eq!(asks(&worker, &house).await, Ok(200));
    assert!(asks(&given[1], &house).await.is_err());
    gatehouse.run(&["undo"]).await.succeeds();
    assert!(asks(&worker, &house).await.is_err());
    assert_eq!(asks(&given[1], &house).await, Ok(200));
    gatehouse.run(&["cert", "clients", "off", NAME, "--yes"]).await.succeeds();
    assert_eq!(asks(&client, &house).await, Ok(200));
}

fn newest_log(home: &Path) -> PathBuf {
    home.join("logs/access.jsonl")
}
