//! The router of the default route.

use std::net::Ipv4Addr;

/// Its address, where there is a default route over IPv4. Starts a short-lived program on macOS: call it off the async
/// threads.
#[must_use]
pub fn router() -> Option<Ipv4Addr> {
    #[cfg(target_os = "macos")]
    {
        let limit = std::time::Duration::from_secs(3);
        let text = crate::command::output("/sbin/route", &["-n", "get", "-inet", "default"], limit)?;
        from_route(&text)
    }
    #[cfg(not(target_os = "macos"))]
    {
        from_proc(&std::fs::read_to_string("/proc/thread-self/net/route").ok()?)
    }
}

/// `/proc/net/route` (proc(5)): addresses in hexadecimal, in the byte order of the machine; the smallest metric wins.
#[cfg(any(not(target_os = "macos"), test))]
fn from_proc(text: &str) -> Option<Ipv4Addr> {
    let route = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, destination, router, flags, _, _, metric, mask, ..] = fields[..] else { return None };
        let number = |text| u32::from_str_radix(text, 16).ok();
        let goes_by_router = number(flags)? & 0x3 == 0x3;
        let is_default = number(destination)? == 0 && number(mask)? == 0;
        let router = Ipv4Addr::from(number(router)?.to_ne_bytes());
        (goes_by_router && is_default && !router.is_unspecified())
            .then_some((metric.parse::<u32>().ok()?, router))
    };
    text.lines().skip(1).filter_map(route).min_by_key(|(metric, _)| *metric).map(|(_, router)| router)
}

/// `route -n get default` of macOS: `    gateway: 192.168.1.1`.
#[cfg(any(target_os = "macos", test))]
fn from_route(text: &str) -> Option<Ipv4Addr> {
    let value = |line: &str| line.trim().strip_prefix("gateway:").and_then(|value| value.trim().parse().ok());
    text.lines().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_with_the_smallest_metric_is_the_one() {
        // /proc/net/route of Debian 12 on a little-endian machine, with a second uplink added by hand.
        let text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
            wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
            eth0\t00000000\t014DA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
            eth0\t004DA8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(from_proc(text), cfg!(target_endian = "little").then_some(Ipv4Addr::new(192, 168, 77, 1)));
        assert_eq!(from_proc("Iface\tDestination\n"), None);
        assert_eq!(from_proc("rubbish\nmore rubbish here now and then some x y z\n"), None);
    }

    #[test]
    fn the_route_of_macos_is_read() {
        let text = "   route to: default\ndestination: default\n       mask: default\n    gateway: 192.168.1.1\n  \
            interface: en0\n      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>\n";
        assert_eq!(from_route(text), Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(from_route("    gateway: link#14\n"), None);
    }
}
