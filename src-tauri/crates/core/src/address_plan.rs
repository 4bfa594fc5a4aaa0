//! Which addresses are opened, for whom, and what the certificate, the edge and the gateway must know for it.
//!
//! A pure function of the machine and of the wish: no clock, no network, no file. Guarantees: what is advertised is
//! stable (no address that the system replaces every day), every advertised address is in a certificate and among the
//! served names, a public name or address is for a public authority and never for the local one, and of the others the
//! local authority is asked only for what it may vouch for, except where the user asked for that name, who then gets told.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gatehouse_api::{AddressScope, Code, ErrorEnvelope, Scope, Text, say};
use gatehouse_certs::acme::Identifier;
use gatehouse_certs::{Names, Permitted};
use gatehouse_edge::{AllowedClients, OwnAddresses, ServedNames};
use gatehouse_host::addresses::{InterfaceAddress, Kind, networks_of};
use gatehouse_host::names::HostNames;
use ipnet::IpNet;

use crate::brought::covers;

/// The most names that one certificate gets.
pub const NAMES_LIMIT: usize = 40;
const RECENT_LIMIT: usize = 12;
const STANDARD_PORT: u16 = 443;

/// What is wished for.
#[derive(Debug, Clone)]
pub struct AddressesWanted<'a> {
    /// For whom.
    pub scope: Scope,
    /// Names and addresses that the user adds.
    pub hosts: &'a [String],
    /// Only clients in these networks, in CIDR notation; empty = the scope's own rule.
    pub only: &'a [String],
    /// The HTTPS port.
    pub port: u16,
    /// The names of the certificate that is served now: devices may still use its addresses.
    pub recent: Option<&'a Names>,
    /// The port at which the internet reaches the HTTPS port, where a router opens it; `None` = the same.
    pub public_port: Option<u16>,
    /// What the user's own certificates are for: it is opened, too, and no other certificate is needed for it.
    pub imported: Option<&'a Names>,
}

/// One address to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAddress {
    /// As a user types it: no default port, no trailing slash. This is also its origin.
    pub url: String,
    /// From where it can be reached.
    pub scope: AddressScope,
    /// The host of the URL, IPv6 without brackets.
    pub host: String,
    /// Where a client on this machine reaches it without asking a name server.
    pub connect: SocketAddr,
}

impl PlannedAddress {
    /// Whether its certificate must be one of a public authority.
    #[must_use]
    pub fn is_public(&self) -> bool {
        host_of(&self.host).public(&Permitted::private()).is_some()
    }
}

/// What is opened, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPlan {
    /// Best first.
    pub addresses: Vec<PlannedAddress>,
    /// Names that the edge answers to.
    pub served: ServedNames,
    /// Who may connect.
    pub clients: AllowedClients,
    /// This machine's own addresses.
    pub own: OwnAddresses,
    /// What the local authority's certificate is for.
    pub certificate: Names,
    /// What needs a certificate of a public authority.
    pub public: Vec<Identifier>,
    /// What the user should know.
    pub warnings: Vec<Text>,
}

impl AddressPlan {
    /// The origins that browsers send for the addresses and that the gateway has to allow. Those of loopback need no
    /// entry (openclaw-gateway §5.2 d) unless a proxy is declared in front (`fronted`), as nobody is local then; another name
    /// needs one even if only this machine may come, for a tunnel on it may bring others.
    pub fn origins(&self, fronted: bool) -> impl Iterator<Item = &str> {
        self.addresses
            .iter()
            .filter(move |address| {
                fronted || address.scope != AddressScope::Mac || !is_loopback(&address.host)
            })
            .map(|address| address.url.as_str())
    }
}

/// Whether this host, as browsers write it but without brackets, is this machine for itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A host as a user types it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

