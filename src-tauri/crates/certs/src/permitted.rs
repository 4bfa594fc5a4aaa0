//! What the local authority may vouch for: private names and addresses only (RFC 5280 §4.2.1.10).

use std::net::IpAddr;

use ipnet::IpNet;

use crate::Names;

/// A permitted set: names under some domains, addresses in some networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permitted {
    dns: Vec<String>,
    networks: Vec<IpNet>,
}

const DOMAINS: [&str; 5] = ["local", "localhost", "home.arpa", "internal", "ts.net"];
const NETWORKS: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

impl Permitted {
    /// What a new authority gets: `local`, `localhost`, `home.arpa`, `internal`, `ts.net`; RFC 1918, link-local,
    /// loopback and shared (RFC 6598) IPv4; unique-local, link-local and loopback IPv6.
    pub fn private() -> Self {
        let networks = NETWORKS.iter().filter_map(|text| text.parse().ok()).collect();
        Self::new(DOMAINS.map(str::to_owned).to_vec(), networks)
    }

    pub(crate) fn new(dns: Vec<String>, networks: Vec<IpNet>) -> Self {
        Self { dns, networks }
    }

    /// The domains.
    pub fn dns(&self) -> &[String] {
        &self.dns
    }

    /// The networks.
    pub fn networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// The names (canonical) that are allowed, and those that are not.
    pub fn split(&self, names: &Names) -> (Names, Names) {
        let (dns, other_dns) = names.dns.iter().cloned().partition(|name| self.allows_dns(name));
        let (ips, other_ips) = names.ips.iter().copied().partition(|ip| self.allows_ip(*ip));
        (Names { dns, ips }, Names { dns: other_dns, ips: other_ips })
    }

    /// Whether this (canonical) DNS name is one of the domains or below one.
    pub fn allows_dns(&self, name: &str) -> bool {
        self.dns.iter().any(|domain| match name.strip_suffix(domain.as_str()) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        })
    }

    /// Whether this address is in one of the networks.
    pub fn allows_ip(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&ip.to_canonical()))
    }
}

#[cfg(test)]
mod tests;
