//! Hosts and authorities as strangers write them.
//!
//! [`Authority::parse`] accepts what names one host in one way and refuses everything else: no user part, no zone, no
//! empty or out-of-range port, no address in an unusual spelling (`127.1`, `0x7f000001`, `[::1%lo]`), nothing outside
//! ASCII. Two spellings of one host compare equal: case, one trailing dot and the form of an IPv6 address do not count.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::settings::ServedNames;

/// Longest DNS name, in characters (RFC 1035).
const NAME_MAX: usize = 253;
/// Longest label of a DNS name.
const LABEL_MAX: usize = 63;

/// A host: a name or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host<'a> {
    /// A DNS name in lower case without its trailing dot.
    Dns(Cow<'a, str>),
    /// An address; an IPv4-mapped IPv6 address is the IPv4 address.
    Ip(IpAddr),
}

/// A host with the port that was written behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port as it was written; `None` where none was.
    pub port: Option<&'a str>,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port`, `1.2.3.4:port` or `[v6]:port`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let host = Host::Ip(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?).to_canonical());
            let port = match rest {
                "" => None,
                _ => Some(port(rest.strip_prefix(':')?)?),
            };
            return Some(Self { host, port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, text)) => (host, Some(port(text)?)),
            None => (text, None),
        };
        Some(Self { host: name(host)?, port })
    }
}

impl Host<'_> {
    /// Whether this is `localhost`, `127.0.0.1` or `::1`: the names under which this machine reaches itself. Other
    /// addresses of 127.0.0.0/8 and names below `localhost` are not.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Dns(name) => name == "localhost",
            Self::Ip(address) => *address == Ipv4Addr::LOCALHOST || *address == Ipv6Addr::LOCALHOST,
        }
    }
}

impl ServedNames {
    /// Whether requests for `host` are served.
    #[must_use]
    pub fn serves(&self, host: &Host<'_>) -> bool {
        host.is_loopback()
            || match host {
                Host::Dns(name) => {
                    self.dns.contains(name.as_ref())
                        || (!self.below.is_empty()
                            && name.split_once('.').is_some_and(|(_, parent)| self.below.contains(parent)))
                }
                Host::Ip(address) => self.ips.contains(address),
            }
    }
}

fn port(text: &str) -> Option<&str> {
    let plain = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && text.parse::<u16>().is_ok_and(|port| port != 0)).then_some(text)
}

fn name(text: &str) -> Option<Host<'_>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || text.len() > NAME_MAX {
        return None;
    }
    let mut upper = false;
    let mut last = "";
    for label in text.split('.') {
        if label.is_empty() || label.len() > LABEL_MAX {
            return None;
        }
        for byte in label.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
                b'A'..=b'Z' => upper = true,
                _ => return None,
            }
        }
        last = label;
    }
    if ends_in_number(last) {
        return text.parse::<Ipv4Addr>().ok().map(|address| Host::Ip(IpAddr::V4(address)));
    }
    Some(Host::Dns(if upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }))
}

/// A name that ends in a number is an IPv4 address to a browser (WHATWG URL, "ends in a number"), however it is
/// spelled: only the usual spelling is let through.
fn ends_in_number(label: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits(label) || label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")).is_some_and(hex)
}

#[cfg(test)]
mod tests;
