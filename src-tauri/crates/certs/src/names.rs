//! The names and addresses that a certificate is for.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls_pki_types::DnsName;

use crate::CertError;

/// DNS names and IP addresses, without ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// DNS names; compared in lower case without a trailing dot.
    pub dns: BTreeSet<String>,
    /// Addresses; IPv4-mapped IPv6 addresses count as IPv4.
    pub ips: BTreeSet<IpAddr>,
}

impl Names {
    /// The names of this machine for itself: `localhost`, `127.0.0.1` and `::1`.
    pub fn loopback() -> Self {
        Self {
            dns: BTreeSet::from(["localhost".to_owned()]),
            ips: BTreeSet::from([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        }
    }

    /// The same names in the one spelling that certificates carry.
    ///
    /// # Errors
    /// [`CertError::InvalidName`] for what is no DNS name; internationalised names must come in their `xn--` form.
    pub fn canonical(&self) -> Result<Self, CertError> {
        let dns = self.dns.iter().map(|name| canonical_dns(name)).collect::<Result<_, _>>()?;
        let ips = self.ips.iter().map(IpAddr::to_canonical).collect();
        Ok(Self { dns, ips })
    }

    /// The wanted names that `self` lacks; empty = `self` covers them all. Both sides must be canonical.
    pub fn missing(&self, wanted: &Self) -> Self {
        Self {
            dns: wanted.dns.difference(&self.dns).cloned().collect(),
            ips: wanted.ips.difference(&self.ips).copied().collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.dns.len() + self.ips.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.ips.is_empty()
    }

    /// All of them as text, DNS names first, in a fixed order.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.dns.iter().cloned().chain(self.ips.iter().map(IpAddr::to_string))
    }
}

fn canonical_dns(name: &str) -> Result<String, CertError> {
    let lower = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    match DnsName::try_from(lower.as_str()) {
        Ok(_) => Ok(lower),
        Err(_) => Err(CertError::InvalidName { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests;
