//! The gateway's process: who runs it, and what can be done with it.

use serde::{Deserialize, Serialize};

use crate::{Fix, Text};

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
    /// Have the system's service manager run it, by OpenClaw's own installer.
    Install,
    /// Take that service away, by OpenClaw's own installer. Configuration and state stay.
    Uninstall,
}

/// One word for who runs the gateway and how that stands, from three signals: the service manager, the owner of the
/// port, and what the port answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum GatewayServiceState {
    /// The service runs it, and it answers.
    Runs,
    /// The service runs it, and it does not answer yet.
    Starting,
    /// Gatehouse runs it.
    Own,
    /// It answers, and no service runs it: somebody started it by hand.
    HandStarted,
    /// The service and somebody else both run one.
    Duplicate,
    /// Two services want the same port.
    TwoServices,
    /// It ends again and again.
    CrashLoop,
    /// The service is switched off.
    SwitchedOff,
    /// The service's file is there, and the manager has not loaded it.
    NotLoaded,
    /// The service is loaded and does not run.
    Stopped,
    /// Its service belongs to a session on the screen, and nobody is logged in there.
    NoSession,
    /// There is no service manager that could be asked.
    NoManager,
    /// The service's file names another port than the configuration.
    PortDrift,
    /// The gateway that runs is of another version than the one that is installed.
    VersionDrift,
    /// A program that is no gateway has the port.
    PortTaken,
    /// There is no service, and nothing answers.
    NotInstalled,
}

/// Who runs the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GatewayService {
    /// One word.
    pub state: GatewayServiceState,
    /// One sentence: what.
    pub title: Text,
    /// One or two sentences: why.
    pub because: Text,
    /// What to do next, where something is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Fix>,
    /// `launchd` or `systemd`.
    pub manager: String,
    /// A launchd label or a systemd unit.
    pub name: String,
    /// The file that describes the service, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub file: Option<String>,
    /// What the service manager says.
    pub job: Text,
    /// Who has the port.
    pub port: Text,
    /// What the port answers.
    pub health: Text,
    /// The version of the `openclaw` that is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub installed_version: Option<String>,
    /// What a repair would do, in order; empty = nothing that could be done here.
    pub repairs: Vec<RepairStep>,
}

/// One step of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RepairStep {
    /// What it does, as a sentence.
    pub text: Text,
    /// The same as a command line.
    pub command: String,
}

/// What a repair does, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GatewayRepair {
    /// Whether it was done, not only shown.
    pub done: bool,
    /// Its steps.
    pub steps: Vec<RepairStep>,
    /// Who runs the gateway: before (shown) or after (done).
    pub service: GatewayService,
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
