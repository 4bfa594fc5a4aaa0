//! What kind of address a router has on its outside.

use std::fmt;
use std::net::Ipv4Addr;

/// What can be said of an address without asking anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// One that the internet can route to.
    Public,
    /// One of a private network (RFC 1918): there is another router behind this one.
    Private,
    /// One that a provider shares among customers (RFC 6598, carrier-grade NAT).
    Shared,
    /// One of a provider that carries IPv4 inside IPv6 (DS-Lite, RFC 6333, or 464XLAT).
    Tunnelled,
    /// One that cannot be anybody's: loopback, link-local, documentation, multicast, reserved.
    Unusable,
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Public => "a public address",
            Self::Private => "a private address, so another router is in front of it",
            Self::Shared => "an address that the provider shares among customers (carrier-grade NAT)",
            Self::Tunnelled => "an address inside the provider's IPv6 network (DS-Lite)",
            Self::Unusable => "an address that nobody can reach",
        })
    }
}

/// The kind of an address, by the registry of special-purpose addresses (RFC 6890).
#[must_use]
pub fn class(address: Ipv4Addr) -> Class {
    let [a, b, c, _] = address.octets();
    if address.is_private() {
        Class::Private
    } else if a == 100 && b & 0b1100_0000 == 64 {
        Class::Shared
    } else if [a, b, c] == [192, 0, 0] {
        Class::Tunnelled
    } else if a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 198 && b & 0b1111_1110 == 18)
    {
        Class::Unusable
    } else {
        Class::Public
    }
}
