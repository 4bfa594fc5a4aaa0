//! The program is killed (SIGKILL) at every stage of an issuance, in a process of its own, and started again.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use gatehouse_certs::acme::Stage;
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
}

const STAGES: [Stage; 10] = [
    Stage::Begun,
    Stage::KeySaved,
    Stage::Placed,
    Stage::OrderSaved,
    Stage::Published,
    Stage::Asked,
    Stage::Proven,
    Stage::Finalized,
    Stage::Downloaded,
    Stage::Stored,
];

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
    let roots = vec![CertificateDer::from(orders.root)];
    let ports = Ports { tls: orders.tls, http: orders.http };
    let house = House::in_folder(folder, ports, roots, Some(watcher)).await;
    house.authority(&orders.directory).wants(&[NAME]).tick().await;
}

#[tokio::test]
async fn killed_at_any_stage_it_loses_no_account_and_no_certificate_and_places_at_most_one_order_more() {
    if !have("pebble") {
        return;
    }
    for at in STAGES {
        let ports = Ports::free();
        let pebble = Pebble::start(ports, &Moods::default());
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let orders = Orders {
            folder: folder.path().to_owned(),
            tls: ports.tls,
            http: ports.http,
            directory: pebble.directory.clone(),
            root: pebble.root.to_vec(),
            at,
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
        let house = house.authority(&pebble.directory).wants(&[NAME]);
        let mut status = house.one().await;
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