/// Decides.
///
/// # Errors
/// `usage` for a host or network that is none; `no-address` where nothing can be opened.
pub fn plan(
    wanted: &AddressesWanted<'_>,
    addresses: &[InterfaceAddress],
    names: &HostNames,
) -> Result<AddressPlan, ErrorEnvelope> {
    let hosts = wanted.hosts.iter().map(|text| parse_host(text)).collect::<Result<Vec<_>, _>>()?;
    let only = wanted.only.iter().map(|text| parse_network(text)).collect::<Result<Vec<_>, _>>()?;
    let own = own_addresses(addresses);
    let permitted = Permitted::private();
    let mut warnings = Vec::new();
    let mut opened = Opened {
        port: wanted.port,
        public_port: wanted.public_port.unwrap_or(wanted.port),
        own: &own,
        addresses: Vec::new(),
    };

    let imported = wanted.imported.cloned().unwrap_or_default();
    for host in hosts.iter().chain(&imported_hosts(&imported)) {
        opened.host(host, wanted.scope);
    }
    match wanted.scope {
        Scope::Mac => {}
        Scope::Lan => opened.machine(addresses, names, &permitted),
        Scope::Internet
            if !imported.is_empty() || hosts.iter().any(|host| host.public(&permitted).is_some()) => {}
        Scope::Internet => opened.public(addresses),
    }
    if opened.addresses.is_empty() && wanted.scope != Scope::Mac {
        return Err(no_address(wanted.scope, addresses));
    }
    opened.loopback(wanted.scope);

    let mut served = served(&hosts, addresses, names, wanted.scope);
    serve_imported(&mut served, &imported);
    let mut certificate = certificate(&hosts, &opened.addresses, &served, &permitted);
    if wanted.scope != Scope::Mac {
        add_own(&mut certificate, addresses, &permitted);
    }
    certificate.dns.retain(|name| permitted.allows_dns(name) || !covers(&imported, name));
    certificate.ips.retain(|ip| permitted.allows_ip(*ip) || !imported.ips.contains(ip));
    let surplus = add_recent(&mut certificate, wanted.recent, &permitted);
    if surplus > 0 {
        warnings.push(say!("core.names.surplus", count = surplus));
    }
    if certificate.len() > NAMES_LIMIT {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.names.too-many"),
            say!("core.names.limit", count = certificate.len(), limit = NAMES_LIMIT),
        )
        .fix(say!("core.names.fewer-hosts")));
    }
    let clients = clients(wanted.scope, only, addresses);
    let mut public = public(&opened.addresses, &permitted);
    public.retain(|one| !covers(&imported, &one.to_string()));
    Ok(AddressPlan { addresses: opened.addresses, served, clients, own, certificate, public, warnings })
}

impl Host {
    /// What a public authority is asked for; `None` = it is private.
    fn public(&self, permitted: &Permitted) -> Option<Identifier> {
        let (identifier, private) = match self {
            Self::Name(name) => (Identifier::Dns(name.clone()), permitted.allows_dns(name)),
            Self::Address(ip) => (Identifier::Ip(*ip), permitted.allows_ip(*ip)),
        };
        (!private && identifier.public().is_ok()).then_some(identifier)
    }
}

/// Names and addresses that an imported certificate is for, as far as they name one host.
fn imported_hosts(imported: &Names) -> Vec<Host> {
    let plain = imported.dns.iter().filter(|name| !name.starts_with("*."));
    let names = plain.filter_map(|name| parse_host(name).ok());
    names.chain(imported.ips.iter().map(|ip| Host::Address(*ip))).collect()
}

fn serve_imported(served: &mut ServedNames, imported: &Names) {
    for name in &imported.dns {
        match name.strip_prefix("*.") {
            Some(parent) => served.below.insert(parent.to_owned()),
            None => served.dns.insert(name.clone()),
        };
    }
    served.ips.extend(imported.ips.iter().copied());
}

/// What of these addresses needs a certificate of a public authority.
fn public(addresses: &[PlannedAddress], permitted: &Permitted) -> Vec<Identifier> {
    let hosts = addresses.iter().map(|address| host_of(&address.host));
    hosts.filter_map(|host| host.public(permitted)).collect()
}

