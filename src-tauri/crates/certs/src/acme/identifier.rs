//! What a public certificate can be for: a DNS name, a wildcard, or an address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{CertError, Names, Permitted};

/// One name of a public certificate, in the spelling that certificates carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Identifier {
    /// A DNS name.
    Dns(String),
    /// Every name one label below this one (`*.example.org` holds `example.org`).
    Wildcard(String),
    /// An address.
    Ip(IpAddr),
}

/// Ends of names that are used at home and in companies and are nobody's in public DNS (RFC 6761, ICANN's reserved strings).
const NOBODYS: [&str; 10] =
    ["lan", "home", "corp", "mail", "localdomain", "intranet", "private", "test", "invalid", "onion"];

impl Identifier {
    /// What the authority is asked to check: the name itself, or the name under a wildcard.
    pub(crate) fn order(&self) -> instant_acme::Identifier {
        match self {
            Self::Dns(name) => instant_acme::Identifier::Dns(name.clone()),
            Self::Wildcard(parent) => instant_acme::Identifier::Dns(format!("*.{parent}")),
            Self::Ip(ip) => instant_acme::Identifier::Ip(*ip),
        }
    }

    /// The name that an authority sends in the handshake of tls-alpn-01: for an address its reverse name (RFC 8738 §6).
    pub fn challenge_name(&self) -> String {
        match self {
            Self::Dns(name) | Self::Wildcard(name) => name.clone(),
            Self::Ip(IpAddr::V4(ip)) => {
                let [a, b, c, d] = ip.octets();
                format!("{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            Self::Ip(IpAddr::V6(ip)) => {
                let nibbles: String = ip
                    .octets()
                    .iter()
                    .rev()
                    .map(|byte| format!("{:x}.{:x}.", byte & 15, byte >> 4))
                    .collect();
                nibbles + "ip6.arpa"
            }
        }
    }

    /// Where an authority looks for the TXT record of dns-01 (RFC 8555 §8.4).
    pub(crate) fn record_name(&self) -> String {
        format!("_acme-challenge.{}", self.challenge_name())
    }

    /// Whether a public authority could vouch for it. What is private is for the local authority.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub fn public(&self) -> Result<(), String> {
        let private = Permitted::private();
        match self {
            Self::Dns(name) | Self::Wildcard(name) => {
                if private.allows_dns(name) && !name.ends_with(".ts.net") {
                    return Err(format!(
                        "{name} is a private name; the local certificate authority serves it"
                    ));
                }
                let last = name.rsplit('.').next().unwrap_or_default();
                if NOBODYS.contains(&last) {
                    return Err(format!("{name} is no public name: nobody can own a domain of .{last}"));
                }
                if !name.contains('.') {
                    return Err(format!("{name} has no domain; public names look like home.example.org"));
                }
                Ok(())
            }
            Self::Ip(ip) if is_public(*ip) => Ok(()),
            Self::Ip(ip) => {
                Err(format!("{ip} is no public address; the local certificate authority serves it"))
            }
        }
    }
}

/// Whether packets of the whole internet could find this address (IANA special-purpose registries).
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a == 192 && b == 0 && c == 0);
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    (first & 0xe000) == 0x2000 && !documentation
}

impl FromStr for Identifier {
    type Err = CertError;

    fn from_str(text: &str) -> Result<Self, CertError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(ip.to_canonical()));
        }
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, text),
        };
        let names = Names { dns: [name.to_owned()].into(), ..Names::default() };
        let canonical = names.canonical().map_err(|_| CertError::InvalidName { name: text.to_owned() })?;
        match canonical.dns.into_iter().next() {
            Some(name) if wildcard => Ok(Self::Wildcard(name)),
            Some(name) => Ok(Self::Dns(name)),
            None => Err(CertError::InvalidName { name: text.to_owned() }),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => formatter.write_str(name),
            Self::Wildcard(parent) => write!(formatter, "*.{parent}"),
            Self::Ip(ip) => ip.fmt(formatter),
        }
    }
}

impl TryFrom<String> for Identifier {
    type Error = CertError;

    fn try_from(text: String) -> Result<Self, CertError> {
        text.parse()
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.to_string()
    }
}

#[cfg(test)]
mod tests;
