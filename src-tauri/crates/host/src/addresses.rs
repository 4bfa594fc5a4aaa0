//! The addresses of this machine and the networks it is attached to.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::watch;

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// This machine only.
    Loopback,
    /// RFC 1918 or a unique local address (RFC 4193).
    Private,
    /// This link only (169.254/16, fe80::/10).
    LinkLocal,
    /// Shared space (RFC 6598) or Tailscale's IPv6 range.
    Tailnet,
    /// Routable on the internet.
    Global,
}

/// One address of one interface that is up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress {
    /// Interface name ("en0").
    pub interface: String,
    /// The address.
    pub ip: IpAddr,
    /// Length of the network prefix, in bits.
    pub prefix: u8,
    /// How far it reaches.
    pub kind: Kind,
    /// An IPv6 privacy address that is replaced every day (RFC 8981): never put it into a certificate.
    pub temporary: bool,
    /// An IPv6 address that is on its way out, or not yet proven to be unique: not for new connections.
    pub deprecated: bool,
}

/// All addresses, in a fixed order. May start a short-lived program on macOS: call it off the async threads.
///
/// # Errors
/// What the system said.
pub fn list() -> io::Result<Vec<InterfaceAddress>> {
    Ok(Vec::new())
}

/// The networks that this machine is attached to now: [`networks_of`] of [`list`].
///
/// # Errors
/// What the system said.
pub fn networks() -> io::Result<Vec<IpNet>> {
    Ok(networks_of(&list()?))
}

/// The directly attached networks of these addresses (loopback is none), each once, in a fixed order.
pub fn networks_of(addresses: &[InterfaceAddress]) -> Vec<IpNet> {
    let _ = addresses;
    Vec::new()
}

/// Follows the addresses: the receiver starts with the present ones and changes once they have been steady for a
/// moment. Looks every `period`, on Linux also as soon as the kernel reports a change. Ends when every receiver is
/// dropped. Needs a tokio runtime.
pub fn watch(period: Duration) -> watch::Receiver<Arc<[InterfaceAddress]>> {
    let _ = period;
    watch::channel(Arc::from([])).1
}
