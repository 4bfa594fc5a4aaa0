//! What the edge is told: immutable values that are swapped as a whole and drop no connection.
//!
//! Every default is safe for a personal gateway that the internet can reach. Durations are measured by a clock that
//! never jumps; sizes are bytes.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::front::SecretDigest;
use crate::names::{Authority, Host};
use crate::routes::Routes;

/// Everything the edge follows while it serves. Swapped as a whole: a request sees either the old or the new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeSettings {
    /// The gateway. A loopback address.
    pub upstream: SocketAddr,
    /// Names that are served; any other Host is answered with 421.
    pub names: ServedNames,
    /// Who may connect at all.
    pub clients: AllowedClients,
    /// This machine's own addresses.
    pub own: OwnAddresses,
    /// The proxy in front of the edge, where there is one.
    pub front: FrontProxy,
    /// Peers that pass TCP connections on and say in a PROXY header (version 1 or 2) for whom. A connection from one of
    /// them must begin with such a header; one from anybody else must not.
    pub proxy_protocol: Vec<IpNet>,
    /// Requests that are treated in a way of their own. Names that have routes are served, too.
    pub routes: Routes,
    /// Set while the address is paused: every request is answered with 503.
    pub paused: Option<Pause>,
    /// Time, size and count limits.
    pub limits: Limits,
    /// DNS names (lower-case, no trailing dot) that browsers may remember as HTTPS only. Never honoured for loopback
    /// names and addresses.
    pub hsts_names: BTreeSet<String>,
    /// Headers by which the gateway learns who a user is (`gateway.auth.trustedProxy.userHeader` and the like), beyond
    /// the built-in list: always removed from what clients send.
    pub identity_headers: Vec<HeaderName>,
    /// The path on which the gateway answers 200 as soon as it serves requests. Asked while requests wait for a restart.
    pub health_path: String,
    /// The path on which the gateway answers with a 5xx until it takes WebSockets, too. One that it does not know
    /// (404) means that it takes them as soon as it serves requests.
    pub ready_path: String,
    /// Whether WebSocket upgrades wait for a gateway that restarts, too; otherwise they get a 503 at once.
    pub hold_upgrades: bool,
    /// The path on which the gateway takes WebSockets; the rehearsal of [`Self::websocket_over_h2`] goes there.
    pub websocket_path: String,
    /// Whether WebSocket over HTTP/2 (RFC 8441) is offered.
    pub websocket_over_h2: Http2WebSockets,
}

impl EdgeSettings {
    /// Settings that serve only loopback names to loopback clients.
    #[must_use]
    pub fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            names: ServedNames::default(),
            clients: AllowedClients::LoopbackOnly,
            own: OwnAddresses::default(),
            front: FrontProxy::None,
            proxy_protocol: Vec::new(),
            routes: Routes::default(),
            paused: None,
            limits: Limits::default(),
            hsts_names: BTreeSet::new(),
            identity_headers: Vec::new(),
            health_path: "/healthz".to_owned(),
            ready_path: "/startupz".to_owned(),
            hold_upgrades: true,
            websocket_path: "/".to_owned(),
            websocket_over_h2: Http2WebSockets::Rehearsed,
        }
    }

    /// Puts the names that have routes among those that are served.
    pub(crate) fn serve_routes(&mut self) {
        self.routes.serve(&mut self.names);
    }

    /// Whether a connection from `peer` begins with a PROXY header.
    #[must_use]
    pub fn sends_proxy_header(&self, peer: IpAddr) -> bool {
        self.proxy_protocol.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// Whether a connection from `peer` is the front proxy's, or may be. A tunnel that ends on this machine may be sent to any of
    /// its addresses.
    #[must_use]
    pub fn fronts(&self, peer: IpAddr) -> bool {
        self.front.trusts(peer)
            || (matches!(self.front, FrontProxy::Tunnel { .. }) && self.own.contains(peer))
    }

    /// Whether browsers may remember that `host` (a Host header with or without a port) is HTTPS only. Never for
    /// addresses and loopback names.
    #[must_use]
    pub fn hsts(&self, host: &HeaderValue) -> bool {
        !self.hsts_names.is_empty()
            && Authority::parse(host.as_bytes()).is_some_and(|authority| match &authority.host {
                Host::Dns(name) => !authority.host.is_loopback() && self.hsts_names.contains(name.as_ref()),
                Host::Ip(_) => false,
            })
    }
}

