//! What `lsof -F` says: one field per line, the first character names it (lsof(8), "OUTPUT FOR OTHER PROGRAMS").

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::PortHolder;
#[cfg(target_os = "macos")]
use super::without_options;

#[cfg(target_os = "macos")]
pub(super) fn holder(port: u16) -> Option<PortHolder> {
    const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);
    let wanted = format!("-iTCP:{port}");
    let text = crate::command::output("/usr/sbin/lsof", &["-nP", &wanted, "-sTCP:LISTEN", "-Fpcutn"], LIMIT)?;
    let mut holder = parse(&text)?;
    if let Some(pid) = holder.pid {
        let pid = pid.to_string();
        let command = crate::command::output("/bin/ps", &["-o", "command=", "-p", &pid], LIMIT);
        holder.command = command.and_then(|line| without_options(line.split_whitespace()));
    }
    Some(holder)
}

/// The holder with the lowest address.
pub(super) fn parse(text: &str) -> Option<PortHolder> {
    let mut holders: Vec<PortHolder> = Vec::new();
    let mut ipv6 = false;
    for line in text.lines() {
        let mut rest = line.chars();
        let (Some(field), value) = (rest.next(), rest.as_str()) else { continue };
        if field == 'p' {
            holders.push(PortHolder { pid: value.parse().ok(), ..PortHolder::default() });
            continue;
        }
        let Some(holder) = holders.last_mut() else { continue };
        match field {
            'c' => holder.program = Some(value.to_owned()),
            'u' => holder.uid = value.parse().ok(),
            't' => ipv6 = value == "IPv6",
            'n' => holder.listening.extend(address(value, ipv6)),
            _ => {}
        }
    }
    for holder in &mut holders {
        holder.listening.sort();
        holder.listening.dedup();
    }
    holders.into_iter().filter(|h| !h.listening.is_empty()).min_by_key(|h| h.listening.first().copied())
}

/// `*:443`, `127.0.0.1:443` or `[::1]:443`.
fn address(text: &str, ipv6: bool) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let unspecified: IpAddr = if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let ip = if host == "*" { unspecified } else { host.split('%').next()?.parse().ok()? };
    Some(SocketAddr::new(ip, port))
}
