//! What `ifconfig -a` of macOS says: the one place that marks temporary IPv6 addresses and needs no unsafe code.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::InterfaceAddress;

/// The addresses of running interfaces.
pub(super) fn parse(text: &str) -> Vec<InterfaceAddress> {
    let mut found = Vec::new();
    let mut interface = None;
    for line in text.lines() {
        if !line.starts_with(char::is_whitespace) {
            interface = header(line);
        } else if let Some(name) = interface {
            found.extend(address(name, line));
        }
    }
    found
}

/// `en0: flags=8863<UP,BROADCAST,RUNNING,…> mtu 1500`; nothing where it is not running.
fn header(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(": flags=")?;
    let flags = rest.split_once('<')?.1.split_once('>')?.0;
    let mut flags = flags.split(',');
    flags.any(|flag| flag == "RUNNING").then_some(name)
}

/// `inet 192.168.1.20 netmask 0xffffff00 …` or `inet6 fe80::1%en0 prefixlen 64 secured scopeid 0x4`.
fn address(interface: &str, line: &str) -> Option<InterfaceAddress> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |key: &str| words.iter().position(|word| *word == key).and_then(|at| words.get(at + 1));
    let text = words.get(1)?.split('%').next()?;
    let (ip, prefix): (IpAddr, u8) = match *words.first()? {
        "inet" => (text.parse::<Ipv4Addr>().ok()?.into(), mask(after("netmask")?)?),
        "inet6" => (text.parse::<Ipv6Addr>().ok()?.into(), after("prefixlen")?.parse().ok()?),
        _ => return None,
    };
    let mut address = InterfaceAddress::new(interface, ip, prefix);
    address.temporary = words.contains(&"temporary");
    address.deprecated =
        ["deprecated", "tentative", "duplicated", "detached"].iter().any(|flag| words.contains(flag));
    Some(address)
}

fn mask(text: &str) -> Option<u8> {
    let bits = u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
    u8::try_from(bits.leading_ones()).ok()
}