/// The names that the edge serves, beyond `localhost`, `127.0.0.1` and `::1`, which it always serves. Ports in a Host
/// header are accepted as they come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServedNames {
    /// DNS names: lower-case, no trailing dot.
    pub dns: BTreeSet<String>,
    /// DNS names of which every name one label below is served, as a wildcard certificate covers them.
    pub below: BTreeSet<String>,
    /// Addresses that clients may use as a name.
    pub ips: BTreeSet<IpAddr>,
}

/// Who may connect. Checked when a connection is accepted, before TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedClients {
    /// This machine only.
    LoopbackOnly,
    /// This machine and these networks.
    Networks(Vec<IpNet>),
    /// Everybody.
    Any,
}

impl AllowedClients {
    /// Whether a connection from `peer` may go on. This machine (loopback and its own addresses) always may.
    #[must_use]
    pub fn admit(&self, peer: IpAddr, own: &OwnAddresses) -> bool {
        let peer = peer.to_canonical();
        if peer.is_loopback() || own.contains(peer) {
            return true;
        }
        match self {
            Self::LoopbackOnly => false,
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&peer)),
            Self::Any => true,
        }
    }
}

/// This machine's addresses: what a client that sits on this machine is attributed to when it uses a network name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnAddresses {
    /// The address that stands for this machine over IPv4. Not loopback.
    pub v4: Option<Ipv4Addr>,
    /// The address that stands for this machine over IPv6. Not loopback.
    pub v6: Option<Ipv6Addr>,
    /// Every address of this machine.
    pub all: Vec<IpAddr>,
}

impl OwnAddresses {
    /// Whether `address` is one of this machine's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.all.contains(&address)
            || self.v4.is_some_and(|own| address == own)
            || self.v6.is_some_and(|own| address == own)
    }
}

/// The proxy in front of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrontProxy {
    /// None: clients connect to the edge themselves. Forwarding headers are then nobody's to send.
    None,
    /// Connections from `peers` carry the client's address in `client_header`.
    Trusted {
        /// Where the proxy connects from. Loopback networks for a tunnel that ends on this machine.
        peers: Vec<IpNet>,
        /// `x-forwarded-for` and `forwarded` are lists, of which the right-most hop that is not one of `peers` counts;
        /// any other header (`cf-connecting-ip`) holds exactly one address.
        client_header: HeaderName,
    },
    /// A tunnel that ends on this machine: requests of peers on it that show its secret carry the client's address in
    /// `client_header`. Those that do not are judged as if nobody had declared it, and are never local.
    Tunnel {
        /// What the secret is known by.
        secret: SecretDigest,
        /// Holds exactly one address.
        client_header: HeaderName,
    },
}

impl FrontProxy {
    /// Whether a connection from `peer` is the proxy's, or may be.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        match self {
            Self::None => false,
            Self::Tunnel { .. } => peer.to_canonical().is_loopback(),
            Self::Trusted { peers, .. } => peers.iter().any(|network| network.contains(&peer.to_canonical())),
        }
    }
}

/// When WebSocket over HTTP/2 is offered. Browsers use it as soon as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Http2WebSockets {
    /// Never.
    Off,
    /// As soon as [`crate::Edge::rehearse`] has gone the whole way through our own listener.
    #[default]
    Rehearsed,
    /// Without a rehearsal.
    Offered,
}

/// The address is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// When it ends by itself; `None` = when somebody resumes it.
    pub until: Option<SystemTime>,
}

/// How patient the edge is with an answer of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouteClass {
    /// People and agents: no limit until the first byte.
    #[default]
    Interactive,
    /// Programs: [`Limits::first_byte_api`].
    Api,
}

