//! The soak: the program as users get it, the real gateway behind it, and a thousand sockets in front, for an hour.
//!
//! `scripts/soak [MINUTES] [SOCKETS]` runs it (`scripts/week [MINUTES]` the week in which things go wrong). Paired devices on
//! two machines hold the sockets, each of which is asked for a sign of life all the time; requests come steadily over fresh and kept connections of HTTP/1.1 and HTTP/2. While they are
//! held, the allowed origins change, the certificate is renewed and the program reloads. Every minute says how much memory,
//! how many descriptors and threads the program has and how many sockets are alive.
//!
//! The verdict: every socket alive to the end, every request answered by the gateway, and memory, descriptors and threads
//! at the end where they were after the first minutes.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what fails here fails the soak, and its table is for people"
)]

mod process;
mod swaps;
mod traffic;
mod week;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{ConnectAs, Device, DeviceKey, Gatehouse, House, Https, TOKEN, eventually};
use process::Sample;
use traffic::Tally;

const PATIENCE: Duration = Duration::from_secs(120);
/// A client has so many connections to itself; this machine has no such limit.
const FROM_THERE: usize = 200;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test]
async fn a_thousand_sockets_live_for_an_hour_and_nothing_grows() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let minutes = number("GATEHOUSE_SOAK_MINUTES", 60);
    let sockets = number("GATEHOUSE_SOAK_SOCKETS", 1000);
    let (house, gatehouse) = open_house().await;
    let ca = gatehouse.ca().await;
    let (here, there) = (house.here.https(&ca), house.there.https(&ca));
    let tally = Arc::new(Tally::default());

    let began = Instant::now();
    hold(&house, &gatehouse, &there, 1, sockets.min(FROM_THERE), &tally).await;
    hold(&house, &gatehouse, &here, 2, sockets.saturating_sub(FROM_THERE), &tally).await;
    println!("{sockets} sockets were opened in {} s", began.elapsed().as_secs());
    traffic::steady(&there, house.here.v4, &tally);

    change_everything(&house, &gatehouse, &there).await;
    let changed = Instant::now();
    eventually("every socket has answered since", PATIENCE, async || tally.all_since(changed).then_some(()))
        .await;
    println!("lost at an origin change, a renewal and a reload: {}", tally.lost.load(Ordering::SeqCst));

    let mut samples = Vec::new();
    println!("minute  resident kB  descriptors  threads  alive  answered  failed");
    for minute in 0..=minutes {
        if minute > 0 {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let sample = Sample::of(gatehouse.pid(), &tally);
        println!("{minute:6}  {sample}");
        samples.push(sample);
    }
    let reasons = tally.reasons();
    let last = samples.last().expect("there is one");
    assert_eq!((last.alive, tally.lost.load(Ordering::SeqCst)), (sockets, 0), "sockets: {reasons:?}");
    assert_eq!(last.failed, 0, "requests: {reasons:?}");
    let verdict = process::verdict(&samples);
    println!("{verdict}");
    assert!(verdict.flat, "{verdict}");
}

async fn open_house() -> (House, Gatehouse) {
    let house = House::with_gateway().await;
    let gatehouse = house.serve().await;
    // On a busy machine the gateway may be too slow for the first proof.
    eventually("it is open", 2 * PATIENCE, async || {
        (gatehouse.run(&["open", "--to", "lan", "--yes"]).await.code == 0).then_some(())
    })
    .await;
    (house, gatehouse)
}

/// Pairs a device on this machine and opens so many sockets with it.
async fn hold(house: &House, gatehouse: &Gatehouse, from: &Https, key: u8, count: usize, tally: &Arc<Tally>) {
    pair(house, gatehouse, from, key).await;
    let (key, phone) = (DeviceKey::number(key), ConnectAs::phone(TOKEN));
    for _ in 0..count {
        let socket = from.websocket(house.here.v4, &[]).await.expect("it is upgraded");
        let device = Device::connect(socket, &phone, Some(&key)).await.let_in();
        tally.watch(device);
    }
}

/// Has a device on this machine let in.
async fn pair(house: &House, gatehouse: &Gatehouse, from: &Https, key: u8) {
    let key = DeviceKey::number(key);
    let knock = from.websocket(house.here.v4, &[]).await.expect("it is upgraded");
    let told = Device::connect(knock, &ConnectAs::phone(TOKEN), Some(&key)).await.refused_with();
    assert_eq!(told, "PAIRING_REQUIRED");
    gatehouse.run(&["devices", "approve", &key.id(), "--yes"]).await.succeeds();
}

/// What must not cost a connection: other origins, another certificate, and the same settings read again.
async fn change_everything(house: &House, gatehouse: &Gatehouse, client: &Https) {
    let to = house.here.v4;
    gatehouse.run(&["origins", "add", "https://panel.example"]).await.succeeds();
    let before = client.fingerprint(to).await;
    house.here.gain_address(Ipv4Addr::new(192, 168, 77, 11).into());
    eventually("the certificate names the new address", PATIENCE, async || {
        (client.fingerprint(to).await != before).then_some(())
    })
    .await;
    gatehouse.run(&["open", "--to", "lan", "--yes"]).await;
    gatehouse.run(&["origins", "remove", "https://panel.example"]).await.succeeds();
}
