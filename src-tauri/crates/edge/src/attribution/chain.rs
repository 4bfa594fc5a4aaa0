//! The client's address as a trusted front proxy tells it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The client's address in `client_header`; `None` where it is missing, garbage, or said more than once.
///
/// Lists (`X-Forwarded-For`, `Forwarded`) are read from the right, over all lines: hops within `trusted` are the proxies
/// themselves, the first other one is the client. Whatever stands further left was written by strangers and is not
/// looked at. Any other header holds one address on one line.
pub(super) fn client(headers: &HeaderMap, client_header: &HeaderName, trusted: &[IpNet]) -> Option<IpAddr> {
    let parse: fn(&str) -> Option<IpAddr> = match client_header.as_str() {
        "x-forwarded-for" | "x-original-forwarded-for" => hop,
        "forwarded" => forwarded_hop,
        _ => {
            let mut lines = headers.get_all(client_header).iter();
            let only = lines.next()?;
            return if lines.next().is_none() { hop(only.to_str().ok()?) } else { None };
        }
    };
    // Lines are joined in the order in which they came (RFC 9110 §5.3).
    for line in headers.get_all(client_header).iter().rev() {
        for text in line.to_str().ok()?.rsplit(',') {
            let address = parse(text.trim_matches([' ', '\t']))?;
            if !trusted.iter().any(|network| network.contains(&address)) {
                return Some(address);
            }
        }
    }
    None
}

/// `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5678`.
fn hop(text: &str) -> Option<IpAddr> {
    let bare = || text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    // A zone means nothing to anybody else.
    let with_port =
        || text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%')).map(|socket| socket.ip());
    bare().or_else(bracketed).or_else(with_port).map(|address| address.to_canonical())
}

/// The `for` of one element of `Forwarded` (RFC 7239). A comma within quotes is not a valid address either way.
fn forwarded_hop(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    let value = found?.trim_matches([' ', '\t']);
    match value.strip_prefix('"') {
        Some(rest) => hop(rest.strip_suffix('"')?),
        // Outside quotes neither brackets nor colons are allowed.
        None => value.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}
