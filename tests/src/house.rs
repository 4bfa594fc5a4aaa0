//! Everything a story needs: two machines, a gateway on one of them, and the program in front of it.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::{Gatehouse, Gateway, GatewayOptions, Machine, Manner, Net, Router};

/// Two machines and a gateway on the first.
#[derive(Debug)]
pub struct House {
    /// The machine with the gateway.
    pub here: Machine,
    /// Somebody else's machine.
    pub there: Machine,
    /// The gateway.
    pub gateway: Gateway,
    net: Net,
}

impl House {
    /// A house whose gateway is configured and not running.
    #[must_use]
    pub fn with_stopped_gateway() -> Self {
        Self::with_options(&GatewayOptions::default())
    }

    /// A house whose gateway is configured like this and not running.
    #[must_use]
    pub fn with_options(options: &GatewayOptions) -> Self {
        let net = Net::new();
        let gateway = Gateway::configured(&net.here, &net.folder.join("user"), options);
        Self { here: net.here.clone(), there: net.there.clone(), gateway, net }
    }

    /// A house whose gateway runs.
    pub async fn with_gateway() -> Self {
        let mut house = Self::with_stopped_gateway();
        house.gateway.start().await;
        house
    }

    /// A home router between this house and the internet, with `outside` as its address there.
    pub async fn router(&self, outside: Ipv4Addr, manner: Manner) -> Router {
        Router::new(&self.net, outside, manner).await
    }

    /// A folder of the test.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.net.folder.join(name)
    }

    /// The program in front of this house's gateway; nothing runs yet.
    #[must_use]
    pub fn gatehouse(&self) -> Gatehouse {
        Gatehouse::new(&self.here, &self.folder("state"), self.gateway.home())
    }

    /// `gatehouse serve`, with nothing open yet.
    pub async fn serve(&self) -> Gatehouse {
        let mut gatehouse = self.gatehouse();
        gatehouse.serve(&[]).await;
        gatehouse
    }

    /// `gatehouse serve`, open to the local network.
    pub async fn open_to_lan(&self) -> Gatehouse {
        let gatehouse = self.serve().await;
        gatehouse.run(&["open", "--to", "lan", "--yes"]).await.succeeds();
        gatehouse
    }
}
