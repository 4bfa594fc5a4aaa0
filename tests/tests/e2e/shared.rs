//! One open house for all tests that change nothing about it.

use gatehouse_tests::need::{self, Part};
use gatehouse_tests::{Gatehouse, House, Https};
use tokio::sync::OnceCell;

/// A gateway that runs, open to the local network.
pub(crate) struct OpenHouse {
    pub(crate) house: House,
    pub(crate) gatehouse: Gatehouse,
    ca: String,
}

/// The open house, or `None` where it cannot be built: the calling test is then skipped.
///
/// It is never dropped: the janitor clears it away when the process ends.
pub(crate) async fn open_house() -> Option<&'static OpenHouse> {
    static HOUSE: OnceCell<OpenHouse> = OnceCell::const_new();
    if !need::parts(&[Part::Machines, Part::OpenClaw, Part::Program]) {
        return None;
    }
    let house = HOUSE
        .get_or_init(async || {
            let house = House::with_gateway().await;
            let gatehouse = house.open_to_lan().await;
            let ca = gatehouse.ca().await;
            OpenHouse { house, gatehouse, ca }
        })
        .await;
    Some(house)
}

impl OpenHouse {
    /// A client on the machine with the gateway.
    pub(crate) fn here(&self) -> Https {
        self.house.here.https(&self.ca)
    }

    /// A client on somebody else's machine.
    pub(crate) fn there(&self) -> Https {
        self.house.there.https(&self.ca)
    }

    /// The certificate authority (PEM).
    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }
}
