//! Whose request it is.
//!
//! [`attribute`] never guesses: it says *local*, or one address that is not loopback, or refuses. A request is local
//! only if all four hold: the peer is loopback, it asked for a loopback name, it brought no forwarding evidence, and no
//! front proxy is configured. Local requests are the ones that the gateway trusts without an approval, so the rule may
//! refuse too much but never say local too often.

mod chain;

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::EdgeError;
use crate::headers::forwarding;
use crate::settings::{FrontProxy, OwnAddresses};

/// The other end of a connection. Made once per connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    address: IpAddr,
    header: HeaderValue,
    /// A proxy on the network passed the connection on: whatever it says, nobody on it is local.
    relayed: bool,
}

impl Peer {
    /// The peer with this address; an IPv4-mapped IPv6 address is the IPv4 address.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, header: text(address), relayed: false }
    }

    /// The client of whom a proxy said so in a PROXY header. Where that is loopback, it is nobody: neither this machine
    /// nor a client that can be named.
    #[must_use]
    pub fn relayed(address: IpAddr) -> Self {
        Self { relayed: true, ..Self::new(address) }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

/// Whom a request is attributed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// A person or program on this machine that asked for this machine. The gateway may trust it as such.
    Local(IpAddr),
    /// Everybody else. The gateway is told the address and asks for an approval.
    Remote {
        /// Never loopback, unspecified or multicast.
        address: IpAddr,
        /// The address as the value of `X-Forwarded-For`.
        header: HeaderValue,
    },
}

impl Client {
    /// The address for logs and limits.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        match self {
            Self::Local(address) | Self::Remote { address, .. } => *address,
        }
    }

    /// Whether it is local.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    fn remote(address: IpAddr) -> Result<Self, EdgeError> {
        if sendable(address) {
            Ok(Self::Remote { address, header: text(address) })
        } else {
            Err(EdgeError::ClientUnattributable)
        }
    }
}

/// Decides whose request it is.
///
/// `loopback_name` is [`crate::gate::Admitted::loopback_name`]; `headers` are the client's, before any rewrite.
///
/// # Errors
/// [`EdgeError::TunnelUndeclared`] when something on this machine passes requests on that nobody declared;
/// [`EdgeError::ClientUnattributable`] when nobody can say whose request it is.
pub fn attribute(
    peer: &Peer,
    loopback_name: bool,
    headers: &HeaderMap,
    own: &OwnAddresses,
    front: &FrontProxy,
) -> Result<Client, EdgeError> {
    if peer.relayed && !sendable(peer.address) {
        return Err(EdgeError::ClientUnattributable);
    }
    if let FrontProxy::Trusted { peers, client_header } = front
        && front.trusts(peer.address)
    {
        let address = chain::client(headers, client_header, peers).ok_or(EdgeError::ClientUnattributable)?;
        return Client::remote(address);
    }
    let here = peer.address.is_loopback() || (!peer.relayed && own.contains(peer.address));
    if let FrontProxy::Tunnel { secret, client_header } = front
        && here
        && secret.is_shown(headers)
    {
        let address = chain::client(headers, client_header, &[]).ok_or(EdgeError::ClientUnattributable)?;
        return Client::remote(address);
    }
    // Tunnels on this machine are often sent to its name or address on the network, which our certificate is for.
    if here && evidence(headers).is_some() {
        return Err(EdgeError::TunnelUndeclared);
    }
    if !peer.address.is_loopback() {
        return if sendable(peer.address) {
            Ok(Client::Remote { address: peer.address, header: peer.header.clone() })
        } else {
            Err(EdgeError::ClientUnattributable)
        };
    }
    if loopback_name && *front == FrontProxy::None {
        return Ok(Client::Local(peer.address));
    }
    Client::remote(own_address(own, peer.address).ok_or(EdgeError::ClientUnattributable)?)
}

/// The first header that only a proxy adds.
#[must_use]
pub fn evidence(headers: &HeaderMap) -> Option<&HeaderName> {
    headers.keys().find(|name| forwarding(name))
}

/// This machine's network address: of the family that the peer used, else of the other, IPv4 first.
fn own_address(own: &OwnAddresses, peer: IpAddr) -> Option<IpAddr> {
    let v4 = own.v4.map(IpAddr::V4);
    let v6 = own.v6.map(IpAddr::V6);
    if peer.is_ipv6() { v6.or(v4) } else { v4.or(v6) }
}

/// Whether an address can stand for one client.
fn sendable(address: IpAddr) -> bool {
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address == Ipv4Addr::BROADCAST
        || address.to_canonical() != address)
}

fn text(address: IpAddr) -> HeaderValue {
    HeaderValue::try_from(address.to_string()).unwrap_or(HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests;