fn host_of(text: &str) -> Host {
    text.parse().map_or_else(|_| Host::Name(text.to_owned()), Host::Address)
}

/// Collects addresses, each URL once.
struct Opened<'a> {
    port: u16,
    public_port: u16,
    own: &'a OwnAddresses,
    addresses: Vec<PlannedAddress>,
}

impl Opened<'_> {
    fn host(&mut self, host: &Host, scope: Scope) {
        let scope = match (host, scope) {
            (_, Scope::Mac) => AddressScope::Mac,
            (Host::Name(name), _) if name.ends_with(".ts.net") => AddressScope::Tailnet,
            (_, Scope::Internet) => AddressScope::Internet,
            (_, Scope::Lan) => AddressScope::Lan,
        };
        match host {
            Host::Name(name) => self.name(name, scope),
            Host::Address(ip) => self.ip(*ip, scope),
        }
    }

    fn machine(&mut self, addresses: &[InterfaceAddress], names: &HostNames, permitted: &Permitted) {
        for name in names.local.iter().chain(&names.host) {
            if permitted.allows_dns(name) && name.contains('.') {
                self.name(name, AddressScope::Lan);
            }
        }
        let mut ips: Vec<(AddressScope, IpAddr)> = stable(addresses)
            .filter(|address| permitted.allows_ip(address.ip) && !is_virtual(&address.interface))
            .filter_map(|address| match address.kind {
                Kind::Private => Some((AddressScope::Lan, address.ip)),
                Kind::Tailnet => Some((AddressScope::Tailnet, address.ip)),
                Kind::Loopback | Kind::LinkLocal | Kind::Global => None,
            })
            .collect();
        ips.sort_by_key(|(scope, ip)| (*scope != AddressScope::Lan, ip.is_ipv6()));
        for (scope, ip) in ips {
            self.ip(ip, scope);
        }
    }

    fn public(&mut self, addresses: &[InterfaceAddress]) {
        for address in stable(addresses).filter(|address| address.kind == Kind::Global) {
            self.ip(address.ip, AddressScope::Internet);
        }
    }

    /// For a browser on this machine, whoever else may come.
    fn loopback(&mut self, scope: Scope) {
        self.name("localhost", AddressScope::Mac);
        if scope == Scope::Mac {
            self.ip(Ipv4Addr::LOCALHOST.into(), AddressScope::Mac);
        }
    }

    fn name(&mut self, name: &str, scope: AddressScope) {
        let ip = match (scope, self.own.v4, self.own.v6) {
            (AddressScope::Mac, _, _) | (_, None, None) => Ipv4Addr::LOCALHOST.into(),
            (_, Some(v4), _) => v4.into(),
            (_, None, Some(v6)) => v6.into(),
        };
        self.push(name.to_owned(), name, scope, ip);
    }

    /// An address that is not on an interface belongs to a router in front: this machine reaches itself instead.
    fn ip(&mut self, ip: IpAddr, scope: AddressScope) {
        let here = ip.is_loopback() || self.own.contains(ip);
        let connect = match (here, self.own.v4) {
            (true, _) => ip,
            (false, Some(v4)) => v4.into(),
            (false, None) => Ipv4Addr::LOCALHOST.into(),
        };
        self.push(ip.to_string(), &gatehouse_api::snapshot::url_host(ip), scope, connect);
    }

    fn push(&mut self, host: String, in_url: &str, scope: AddressScope, connect: IpAddr) {
        let from_outside = scope == AddressScope::Internet;
        let url = match if from_outside { self.public_port } else { self.port } {
            STANDARD_PORT => format!("https://{in_url}"),
            port => format!("https://{in_url}:{port}"),
        };
        if self.addresses.iter().all(|address| address.url != url) {
            let connect = SocketAddr::new(connect, self.port);
            self.addresses.push(PlannedAddress { url, scope, host, connect });
        }
    }
}

