//! What the steps of a transaction work on.
//!
//! Everything that a test wants to replace is a field here: the clock, the machine, the front door, the gateway. Steps
//! reach the world through this and nothing else.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use async_trait::async_trait;
use gatehouse_certs::Certificates;
use gatehouse_edge::EdgeSettings;
use gatehouse_host::addresses::InterfaceAddress;
use gatehouse_host::names::HostNames;
use gatehouse_host::ports::{PortHolder, Refusal};
use gatehouse_host::trust::Places;
use gatehouse_openclaw::discovery::Environment;
use time::OffsetDateTime;

use crate::address_plan::AddressPlan;
use crate::brought::Brought;
use crate::edge_config::EdgeConfig;
use crate::link::GatewayLink;
use crate::mapping::RouterPort;
use crate::pins::Journal;
use crate::ports_plan::PortsPlan;
use crate::public::Public;
use crate::settings::SettingsStore;
use crate::token::TokenStore;

mod system;

pub use system::{Pass, System, SystemClock};

/// Where and on what transactions work. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Folder of the journal.
    pub journal: PathBuf,
    /// What outlives a restart.
    pub settings: Arc<SettingsStore>,
    /// The gateway and the connection to it.
    pub link: Arc<GatewayLink>,
    /// Where the gateway is looked for. It changes when one of our own is installed.
    pub environment: Arc<ArcSwap<Environment>>,
    /// The local authority and the leaf that is served.
    pub certificates: Arc<Certificates>,
    /// The gateway's token, where it is kept here.
    pub token: Arc<TokenStore>,
    /// Certificates of public authorities.
    pub public: Arc<Public>,
    /// Certificates of the user, and rules about those of clients.
    pub brought: Arc<Brought>,
    /// Which apps remember which certificate.
    pub pins: Arc<Journal>,
    /// The edge.
    pub door: Arc<dyn FrontDoor>,
    /// What the edge serves now, for views and probes. Set by transactions; start with `Default::default()`.
    pub served: Arc<ArcSwapOption<Served>>,
    /// The port of the home's router, where one is wanted.
    pub router_port: RouterPort,
    /// Addresses, names and ports of this machine.
    pub machine: Arc<dyn Machine>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Called at every boundary of the journal.
    pub checkpoint: Arc<dyn Checkpoint>,
}

/// What the edge serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The ports, and why they are not others.
    pub ports: PortsPlan,
    /// The addresses and what follows from them.
    pub plan: AddressPlan,
}

/// The edge as transactions use it.
#[async_trait]
pub trait FrontDoor: Send + Sync {
    /// Applies the settings and makes the listeners equal to these. New ones are all opened or none; unchanged ones
    /// stay, with their connections.
    ///
    /// # Errors
    /// The first address that could not be had, with the reason.
    async fn serve(
        &self,
        settings: EdgeSettings,
        listeners: &Listeners,
    ) -> Result<(), (SocketAddr, io::Error)>;

    /// Puts settings of the user in force. No connection is dropped.
    ///
    /// # Errors
    /// The address of the metrics that could not be had, with the reason; nothing has changed then.
    async fn configure(&self, config: &EdgeConfig) -> Result<(), (SocketAddr, io::Error)>;

    /// Stops listening. Requests may finish for a few seconds, then they are cut.
    async fn close(&self);

    /// The rules about certificates of clients are other ones: whoever may no longer be here is out.
    fn clients_changed(&self);

    /// Where it listens now.
    fn listening(&self) -> Listeners;
}

/// Where the edge listens. Sockets of IPv6 take only IPv6.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listeners {
    /// HTTPS.
    pub https: Vec<SocketAddr>,
    /// Plain HTTP that redirects to the HTTPS port.
    pub redirect: Vec<SocketAddr>,
}

impl Listeners {
    /// Whether both are the same sockets, in whatever order.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let sorted = |addresses: &[SocketAddr]| addresses.iter().copied().collect::<BTreeSet<_>>();
        sorted(&self.https) == sorted(&other.https) && sorted(&self.redirect) == sorted(&other.redirect)
    }
}

/// This machine, as far as transactions need to know it. Calls may block for a few seconds.
pub trait Machine: Send + Sync {
    /// All addresses.
    ///
    /// # Errors
    /// What the system said.
    fn addresses(&self) -> io::Result<Vec<InterfaceAddress>>;

    /// Its names.
    fn names(&self) -> HostNames;

    /// Who listens on a TCP port, as far as we may know.
    fn holder(&self, port: u16) -> Option<PortHolder>;

    /// Asks a gateway that lets nobody in to restart within its process: SIGUSR2 (openclaw-gateway §1).
    ///
    /// # Errors
    /// There is no such process, or it is not ours.
    fn ask_to_restart(&self, pid: u32) -> io::Result<()>;

    /// Where the certificate authorities are that a user's programs trust; `data_home` = `$XDG_DATA_HOME`, where it is set.
    fn trust_places(&self, home: PathBuf, data_home: Option<PathBuf>) -> Places {
        Places::here(home, data_home)
    }

    /// The router of the default route over IPv4.
    fn router(&self) -> Option<Ipv4Addr> {
        None
    }

    /// Whether a listener could be opened right now.
    ///
    /// # Errors
    /// Why not.
    fn try_bind(&self, address: SocketAddr) -> Result<(), Refusal>;
}

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> OffsetDateTime;
}

/// A place in a transaction where a crash leaves a state of its own. Tests stop the process there.
pub trait Checkpoint: Send + Sync {
    /// `step` is a [`gatehouse_api::StepId`] in kebab-case, or `undo` or `end`; `point` is `before-journal`,
    /// `after-journal`, `after-apply`, `before-revert` or `after-revert`.
    fn reached(&self, step: &str, point: &str);
}
