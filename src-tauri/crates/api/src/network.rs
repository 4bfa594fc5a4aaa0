//! Where this machine is on its network: the router's port, public addresses, firewalls, names.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{AddressScope, Problem, ReadinessPoint, Text};

/// How a port of the router stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum MappingState {
    /// The router is being asked.
    Opening,
    /// It is open: the router said so.
    Open,
    /// It is not open, for the reason in [`PortMapping::problem`]; it is tried again.
    Failed,
}

/// A port that the home's router opens to the internet and passes on to this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PortMapping {
    /// How it stands.
    pub state: MappingState,
    /// The port on the router.
    pub port: u16,
    /// The port here.
    pub to: u16,
    /// The router, as this machine reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub router: Option<String>,
    /// Where the internet reaches it, for example `203.0.113.7:443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub external: Option<String>,
    /// How the router was told: `PCP`, `NAT-PMP` or `UPnP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub protocol: Option<String>,
    /// When the router last said yes.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub renewed_at: Option<OffsetDateTime>,
    /// When the router forgets it unless it is renewed; `None` = never.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub until: Option<OffsetDateTime>,
    /// Why it is not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Box<Problem>>,
    /// When it is tried again.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub retry_at: Option<OffsetDateTime>,
}

/// One address of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct NetworkAddress {
    /// The address.
    pub address: String,
    /// Its interface.
    pub interface: String,
    /// How far it reaches; `mac` = this machine or this link only.
    pub reach: AddressScope,
    /// A privacy address that the system replaces every day: it is not handed out.
    #[serde(default)]
    pub temporary: bool,
    /// On its way out, or not proven to be the only one: it is not handed out.
    #[serde(default)]
    pub deprecated: bool,
    /// Whether it is one of the addresses that are open.
    pub open: bool,
}

/// An address that this machine had not long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct KeptAddress {
    /// As a user types it.
    pub url: String,
    /// Until when it stays in the certificate and its origin in the gateway's list.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub until: OffsetDateTime,
}

/// What one source says of the address under which the internet sees this network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PublicAddress {
    /// `router`, `interface`, or the URL of an echo that the user named.
    pub source: String,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub address: Option<String>,
    /// Why it said nothing, or why what it said is of no use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<Text>,
}

/// Where this machine is on its network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Network {
    /// The plain host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub host: Option<String>,
    /// The name that multicast DNS (Bonjour) answers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub bonjour: Option<String>,
    /// The router of the default route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub router: Option<String>,
    /// All addresses but loopback.
    pub addresses: Vec<NetworkAddress>,
    /// Addresses of before that are still accepted.
    #[serde(default)]
    pub kept: Vec<KeptAddress>,
    /// The router's port, where one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub mapping: Option<PortMapping>,
    /// The public addresses, each with who says so.
    pub public: Vec<PublicAddress>,
    /// What keeps others from reaching this machine, what needs attention first.
    pub points: Vec<ReadinessPoint>,
}
