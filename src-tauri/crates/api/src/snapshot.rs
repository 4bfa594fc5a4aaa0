//! The whole state that a view may show.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::Text;
use crate::change::StepId;

/// Who may reach the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Only programs on this machine.
    Mac,
    /// Devices on the networks that this machine is directly part of.
    Lan,
    /// Anybody who can reach the machine; needs a name or a public address.
    Internet,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Desired {
    /// No HTTPS address.
    Off,
    /// An HTTPS address.
    Open {
        /// For whom.
        scope: Scope,
        /// Names that the user added to those found on the machine.
        hosts: Vec<String>,
        /// The HTTPS port that the user chose; `None` = none was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        port: Option<u16>,
        /// The port that redirects, where the user chose one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        redirect_port: Option<u16>,
        /// The only CIDR blocks whose clients get in, beside this machine; empty = the scope's own rule.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
        only: Vec<String>,
    },
}

/// What is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Actual {
    /// Nothing is listening.
    Off,
    /// A change is under way.
    Preparing {
        /// The step that runs now.
        step: StepId,
        /// Its number, from 1.
        number: u8,
        /// How many steps there are.
        of: u8,
    },
    /// Listening, and proven from outside within the last five minutes.
    On {
        /// The newest proof.
        proof: Proof,
    },
    /// Listening, with problems (listed in [`Snapshot::problems`]).
    Degraded {
        /// The newest proof, if one was ever made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        proof: Option<Proof>,
    },
    /// The listener answers 503 until the pause ends; configuration is untouched.
    Paused {
        /// When access resumes by itself; `None` = until told.
        #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(type = "string", optional))]
        until: Option<OffsetDateTime>,
    },
    /// Should be open and cannot be.
    Blocked {
        /// Why.
        cause: Cause,
    },
}

/// Why the address cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Cause {
    /// The closed code.
    pub code: crate::Code,
    /// One sentence.
    pub text: Text,
}

/// Which client reached which address over which protocol, and when. It expires after five minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Proof {
    /// The address that was reached, as a user types it.
    pub url: String,
    /// The address that the client came from.
    pub from: String,
    /// For example `TLS 1.3, HTTP/1.1, WebSocket`.
    pub protocol: String,
    /// When the client succeeded.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub at: OffsetDateTime,
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum AddressScope {
    /// Only from this machine.
    Mac,
    /// From the local network.
    Lan,
    /// From a Tailscale network.
    Tailnet,
    /// From the internet.
    Internet,
}

/// Who trusts the certificate that this address presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TrustedBy {
    /// Devices that installed Gatehouse's local certificate authority.
    LocalCa,
    /// Every device.
    Public,
    /// Devices that trust whoever signed the certificate that the user brought.
    Issuer,
}

/// One HTTPS address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Address {
    /// As a user types it; no default port, no trailing slash: this is also its origin.
    pub url: String,
    /// From where it can be reached.
    pub scope: AddressScope,
    /// When a client last reached it from outside; `None` = not yet, or it failed.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub verified_at: Option<OffsetDateTime>,
    /// Who trusts its certificate.
    pub trusted_by: TrustedBy,
}

/// The certificate that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CertSummary {
    /// Common name of the issuer.
    pub issuer: String,
    /// First moment of validity.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub not_before: OffsetDateTime,
    /// Last moment of validity.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub not_after: OffsetDateTime,
    /// DNS names and IP addresses, as text.
    pub names: Vec<String>,
    /// SHA-256 of the leaf, upper-case hex with colons.
    pub sha256: String,
    /// SHA-256 of the local certificate authority, upper-case hex with colons, where it issued the leaf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub ca_sha256: Option<String>,
}

/// One word for the state of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum GatewayVerdict {
    /// Answers HTTP and accepts our WebSocket connection.
    Running,
    /// Answers HTTP and does not accept WebSocket connections yet.
    Starting,
    /// Answers, and refuses our token or password.
    AuthRefused,
    /// Configured, and nothing listens on its port.
    Stopped,
    /// Another program listens on its port.
    PortTaken,
    /// No configuration and no program.
    NotFound,
}

