//! Browser origins: what a browser sends, and which of them the gateway lets in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which rule lets an origin in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The list contains it.
    Listed,
    /// The list contains `*`.
    Wildcard,
    /// A private address or name that equals the Host needs no entry.
    PrivateSameOrigin,
    /// The gateway is set to accept any origin that equals the Host.
    HostHeaderFallback,
    /// Nothing.
    Refused,
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{because}")]
pub struct NotAnOrigin {
    /// Why, as a sentence.
    pub because: String,
}

/// What a browser sends for an address as people type it: scheme and host in lower case, default port dropped, no path.
/// Without a scheme, `https` is meant.
///
/// # Errors
/// [`NotAnOrigin`].
pub fn canonical(text: &str) -> Result<String, NotAnOrigin> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("null") {
        return Err(
            not("null is what pages without an origin send; the gateway never lets it in".to_owned()),
        );
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("https".to_owned(), text),
    };
    let Some(default_port) = default_port(&scheme) else {
        return Err(not(format!("a browser origin begins with https:// or http://, not {scheme}://")));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(not("a browser origin holds no user name".to_owned()));
    }
    let (host, port) =
        split(authority).ok_or_else(|| not(format!("{authority:?} is no host with a port")))?;
    let host = host_name(host)?;
    Ok(match port {
        Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
        Some(_) | None => format!("{scheme}://{host}"),
    })
}

/// Why an entry of the gateway's list can never match what a browser sends; `None` = it can.
///
/// The gateway compares entries as they stand, only trimmed and in lower case.
#[must_use]
pub fn never_matches(entry: &str) -> Option<String> {
    let entry = entry.trim().to_ascii_lowercase();
    if entry == "*" {
        return None;
    }
    let Some((scheme, rest)) = entry.split_once("://") else {
        return Some("it has no scheme: browsers send https://…".to_owned());
    };
    if entry.contains('*') {
        return Some("patterns are not supported: every host needs an entry of its own".to_owned());
    }
    if rest.contains('/') {
        let what = if rest.ends_with('/') && rest.matches('/').count() == 1 {
            "a slash at its end"
        } else {
            "a path"
        };
        return Some(format!("it has {what}, which browsers never send"));
    }
    if default_port(scheme).is_none() {
        // An app's or extension's own scheme: sent as it stands.
        return (rest.is_empty()).then(|| "it has no host".to_owned());
    }
    match canonical(&entry) {
        Err(error) => Some(error.because),
        Ok(sent) if sent == entry => None,
        Ok(sent) => Some(format!("browsers send {sent} instead")),
    }
}

/// Which rule of the gateway lets a browser in that comes through a proxy: `list` as in the configuration, `origin` and
/// `host` (with its port) as the gateway receives them.
#[must_use]
pub fn match_rule(list: &[String], origin: &str, host: &str, host_header_fallback: bool) -> Match {
    if origin.trim().is_empty() || origin.trim() == "null" {
        return Match::Refused;
    }
    if list.iter().any(|entry| entry.trim() == "*") {
        return Match::Wildcard;
    }
    let sent = canonical(origin).unwrap_or_else(|_| origin.trim().to_ascii_lowercase());
    if list.iter().any(|entry| entry.trim().to_ascii_lowercase() == sent) {
        return Match::Listed;
    }
    if !same_host(&sent, host) {
        return Match::Refused;
    }
    if is_private_host(host) {
        Match::PrivateSameOrigin
    } else if host_header_fallback {
        Match::HostHeaderFallback
    } else {
        Match::Refused
    }
}

/// Whether the gateway counts the host of a `Host` header as private: then an origin that equals it needs no entry.
/// Loopback counts only for clients on the gateway's machine, which never come through a proxy.
#[must_use]
pub fn is_private_host(host: &str) -> bool {
    let Some((name, _)) = split(host) else { return false };
    let name = name.to_ascii_lowercase();
    match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => is_private_v4(ip),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => ip.is_unique_local() || ip.is_unicast_link_local(),
        },
        Err(_) => name.ends_with(".local") || name.ends_with(".ts.net"),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
}

/// Origin host and port equal the Host header; the scheme is not looked at.
fn same_host(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let Some(default) = default_port(scheme) else { return false };
    let both = (split(authority), split(host.trim()));
    let (Some((a, a_port)), Some((b, b_port))) = both else { return false };
    a.eq_ignore_ascii_case(b) && a_port.unwrap_or(default) == b_port.unwrap_or(default)
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// Host and port of an authority; brackets stay on an IPv6 address.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let rest = &authority[end..];
        (&authority[..end], if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port = match port {
        None => None,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0)?)
        }
        Some(_) => return None,
    };
    (!host.is_empty()).then_some((host, port))
}

fn host_name(host: &str) -> Result<String, NotAnOrigin> {
    if let Some(inner) = host.strip_prefix('[') {
        let text = inner.strip_suffix(']').unwrap_or_default();
        let ip: Ipv6Addr = text.parse().map_err(|_| not(format!("{host} is no IPv6 address")))?;
        return Ok(format!("[{ip}]"));
    }
    let name = host.to_ascii_lowercase();
    let fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let labels = name.strip_suffix('.').unwrap_or(&name);
    if !name.is_ascii() {
        return Err(not(format!("browsers send {host} in its ASCII form (xn--…)")));
    }
    if labels.len() > 253 || !labels.split('.').all(fits) {
        return Err(not(format!("{host:?} is no host name")));
    }
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    if labels.split('.').next_back().is_some_and(is_number) && name.parse::<Ipv4Addr>().is_err() {
        return Err(not(format!("{host} is no IPv4 address")));
    }
    Ok(name)
}

fn not(because: String) -> NotAnOrigin {
    NotAnOrigin { because }
}

#[cfg(test)]
mod tests;
