//! The program is killed (SIGKILL) at every stage of an issuance, in a process of its own, and started again.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use gatehouse_certs::acme::{DnsProvider, Stage};
use gatehouse_certs::renewal::Status;
use rustls::pki_types::CertificateDer;
use tempfile::TempDir;

use crate::kit::pebble::{Moods, Pebble};
use crate::kit::{House, Ports, have, shown};

const CHILD: &str = "GATEHOUSE_CRASH_TEST";
const NAME: &str = "home.example.org";

#[derive(serde::Serialize, serde::Deserialize)]
struct Orders {
    folder: PathBuf,
    tls: u16,
    http: u16,
    directory: String,
    root: Vec<u8>,
    at: Stage,
    /// Prove by DNS records, and note in the folder `records` which there are.
    dns: Option<u16>,
}

/// Sets records at pebble's name server, and notes which there are.
struct Noted {
    server: u16,
    folder: PathBuf,
}

impl Noted {
    fn tell(&self, what: &str, body: &serde_json::Value) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}/{what}", self.server);
        let told = Command::new("curl").args(["-sf", "-X", "POST", "-d", &body.to_string(), &url]).status();
        told.map_err(|error| error.to_string())?.success().then_some(()).ok_or_else(|| what.to_owned())
    }
}

#[async_trait::async_trait]
impl DnsProvider for Noted {
    async fn present(&self, name: &str, value: &str) -> Result<(), String> {
        self.tell("set-txt", &serde_json::json!({ "host": format!("{name}."), "value": value }))?;
        std::fs::write(self.folder.join(value), name).map_err(|error| error.to_string())
    }

    async fn remove(&self, name: &str, value: &str) -> Result<(), String> {
        self.tell("clear-txt", &serde_json::json!({ "host": format!("{name}.") }))?;
        let _ = std::fs::remove_file(self.folder.join(value));
        Ok(())
    }

    fn settle(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

impl Orders {
    /// What is wanted, before and after.
    fn wanted(&self, house: House) -> House {
        let house = house.authority(&self.directory);
        match self.dns {
            Some(server) => house.dns(Arc::new(Noted { server, folder: self.folder.join("records") })),
            None => house,
        }
        .wants(&[NAME])
    }
}

/// Not a test by itself: what the other one runs, and kills itself where it is told to.
#[tokio::test]
async fn a_process_that_dies_at_its_stage() {
    let Some(orders) = std::env::var_os(CHILD) else { return };
    let orders: Orders = serde_json::from_str(orders.to_str().unwrap()).unwrap();
    let at = orders.at;
    let watcher = Arc::new(move |_: &[_], stage: Stage| {
        if stage == at {
            let _ = Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
            std::process::abort();
        }
    });
    let folder = TempDir::new_in(&orders.folder).unwrap();
    std::fs::remove_dir(folder.path()).unwrap();
    std::os::unix::fs::symlink(orders.folder.join("state"), folder.path()).unwrap();
    let roots = vec![CertificateDer::from(orders.root.clone())];
    let ports = Ports { tls: orders.tls, http: orders.http };
    let house = House::in_folder(folder, ports, roots, Some(watcher)).await;
    orders.wanted(house).tick().await;
}

/// Dies at `at`, starts again, and does what is due.
struct Again {
    house: House,
    pebble: Pebble,
    status: Status,
    folder: TempDir,
}

async fn dies_and_starts_again(at: Stage, by_dns: bool) -> Again {
    let ports = Ports::free();
    let pebble = Pebble::start(ports, &Moods::default());
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("state")).unwrap();
    std::fs::create_dir(folder.path().join("records")).unwrap();
    let orders = Orders {
        folder: folder.path().to_owned(),
        tls: ports.tls,
        http: ports.http,
        directory: pebble.directory.clone(),
        root: pebble.root.to_vec(),
        at,
        dns: by_dns.then_some(pebble.dns),
    };
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::a_process_that_dies_at_its_stage"])
        .env(CHILD, serde_json::to_string(&orders).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.signal(), Some(9), "{at:?}: it did not die: {status}");

    let state = TempDir::new_in(folder.path()).unwrap();
    std::fs::remove_dir(state.path()).unwrap();
    std::fs::rename(folder.path().join("state"), state.path()).unwrap();
    let house = House::in_folder(state, ports, vec![pebble.root.clone()], None).await;
    let house = orders.wanted(house);
    let status = house.one().await;
    Again { house, pebble, status, folder }
}

#[tokio::test]
async fn killed_at_any_stage_it_loses_no_account_and_no_certificate_and_places_at_most_one_order_more() {
    if !have("pebble") {
        return;
    }
    for at in Stage::ALL {
        let Again { house, pebble, mut status, folder: _folder } = dies_and_starts_again(at, false).await;
        // The authority may have asked while nobody was there to answer: that attempt is lost, and counted.
        if at == Stage::Asked && status.facts.is_none() {
            status = house.tick_at(status.next_attempt().unwrap()).await.remove(0);
        }

        let facts = status.facts.unwrap_or_else(|| panic!("{at:?}: {:?}", status.record.setbacks));
        assert_eq!(shown(&house.resolver, NAME), Some(facts.sha256.clone()), "{at:?}");
        assert_eq!(status.record.live.unwrap().sha256, facts.sha256, "{at:?}");
        let orders = pebble.requests("POST /order-plz");
        let most = if matches!(at, Stage::Placed | Stage::Asked) { 2 } else { 1 };
        assert!((1..=most).contains(&orders), "{at:?}: {orders} orders");
        assert_eq!(pebble.requests("There are now 2 accounts"), 0, "{at:?}");
        assert_eq!(house.renewal.accounts().len(), 1);
    }
}

#[tokio::test]
async fn killed_while_a_record_is_in_dns_it_takes_the_record_away_later() {
    if !have("pebble") || !have("curl") {
        return;
    }
    for at in [Stage::Published, Stage::Asked, Stage::Proven, Stage::Finalized, Stage::Downloaded] {
        let Again { house, pebble, status, folder } = dies_and_starts_again(at, true).await;

        assert!(status.facts.is_some(), "{at:?}: {:?}", status.record.setbacks);
        let left: Vec<_> = std::fs::read_dir(folder.path().join("records")).unwrap().flatten().collect();
        assert!(left.is_empty(), "{at:?}: {left:?}");
        assert_eq!(pebble.requests("POST /order-plz"), 1, "{at:?}");
        drop(house);
    }
}
