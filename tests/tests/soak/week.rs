//! A week in an hour: what happens to a Mac on a shelf in a week, one thing a minute, while devices stay connected and
//! requests come.
//!
//! The gateway restarts and crashes, an address comes and goes, the clock jumps six hours and back, the gateway's token is
//! replaced, the certificate is renewed. After each of them a stranger's request and every device must get through
//! again within two minutes by themselves; at the end memory, descriptors and threads are where they were.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Admission, ConnectAs, Device, DeviceKey, Gatehouse, House, Https, TOKEN, eventually};

use crate::process::{self, Sample};
use crate::traffic::{self, Tally};
use crate::{PATIENCE, number};

/// Devices that hold a connection, and come back when it ends.
const DEVICES: usize = 20;
/// What an event may need until everything is as before.
const MENDED: Duration = Duration::from_secs(120);
/// Jumps of the clock, forwards and back.
const JUMP: &str = "+6h";
/// Of Debian's package `libfaketime`, by processor.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/// The clock of the program under test, which the test sets.
struct Clock(PathBuf);

impl Clock {
    fn of(house: &House) -> Self {
        let clock = Self(house.folder("clock"));
        clock.shows("+0");
        clock
    }

    /// `offset`: from the machine's own clock.
    fn shows(&self, offset: &str) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, format!("{offset}\n")).expect("the clock can be set");
        std::fs::rename(new, &self.0).expect("the clock can be set");
    }

    /// Only wall time jumps: timers go on, as on a machine whose clock is set.
    fn for_program(&self, library: &Path, gatehouse: Gatehouse) -> Gatehouse {
        gatehouse
            .with("LD_PRELOAD", library.to_str().expect("a path of letters"))
            .with("FAKETIME_TIMESTAMP_FILE", self.0.to_str().expect("a path of letters"))
            .with("FAKETIME_NO_CACHE", "1")
            .with("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }
}

/// Devices that stay, or come back with the token of the moment. While nobody knows it they wait, as people do: OpenClaw locks
/// out whoever comes with wrong ones.
struct Devices {
    connected: AtomicUsize,
    token: Mutex<Option<String>>,
}

impl Devices {
    fn begin(client: &Https, to: Ipv4Addr, key: u8) -> Arc<Self> {
        let devices =
            Arc::new(Self { connected: AtomicUsize::new(0), token: Mutex::new(Some(TOKEN.to_owned())) });
        for _ in 0..DEVICES {
            tokio::spawn(Arc::clone(&devices).stay(client.clone(), to, key));
        }
        devices
    }

    async fn stay(self: Arc<Self>, client: Https, to: Ipv4Addr, key: u8) {
        loop {
            let known = self.token.lock().expect("nobody fails inside").clone();
            let Some(token) = known else {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            };
            let phone = ConnectAs::phone(&token);
            let client = client.clone();
            // What the client cannot do fails inside, and is tried again.
            let attempt = tokio::spawn(async move {
                let socket = client.websocket(to, &[]).await.ok()?;
                match Device::connect(socket, &phone, Some(&DeviceKey::number(key))).await {
                    Admission::In(device) => Some(device),
                    Admission::Refused { .. } => None,
                }
            });
            if let Ok(Some(mut device)) = attempt.await {
                self.connected.fetch_add(1, Ordering::SeqCst);
                let held = tokio::spawn(async move {
                    while device.socket().is_alive().await {
                        tokio::time::sleep(Duration::from_secs(2)).await;
                    }
                });
                _ = held.await;
                self.connected.fetch_sub(1, Ordering::SeqCst);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// What the gateway asks for from now on; `None` = nobody knows.
    fn learn(&self, token: Option<String>) {
        *self.token.lock().expect("nobody fails inside") = token;
    }

    async fn all_connected(&self, after: &str) {
        eventually(&format!("all devices are connected after {after}"), MENDED, async || {
            (self.connected.load(Ordering::SeqCst) == DEVICES).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_week_in_an_hour_leaves_everything_as_it_was() {
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return;
    }
    let Some(library) = FAKETIME.iter().map(Path::new).find(|library| library.exists()) else {
        return need::skip("libfaketime is not installed");
    };
    let minutes = number("GATEHOUSE_SOAK_MINUTES", 60);
    let mut house = House::with_gateway().await;
    let clock = Clock::of(&house);
    let mut gatehouse = clock.for_program(library, house.gatehouse());
    gatehouse.serve(&[]).await;
    eventually("it is open", 2 * PATIENCE, async || {
        (gatehouse.run(&["open", "--to", "lan", "--yes"]).await.code == 0).then_some(())
    })
    .await;
    let client = house.there.https(&gatehouse.ca().await);
    let (to, key) = (house.here.v4, 1);
    crate::pair(&house, &gatehouse, &client, key).await;
    let devices = Devices::begin(&client, to, key);
    devices.all_connected("the start").await;
    let tally = Arc::new(Tally::default());
    traffic::steady(&client, to, &tally);

    let mut samples = Vec::new();
    println!(
        "minute  resident kB  descriptors  threads  alive  answered  failed  event, and how long until all was well"
    );
    for minute in 0..minutes {
        let begun = Instant::now();
        let event = happens(minute, &mut house, &gatehouse, &clock, &devices, &client).await;
        eventually(&format!("a request passes after {event}"), MENDED, async || {
            (client.get(to, "/healthz").await.status == 200).then_some(())
        })
        .await;
        devices.all_connected(event).await;
        let mended = begun.elapsed();
        tokio::time::sleep(Duration::from_secs(60).saturating_sub(mended)).await;
        let sample =
            Sample { alive: devices.connected.load(Ordering::SeqCst), ..Sample::of(gatehouse.pid(), &tally) };
        println!("{minute:6}  {sample}  {event}, {} s", mended.as_secs());
        samples.push(sample);
    }
    let verdict = process::verdict(&samples);
    println!("{verdict}");
    assert!(verdict.flat, "{verdict}");
    assert!(gatehouse.is_running(), "the same process from the beginning to the end");
}

/// One of the things that happen in a week; says which.
async fn happens(
    minute: usize,
    house: &mut House,
    gatehouse: &Gatehouse,
    clock: &Clock,
    devices: &Devices,
    client: &Https,
) -> &'static str {
    let extra = Ipv4Addr::new(192, 168, 77, 12);
    match minute % 8 {
        0 => {
            house.gateway.stops().await;
            house.gateway.start().await;
            "a restart of the gateway"
        }
        1 => {
            house.here.gain_address(extra.into());
            "a new address"
        }
        2 => {
            clock.shows(JUMP);
            "a clock six hours ahead"
        }
        3 => {
            let before = client.fingerprint(house.here.v4).await;
            gatehouse.run(&["cert", "renew"]).await.succeeds();
            assert_ne!(client.fingerprint(house.here.v4).await, before, "a fresh handshake sees the new one");
            "a new certificate"
        }
        4 => {
            clock.shows("+0");
            "a clock set back"
        }
        5 => {
            house.here.lose_address(extra.into());
            "an address that is gone"
        }
        6 => {
            devices.learn(None);
            let rotated = gatehouse.run(&["token", "rotate", "--yes", "--json"]).await;
            // 3: done, and something is to be said about it.
            assert!([0, 3].contains(&rotated.code), "{rotated:?}");
            let told =
                gatehouse.run(&["token", "reveal", "--i-understand", "--json"]).await.succeeds().json();
            devices.learn(told["token"].as_str().map(str::to_owned));
            "a new token"
        }
        _ => {
            house.gateway.dies().await;
            house.gateway.start().await;
            "a crash of the gateway"
        }
    }
}