fn served(hosts: &[Host], addresses: &[InterfaceAddress], names: &HostNames, scope: Scope) -> ServedNames {
    let mut served = ServedNames::default();
    for host in hosts {
        match host {
            Host::Name(name) => served.dns.insert(name.clone()),
            Host::Address(ip) => served.ips.insert(*ip),
        };
    }
    if scope == Scope::Mac {
        return served;
    }
    served.dns.extend(names.local.clone());
    served.dns.extend(names.host.clone());
    served.ips.extend(addresses.iter().filter(|a| a.kind != Kind::Loopback).map(|a| a.ip.to_canonical()));
    served
}

/// Loopback, what is advertised, and what else this machine is stably called.
fn certificate(
    hosts: &[Host],
    addresses: &[PlannedAddress],
    served: &ServedNames,
    permitted: &Permitted,
) -> Names {
    let mut names = Names::loopback();
    let advertised: Vec<Host> = addresses.iter().map(|address| host_of(&address.host)).collect();
    for host in hosts.iter().chain(&advertised).filter(|host| host.public(permitted).is_none()) {
        match host {
            Host::Name(name) => names.dns.insert(name.clone()),
            Host::Address(ip) => names.ips.insert(*ip),
        };
    }
    names.dns.extend(served.dns.iter().filter(|name| permitted.allows_dns(name)).cloned());
    names
}

/// Whatever this machine is stably reached by belongs into the certificate, advertised or not.
fn add_own(names: &mut Names, addresses: &[InterfaceAddress], permitted: &Permitted) {
    let room = NAMES_LIMIT.saturating_sub(names.len());
    let usable = |address: &&InterfaceAddress| match address.kind {
        Kind::Private | Kind::Tailnet => true,
        Kind::LinkLocal => address.ip.is_ipv4(),
        Kind::Loopback | Kind::Global => false,
    };
    let own = stable(addresses).filter(usable).map(|address| address.ip.to_canonical());
    let new: BTreeSet<IpAddr> =
        own.filter(|ip| permitted.allows_ip(*ip) && !names.ips.contains(ip)).collect();
    names.ips.extend(new.into_iter().take(room));
}

fn stable(addresses: &[InterfaceAddress]) -> impl Iterator<Item = &InterfaceAddress> {
    addresses.iter().filter(|address| !address.temporary && !address.deprecated)
}

/// Bridges of containers and virtual machines: no other device is on them.
fn is_virtual(interface: &str) -> bool {
    const BEGINNINGS: [&str; 7] = ["docker", "br-", "virbr", "lxcbr", "cni", "vmnet", "bridge1"];
    BEGINNINGS.iter().any(|beginning| interface.starts_with(beginning))
}

/// Keeps addresses of before in the certificate, so that a machine that comes back to a network needs no new one.
/// Returns how many did not fit.
fn add_recent(names: &mut Names, recent: Option<&Names>, permitted: &Permitted) -> usize {
    let Some(recent) = recent else { return 0 };
    let missing = names.missing(recent);
    let room = NAMES_LIMIT.saturating_sub(names.len()).min(RECENT_LIMIT);
    let fit = |ip: &IpAddr| permitted.allows_ip(*ip);
    let before: Vec<IpAddr> = missing.ips.into_iter().filter(fit).collect();
    names.ips.extend(before.iter().take(room));
    before.len().saturating_sub(room)
}

fn clients(scope: Scope, only: Vec<IpNet>, addresses: &[InterfaceAddress]) -> AllowedClients {
    match scope {
        Scope::Mac => AllowedClients::LoopbackOnly,
        Scope::Lan | Scope::Internet if !only.is_empty() => AllowedClients::Networks(only),
        Scope::Internet => AllowedClients::Any,
        Scope::Lan => {
            let mut networks: BTreeSet<IpNet> = networks_of(addresses).into_iter().collect();
            networks.insert(IpNet::V6(link_local_v6()));
            if addresses.iter().any(is_tailscale) {
                networks.extend(tailnets());
            }
            AllowedClients::Networks(networks.into_iter().collect())
        }
    }
}