/// The gateway behind the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GatewaySummary {
    /// Its version, once it told us.
    pub version: Option<String>,
    /// Its process id, once it told us or the port's owner is known.
    pub pid: Option<u32>,
    /// Where it listens, for example `http://127.0.0.1:18789`.
    pub url: String,
    /// One word.
    pub verdict: GatewayVerdict,
    /// One sentence under the word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub detail: Option<Text>,
    /// Its configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub config_path: Option<String>,
    /// Whether Gatehouse started it and restarts it.
    #[serde(default)]
    pub supervised: bool,
    /// Who runs it; `None` = not looked at yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub service: Option<Box<crate::GatewayService>>,
}

/// How many devices there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeviceCounts {
    /// Waiting for approval.
    pub pending: usize,
    /// With a key of their own.
    pub paired: usize,
}

/// The newest change that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LastChange {
    /// Its id, as `undo` takes it.
    pub id: String,
    /// What it did, for example `Open to local network`.
    pub title: Text,
    /// When it was committed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub at: OffsetDateTime,
    /// Until when it is offered for undo.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[cfg_attr(test, ts(type = "string | null"))]
    pub undo_until: Option<OffsetDateTime>,
    /// When it reverts by itself unless confirmed.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(type = "string", optional))]
    pub confirm_by: Option<OffsetDateTime>,
}

/// Where the edge listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ListenerSummary {
    /// The HTTPS port.
    pub port: u16,
    /// Why it is not 443, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub port_reason: Option<Text>,
    /// The port that redirects plain HTTP, where one could be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub redirect_port: Option<u16>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub redirect_reason: Option<Text>,
    /// Why WebSocket over HTTP/2 is not offered; `None` = it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub http2_websocket_reason: Option<Text>,
    /// Connections open now.
    pub connections: usize,
    /// WebSocket tunnels open now.
    pub websockets: usize,
    /// How many connections may be open at once: the limit, or what the system's descriptors allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub connections_limit: Option<usize>,
    /// The limits in force by their names in `config get`, as a person writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub limits: Option<BTreeMap<String, String>>,
}

/// Something that needs attention and does not stop the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Problem {
    /// The closed code.
    pub code: crate::Code,
    /// One sentence: what.
    pub title: Text,
    /// One or two sentences: why, with what was measured.
    pub because: Text,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<crate::Fix>,
}

/// Everything a view may show. `status --json` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Snapshot {
    /// Always [`crate::SCHEMA`].
    pub schema: u32,
    /// Gatehouse's own version.
    pub version: String,
    /// What the user wants.
    pub desired: Desired,
    /// What is proven.
    pub actual: Actual,
    /// The HTTPS addresses, best first.
    pub addresses: Vec<Address>,
    /// The certificate of the best address.
    pub cert: Option<CertSummary>,
    /// All certificates: those that are served, and those that are wanted.
    #[serde(default)]
    pub certificates: Vec<crate::Certificate>,
    /// The gateway.
    pub gateway: GatewaySummary,
    /// How many devices there are.
    pub devices: DeviceCounts,
    /// The newest change that can be undone.
    pub last_change: Option<LastChange>,
    /// Where the edge listens; `None` = it does not.
    pub listener: Option<ListenerSummary>,
    /// The router's port, where one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub mapping: Option<crate::PortMapping>,
    /// What needs attention, worst first.
    pub problems: Vec<Problem>,
    /// Certificates that come to their end: the one that is served, and its authority.
    #[serde(default)]
    pub expiring: Vec<crate::Expiring>,
    /// Where secrets are kept: `keychain`, `secret-service` or `file`.
    pub secrets: String,
    /// Process id of the core.
    pub pid: u32,
}

/// How an address is written into a URL: IPv6 in brackets, no zone.
#[must_use]
pub fn url_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}
