//! Disks, files and ports that do not cooperate.

use std::path::Path;
use std::process::Command;

use gatehouse_tests::House;
use gatehouse_tests::need::{self, Part};

fn mount(arguments: &[&str], at: &Path) {
    let done = Command::new("mount").args(arguments).arg(at).output().expect("mount starts");
    assert!(done.status.success(), "mount {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Fills the file system below `folder` to the last byte.
fn fill(folder: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("everything")).expect("a file can be made");
    for size in [4096, 512, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_opened_and_nothing_is_broken() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let gatehouse = house.gatehouse();
    std::fs::create_dir_all(&gatehouse.home).expect("a folder can be made");
    mount(&["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs"], &gatehouse.home);
    let config = house.gateway.config_bytes();
    let gatehouse = house.serve().await;
    fill(&gatehouse.home);

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--yes"]).await;

    assert!(ran.code != 0 && ran.code != 3, "{ran:?}");
    assert!(ran.text().contains("storage"), "{}", ran.text());
    assert_eq!(house.gateway.config_bytes(), config);
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
    assert_eq!(gatehouse.status().await["desired"]["state"], "off");

    std::fs::remove_file(gatehouse.home.join("everything")).expect("space can be made");
    let ran = gatehouse.run(&["open", "--to", "lan", "--yes"]).await;
    assert!([0, 3].contains(&ran.code), "with space again: {ran:?}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_written_is_named_and_everything_is_rolled_back() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let config = house.gateway.config_bytes();
    let folder = house.gateway.state();
    mount(&["--bind", folder.to_str().expect("letters")], &folder);
    mount(&["-o", "remount,ro,bind"], &folder);
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--yes"]).await;

    assert!(ran.code != 0 && ran.code != 3, "{ran:?}");
    assert!(ran.text().contains("openclaw.json"), "{}", ran.text());
    assert_eq!(house.gateway.config_bytes(), config);
    assert!(house.there.connect((house.here.v4, 443).into()).await.is_err());
    assert_eq!(gatehouse.status().await["desired"]["state"], "off");
}

const HOLDER: &str = "import socket, time\n\
    sockets = []\n\
    for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):\n\
    \x20   s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
    \x20   if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n\
    \x20   s.bind((address, 443)); s.listen(); sockets.append(s)\n\
    time.sleep(1000)\n";

async fn hold_443(house: &House) -> tokio::process::Child {
    let holder = house.here.command("python3").args(["-c", HOLDER]).spawn().expect("python starts");
    gatehouse_tests::eventually("the port is held", std::time::Duration::from_secs(20), async || {
        house.here.connect((house.here.v4, 443).into()).await.ok()
    })
    .await;
    holder
}

#[tokio::test]
async fn a_port_that_another_program_holds_is_refused_with_its_name() {
    if !need::parts(&[Part::Machines, Part::Program]) {
        return;
    }
    let house = House::with_stopped_gateway();
    let holder = hold_443(&house).await;
    let config = house.gateway.config_bytes();
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["--json", "open", "--to", "lan", "--port", "443", "--yes"]).await;

    assert!([6, 8].contains(&ran.code), "{ran:?}");
    assert!(ran.text().contains("port-taken"), "{}", ran.text());
    assert!(ran.text().contains("python3"), "{}", ran.text());
    assert!(ran.text().contains(&holder.id().expect("it runs").to_string()), "{}", ran.text());
    assert_eq!(house.gateway.config_bytes(), config);
}

#[tokio::test]
async fn where_443_is_taken_8443_is_used_and_the_reason_is_told() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let house = House::with_gateway().await;
    let _holder = hold_443(&house).await;
    let gatehouse = house.serve().await;

    let ran = gatehouse.run(&["open", "--to", "lan", "--yes"]).await;

    assert!([0, 3].contains(&ran.code), "{ran:?}");
    let status = gatehouse.status().await;
    assert_eq!(status["listener"]["port"], 8443);
    assert!(
        status["listener"]["port_reason"].as_str().is_some_and(|why| why.contains("python3")),
        "{status}"
    );
    let client = house.there.https(&gatehouse.ca().await).at_port(8443);
    assert_eq!(client.get(house.here.v4, "/healthz").await.status, 200);
}