/// Limits. `None` and 0 never mean "unlimited by accident": where a field can be unlimited its type is an `Option`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From accept to the end of the TLS handshake. 10 s.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its headers. 10 s.
    pub headers: Duration,
    /// A body from which, or to which, no byte moves. 30 s.
    pub body_stall: Duration,
    /// Bytes per second that a request body brings at least, on average over the time that the client is waited for,
    /// beyond the first [`Self::body_stall`]. 500: a byte now and then keeps no body open. 0 means 1.
    pub body_rate: u32,
    /// A keep-alive connection without a request. 75 s.
    pub keep_alive: Duration,
    /// Until the gateway's first byte, for [`RouteClass::Interactive`]. `None`: agents think for as long as they need.
    pub first_byte_interactive: Option<Duration>,
    /// Until the gateway's first byte, for [`RouteClass::Api`]. 120 s.
    pub first_byte_api: Duration,
    /// To connect to the gateway. 1 s: it is on loopback.
    pub connect: Duration,
    /// How long a request that was not sent yet waits for a gateway that restarts. 15 s.
    pub hold: Duration,
    /// How many requests may wait like that; the next is answered with 503. 1024.
    pub hold_queue: usize,
    /// A tunnel of which one side has ended: how long the other may go on. 10 s.
    pub half_open: Duration,
    /// A WebSocket on which no byte moves. `None`: no limit.
    pub websocket_idle: Option<Duration>,

    /// A request target. 16 KiB, answered with 414.
    pub target_bytes: usize,
    /// All header lines of a request together (name, value and 4 bytes for each line). 32 KiB, answered with 431.
    pub header_bytes: usize,
    /// Header lines of a request. 100, answered with 431.
    pub header_count: usize,
    /// A request body. 256 MiB, answered with 413 before the gateway is bothered.
    pub body_bytes: u64,

    /// Connections in total. 4096; the edge lowers it to what the descriptor limit allows.
    pub connections: usize,
    /// Connections per client (IPv6: per /64). 256.
    pub connections_per_client: usize,
    /// TLS handshakes in flight in total; of more, those that have taken longest give way. 2048.
    pub handshakes: usize,
    /// TLS handshakes in flight per client. 64.
    pub handshakes_per_client: usize,
    /// New connections per client and second, on average. 50.
    pub connection_rate: u32,
    /// How many of them may come at once. 200.
    pub connection_burst: u32,
    /// Requests per client and second, on average. 200, answered with 429.
    pub request_rate: u32,
    /// How many of them may come at once. 1000.
    pub request_burst: u32,
    /// Requests of one client under way at once, over all its connections and HTTP/2 streams. 512, answered with 429.
    pub requests_per_client: usize,
    /// WebSockets per client. 256, answered with 429.
    pub websockets_per_client: usize,

    /// HTTP/2 streams at once per connection. 128.
    pub h2_streams: u32,
    /// HTTP/2 streams that a client may reset before the edge has begun on them (rapid reset). 20.
    pub h2_pending_resets: usize,
    /// HTTP/2 errors of a client on one connection before it is closed (bad frames, settings, continuation floods). 64.
    pub h2_errors: usize,
    /// HTTP/2 bytes buffered per stream towards a slow reader. 64 KiB.
    pub h2_send_buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            body_stall: Duration::from_secs(30),
            body_rate: 500,
            keep_alive: Duration::from_secs(75),
            first_byte_interactive: None,
            first_byte_api: Duration::from_secs(120),
            connect: Duration::from_secs(1),
            hold: Duration::from_secs(15),
            hold_queue: 1024,
            half_open: Duration::from_secs(10),
            websocket_idle: None,
            target_bytes: 16 * 1024,
            header_bytes: 32 * 1024,
            header_count: 100,
            body_bytes: 256 * 1024 * 1024,
            connections: 4096,
            connections_per_client: 256,
            handshakes: 2048,
            handshakes_per_client: 64,
            connection_rate: 50,
            connection_burst: 200,
            request_rate: 200,
            request_burst: 1000,
            requests_per_client: 512,
            websockets_per_client: 256,
            h2_streams: 128,
            h2_pending_resets: 20,
            h2_errors: 64,
            h2_send_buffer: 64 * 1024,
        }
    }
}

/// Where the access log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The folder (made with mode 0700). The live file in it is `access.jsonl`.
    pub folder: PathBuf,
    /// The live file is put aside at this size, in bytes.
    pub file_bytes: u64,
    /// Files put aside are removed after this many days.
    pub keep_days: u32,
    /// All files together never take more than this, in bytes: the oldest go first.
    pub total_bytes: u64,
}

impl LogOptions {
    /// 16 MiB per file, 30 days, 128 MiB in total.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, file_bytes: 16 * 1024 * 1024, keep_days: 30, total_bytes: 128 * 1024 * 1024 }
    }
}

#[cfg(test)]
mod tests;
