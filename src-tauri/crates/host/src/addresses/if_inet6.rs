//! The flags of IPv6 addresses on Linux, from `/proc/net/if_inet6`: address, index, prefix, scope, flags, name, all
//! numbers in hexadecimal (flags as in `linux/if_addr.h`).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::InterfaceAddress;

const TEMPORARY: u8 = 0x01;
const DUPLICATE: u8 = 0x08;
const DEPRECATED: u8 = 0x20;
const TENTATIVE: u8 = 0x40;

/// Marks the temporary and deprecated ones among `addresses`.
pub(super) fn mark(addresses: &mut [InterfaceAddress], table: &str) {
    let flags: HashMap<(&str, IpAddr), u8> = table.lines().filter_map(line).collect();
    for address in addresses {
        let Some(flags) = flags.get(&(address.interface.as_str(), address.ip)) else { continue };
        address.temporary = flags & TEMPORARY != 0;
        address.deprecated = flags & (DUPLICATE | DEPRECATED | TENTATIVE) != 0;
    }
}

fn line(line: &str) -> Option<((&str, IpAddr), u8)> {
    let mut fields = line.split_whitespace();
    let bits = u128::from_str_radix(fields.next()?, 16).ok()?;
    let flags = u8::from_str_radix(fields.nth(3)?, 16).ok()?;
    let name = fields.next()?;
    Some(((name, Ipv6Addr::from_bits(bits).into()), flags))
}
