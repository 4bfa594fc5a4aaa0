//! The addresses of this machine and the networks it is attached to.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::watch;

#[cfg(any(target_os = "linux", test))]
mod if_inet6;
#[cfg(any(target_os = "macos", test))]
mod ifconfig;
#[cfg(target_os = "linux")]
mod netlink;
mod watching;

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

/// One address of one interface that is running.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceAddress {
    /// Interface name ("en0").
    pub interface: String,
    /// The address, without a zone.
    pub ip: IpAddr,
    /// Length of the network prefix, in bits.
    pub prefix: u8,
    /// How far it reaches.
    pub kind: Kind,
    /// An IPv6 privacy address that is replaced every day (RFC 8981): never put it into a certificate.
    pub temporary: bool,
    /// An IPv6 address that is on its way out, or not proven to be unique: not for new connections.
    pub deprecated: bool,
}

impl InterfaceAddress {
    pub(crate) fn new(interface: &str, ip: IpAddr, prefix: u8) -> Self {
        let ip = without_zone(ip);
        Self {
            interface: interface.to_owned(),
            ip,
            prefix,
            kind: Kind::of(ip),
            temporary: false,
            deprecated: false,
        }
    }
}

impl Kind {
    /// The kind of `ip`.
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V4(ip) if ip.is_private() => Self::Private,
            IpAddr::V4(ip) if ip.is_link_local() => Self::LinkLocal,
            IpAddr::V4(ip) if ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64 => Self::Tailnet,
            IpAddr::V6(ip) if ip.is_loopback() => Self::Loopback,
            IpAddr::V6(ip) if ip.segments()[..3] == [0xfd7a, 0x115c, 0xa1e0] => Self::Tailnet,
            IpAddr::V6(ip) if ip.is_unique_local() => Self::Private,
            IpAddr::V6(ip) if ip.is_unicast_link_local() => Self::LinkLocal,
            IpAddr::V4(_) | IpAddr::V6(_) => Self::Global,
        }
    }
}

/// All addresses of running interfaces, each once, in a fixed order. Starts a short-lived program on macOS: call it off
/// the async threads.
///
/// # Errors
/// What the system said.
pub fn list() -> io::Result<Vec<InterfaceAddress>> {
    let mut found = system_list()?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// The networks that this machine is attached to now: [`networks_of`] of [`list`].
///
/// # Errors
/// What the system said.
pub fn networks() -> io::Result<Vec<IpNet>> {
    Ok(networks_of(&list()?))
}

/// The directly attached networks of these addresses, each once, in a fixed order. Loopback is none, and neither is an
/// address without neighbours (/32, /128). On a rented server the neighbours of a [`Kind::Global`] address are
/// strangers: leave those addresses out where only friends are meant.
pub fn networks_of<'a>(addresses: impl IntoIterator<Item = &'a InterfaceAddress>) -> Vec<IpNet> {
    let mut networks: Vec<IpNet> = addresses
        .into_iter()
        .filter(|address| address.kind != Kind::Loopback)
        .filter_map(|address| IpNet::new(address.ip, address.prefix).ok())
        .filter(|network| network.prefix_len() < network.max_prefix_len())
        .map(|network| network.trunc())
        .collect();
    networks.sort();
    networks.dedup();
    networks
}

/// Follows the addresses: the receiver starts with the present ones and changes once they have been the same for a
/// second. Looks every `period`, on Linux also as soon as the kernel reports a change. Ends when every receiver is
/// dropped. The first look is taken before it returns: on macOS, call it off the async threads.
///
/// # Panics
/// Outside a tokio runtime.
pub fn watch(period: Duration) -> watch::Receiver<Arc<[InterfaceAddress]>> {
    // Before the first look, so that no change falls between the two.
    let alarm = watching::Alarm::open();
    let present = list().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be read");
        Vec::new()
    });
    let (sender, receiver) = watch::channel(Arc::from(present));
    tokio::spawn(async move {
        let looking = || async { tokio::task::spawn_blocking(list).await.ok()?.ok() };
        watching::follow(looking, alarm, period, &sender).await;
    });
    receiver
}

#[cfg(target_os = "linux")]
fn system_list() -> io::Result<Vec<InterfaceAddress>> {
    let mut found = running()?;
    let flags = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    if_inet6::mark(&mut found, &flags);
    Ok(found)
}

/// `ifconfig` alone tells temporary addresses from lasting ones without unsafe code; getifaddrs stands in for it.
#[cfg(target_os = "macos")]
fn system_list() -> io::Result<Vec<InterfaceAddress>> {
    let text = crate::command::output("/sbin/ifconfig", &["-a"], Duration::from_secs(3));
    match text.map(|text| ifconfig::parse(&text)).filter(|found| !found.is_empty()) {
        Some(found) => Ok(found),
        None => running(),
    }
}

fn running() -> io::Result<Vec<InterfaceAddress>> {
    let running = if_addrs::get_if_addrs()?.into_iter().filter(if_addrs::Interface::is_oper_up);
    Ok(running
        .map(|interface| InterfaceAddress::new(&interface.name, interface.ip(), prefix(&interface.addr)))
        .collect())
}

/// Counted from the mask's leading ones: macOS leaves what follows them undefined.
fn prefix(address: &if_addrs::IfAddr) -> u8 {
    let ones = match address {
        if_addrs::IfAddr::V4(v4) => v4.netmask.to_bits().leading_ones(),
        if_addrs::IfAddr::V6(v6) => v6.netmask.to_bits().leading_ones(),
    };
    u8::try_from(ones).unwrap_or(u8::MAX)
}

/// Some BSD interfaces write the zone into the second group of a link-local address, where the standard has zeros.
fn without_zone(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            let mut segments = v6.segments();
            segments[1] = 0;
            Ipv6Addr::from(segments).into()
        }
        other => other.to_canonical(),
    }
}

#[cfg(test)]
mod tests;
