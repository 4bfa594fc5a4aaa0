//! What can be done with the gateway's process.

use serde::{Deserialize, Serialize};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum GatewayAction {
    /// Start it, where it does not run.
    Start,
    /// Stop it. The address answers 502 until it is started again.
    Stop,
    /// Stop it and start it again.
    Restart,
}

/// The end of the gateway's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GatewayLog {
    /// Where it comes from: a path.
    pub source: String,
    /// Lines, oldest first. They hold no control character, and the gateway's secrets are left out of them.
    pub lines: Vec<String>,
}

/// Who gets to the gateway, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AccessFacts {
    /// The proxies whose word about a client the gateway takes: `gateway.trustedProxies`; `None` = the
    /// gateway's configuration could not be read.
    pub trusted_proxies: Option<Vec<TrustedProxy>>,
    /// The networks that this machine is attached to, in CIDR notation.
    pub networks: Vec<String>,
    /// Who may connect to the edge.
    pub clients: ClientRule,
}

/// An entry of `gateway.trustedProxies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrustedProxy {
    /// As it stands in the list: an address or a network.
    pub address: String,
    /// Whose entry it is.
    pub owner: crate::OriginOwner,
}

/// Who may connect to the edge. This machine always may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum ClientRule {
    /// Nothing is open.
    Nobody,
    /// Only this machine.
    ThisMachine,
    /// These networks, in CIDR notation.
    Networks {
        /// Which.
        networks: Vec<String>,
    },
    /// Everybody.
    Everybody,
}
