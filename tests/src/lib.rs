//! The kit that the end to end tests are written with.
//!
//! It guarantees that a test works with real parts (the real gateway, the real program, the real browser) on two
//! machines of its own (network namespaces with an address family each of IPv4 and IPv6), that whatever it started is
//! gone when it ends, however it ends, and that a test which cannot run says so ([`need`]).
//!
//! ```no_run
//! # async fn story() {
//! use gatehouse_tests::House;
//!
//! let house = House::with_gateway().await;
//! let gatehouse = house.serve().await;
//! gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
//! let page = house.there.https(&gatehouse.ca().await).get(house.here.v4, "/healthz").await;
//! assert_eq!(page.status, 200);
//! # }
//! ```
#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a kit for tests: what fails here fails the test that called it"
)]

mod authority;
mod booted;
mod browser;
mod catalogue;
mod client;
mod cloudflare;
mod device;
mod gatehouse;
mod gateway;
mod house;
mod janitor;
mod machine;
pub mod need;
mod router;
mod screen;
mod wait;
mod window;

pub use authority::{Authority, Moods};
pub use booted::{Booted, OTHER_PROGRAM, PROGRAM};
pub use browser::{Browser, Page};
pub use catalogue::{words, words_with};
pub use client::{Answer, H2, Https, Io, Line, Socket, UpgradeRefused};
pub use cloudflare::Cloudflare;
pub use device::{Admission, ConnectAs, Device, DeviceKey};
pub use gatehouse::{Gatehouse, Ran, program};
pub use gateway::{Gateway, GatewayOptions, Operator, TOKEN};
pub use house::House;
pub use janitor::Janitor;
pub use machine::{Machine, Net};
pub use router::{Manner, Router};
pub use screen::{Line as ReadLine, MenuRow, Picture, Place, Screen, Tray};
pub use wait::{eventually, within};
pub use window::Window;

/// The folder for what a person may want to look at after a run: screenshots, logs of a failed fixture.
#[must_use]
pub fn artifacts() -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
    std::fs::create_dir_all(&folder).expect("the artifacts folder can be made");
    folder
}