fn own_addresses(addresses: &[InterfaceAddress]) -> OwnAddresses {
    let best = |ipv6: bool| {
        addresses
            .iter()
            .filter(|address| address.ip.is_ipv6() == ipv6 && address.kind != Kind::Loopback)
            .filter(|address| !(ipv6 && address.kind == Kind::LinkLocal))
            .min_by_key(|address| (address.deprecated, address.temporary, rank(address.kind)))
            .map(|address| address.ip)
    };
    let v4 = best(false).and_then(|ip| match ip {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    });
    let v6 = best(true).and_then(|ip| match ip {
        IpAddr::V6(v6) => Some(v6),
        IpAddr::V4(_) => None,
    });
    let all: BTreeSet<IpAddr> = addresses
        .iter()
        .filter(|address| address.kind != Kind::Loopback)
        .map(|address| address.ip.to_canonical())
        .collect();
    OwnAddresses { v4, v6, all: all.into_iter().collect() }
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Private => 0,
        Kind::Global => 1,
        Kind::Tailnet => 2,
        Kind::LinkLocal => 3,
        Kind::Loopback => 4,
    }
}

/// Tailscale gives an interface one address without a network; a provider that shares addresses gives a network.
fn is_tailscale(address: &InterfaceAddress) -> bool {
    address.kind == Kind::Tailnet && address.prefix == if address.ip.is_ipv4() { 32 } else { 128 }
}

/// 100.64.0.0/10 and fd7a:115c:a1e0::/48.
fn tailnets() -> [IpNet; 2] {
    [
        IpNet::new_assert(Ipv4Addr::new(100, 64, 0, 0).into(), 10),
        IpNet::new_assert(Ipv6Addr::new(0xfd7a, 0x115c, 0xa1e0, 0, 0, 0, 0, 0).into(), 48),
    ]
}

/// Names that end in `.local` lead to these addresses on many devices.
fn link_local_v6() -> ipnet::Ipv6Net {
    ipnet::Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)
}

fn parse_host(text: &str) -> Result<Host, ErrorEnvelope> {
    let bare = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let unbracketed = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&bare);
    if let Ok(ip) = unbracketed.parse::<IpAddr>() {
        return Ok(Host::Address(ip.to_canonical()));
    }
    match rustls_pki_types::DnsName::try_from(bare.as_str()) {
        Ok(_) if !bare.starts_with("*.") => Ok(Host::Name(bare)),
        Ok(_) | Err(_) => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.host.not-one", text = text),
            say!("core.host.what"),
        )
        .fix(say!("core.host.example"))),
    }
}

fn parse_network(text: &str) -> Result<IpNet, ErrorEnvelope> {
    let text = text.trim();
    let network = text.parse::<IpNet>().map(|network| network.trunc());
    network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        ErrorEnvelope::new(Code::Usage, say!("core.network.not-one", text = text), say!("core.network.what"))
            .fix(say!("core.network.example"))
    })
}

fn no_address(scope: Scope, addresses: &[InterfaceAddress]) -> ErrorEnvelope {
    let seen: Vec<String> = addresses.iter().map(|a| format!("{} {}", a.interface, a.ip)).collect();
    let (because, fix, command) = match scope {
        Scope::Internet => (
            say!("core.no-address.internet"),
            say!("core.no-address.internet-fix"),
            "gatehouse open --to internet --host NAME",
        ),
        Scope::Lan | Scope::Mac => (
            say!("core.no-address.lan"),
            say!("core.no-address.lan-fix"),
            "gatehouse open --to lan --host NAME",
        ),
    };
    ErrorEnvelope::new(Code::NoAddress, say!("core.no-address.title"), because)
        .evidence(say!("core.no-address.seen", addresses = seen.join(", ")))
        .fix_with(fix, command)
}

#[cfg(test)]
mod tests;
