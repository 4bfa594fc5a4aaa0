//! Proxies that may stand in front of the edge, by profile.
//!
//! As text: `none`, `cloudflare`, or `tunnel:<SHA-256 of a secret in hex>`. Behind Cloudflare `CF-Connecting-IP` counts on
//! connections from Cloudflare's own networks and on no other. A tunnel (cloudflared) ends on this machine, where any
//! program could pretend to be one: its requests count only with the secret in [`TUNNEL_SECRET`], which a transform rule
//! of the proxy's owner sets on its way in and which never goes on to the gateway. Only the digest is kept here.

use crate::settings::FrontProxy;
use aws_lc_rs::{constant_time, digest};
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The header in which a tunnel shows its secret.
pub const TUNNEL_SECRET: HeaderName = HeaderName::from_static("x-gatehouse-tunnel");
const CF_CONNECTING_IP: HeaderName = HeaderName::from_static("cf-connecting-ip");

/// Which proxy stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrontProfile {
    /// None.
    #[default]
    None,
    /// Cloudflare, which connects from its published networks.
    Cloudflare,
    /// A tunnel of Cloudflare that ends on this machine.
    Tunnel {
        /// SHA-256 of the secret that each of its requests carries.
        secret: SecretDigest,
    },
}

/// SHA-256 of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest([u8; 32]);

impl FrontProfile {
    /// A tunnel that shows this secret.
    #[must_use]
    pub fn tunnel(secret: &str) -> Self {
        Self::Tunnel { secret: SecretDigest::of(secret.as_bytes()) }
    }
}

impl SecretDigest {
    fn of(secret: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
        Self(bytes)
    }

    /// Whether the headers show the secret, once.
    pub(crate) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(TUNNEL_SECRET).iter();
        let (Some(shown), None) = (lines.next(), lines.next()) else { return false };
        let shown = Self::of(shown.as_bytes());
        constant_time::verify_slices_are_equal(&shown.0, &self.0).is_ok()
    }
}

impl From<FrontProfile> for FrontProxy {
    fn from(profile: FrontProfile) -> Self {
        match profile {
            FrontProfile::None => Self::None,
            FrontProfile::Cloudflare => {
                Self::Trusted { peers: cloudflare(), client_header: CF_CONNECTING_IP }
            }
            FrontProfile::Tunnel { secret } => Self::Tunnel { secret, client_header: CF_CONNECTING_IP },
        }
    }
}

impl FromStr for FrontProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Self::None),
            "cloudflare" => Ok(Self::Cloudflare),
            text => {
                let secret = text.strip_prefix("tunnel:").and_then(from_hex).map(SecretDigest);
                secret.map(|secret| Self::Tunnel { secret }).ok_or_else(|| {
                    format!(
                        "“{text}” is neither none, cloudflare nor tunnel: and the SHA-256 of a secret in hex."
                    )
                })
            }
        }
    }
}

impl fmt::Display for FrontProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Cloudflare => formatter.write_str("cloudflare"),
            Self::Tunnel { secret } => {
                formatter.write_str("tunnel:")?;
                secret.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
            }
        }
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Whether this is an address of Cloudflare: a name that leads there is proxied.
#[must_use]
pub fn is_cloudflare(ip: IpAddr) -> bool {
    cloudflare().iter().any(|network| network.contains(&ip.to_canonical()))
}

/// The networks from which Cloudflare connects: <https://www.cloudflare.com/ips-v4> and <https://www.cloudflare.com/ips-v6>,
/// as a daily copy had them on 11 February 2026 (`cloudflare/haproxy_cloudflare_allow.conf` in
/// github.com/rezmoss/cloud-provider-ip-addresses). A network that is missing here costs its visitors a wrong name in the log; one too
/// many would let a stranger choose a name.
fn cloudflare() -> Vec<IpNet> {
    const V4: [(Ipv4Addr, u8); 15] = [
        (Ipv4Addr::new(173, 245, 48, 0), 20),
        (Ipv4Addr::new(103, 21, 244, 0), 22),
        (Ipv4Addr::new(103, 22, 200, 0), 22),
        (Ipv4Addr::new(103, 31, 4, 0), 22),
        (Ipv4Addr::new(141, 101, 64, 0), 18),
        (Ipv4Addr::new(108, 162, 192, 0), 18),
        (Ipv4Addr::new(190, 93, 240, 0), 20),
        (Ipv4Addr::new(188, 114, 96, 0), 20),
        (Ipv4Addr::new(197, 234, 240, 0), 22),
        (Ipv4Addr::new(198, 41, 128, 0), 17),
        (Ipv4Addr::new(162, 158, 0, 0), 15),
        (Ipv4Addr::new(104, 16, 0, 0), 13),
        (Ipv4Addr::new(104, 24, 0, 0), 14),
        (Ipv4Addr::new(172, 64, 0, 0), 13),
        (Ipv4Addr::new(131, 0, 72, 0), 22),
    ];
    const V6: [(Ipv6Addr, u8); 7] = [
        (Ipv6Addr::new(0x2400, 0xcb00, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2803, 0xf800, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2405, 0xb500, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2405, 0x8100, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2a06, 0x98c0, 0, 0, 0, 0, 0, 0), 29),
        (Ipv6Addr::new(0x2c0f, 0xf248, 0, 0, 0, 0, 0, 0), 32),
    ];
    let v4 = V4.into_iter().map(|(network, length)| (IpAddr::V4(network), length));
    let v6 = V6.into_iter().map(|(network, length)| (IpAddr::V6(network), length));
    v4.chain(v6).filter_map(|(network, length)| IpNet::new(network, length).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::{Client, Peer, attribute};
    use crate::error::EdgeError;
    use crate::settings::OwnAddresses;
    use http::HeaderValue;

    /// SHA-256 of `open sesame`.
    const DIGEST: &str = "tunnel:41ef4bb0b23661e66301aac36066912dac037827b4ae63a7b1165a5aa93ed4eb";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn whose(profile: &str, peer: &str, lines: &[(&'static str, &'static str)]) -> Result<String, EdgeError> {
        let front = FrontProxy::from(profile.parse::<FrontProfile>().unwrap());
        let own = OwnAddresses { v4: Some(Ipv4Addr::new(192, 0, 2, 10)), ..OwnAddresses::default() };
        let peer = Peer::new(peer.parse().unwrap());
        attribute(&peer, true, &headers(lines), &own, &front).map(|client| match client {
            Client::Local(_) => "local".to_owned(),
            Client::Remote { address, .. } => address.to_string(),
        })
    }

    #[test]
    fn a_profile_reads_what_it_writes_and_nothing_else() {
        for text in ["none", "cloudflare", DIGEST] {
            assert_eq!(text.parse::<FrontProfile>().unwrap().to_string(), text);
        }
        assert_eq!(FrontProfile::tunnel("open sesame").to_string(), DIGEST);
        for text in ["", "nginx", "tunnel", "tunnel:", "tunnel:00", &DIGEST[..70], "tunnel:open sesame"] {
            assert!(text.parse::<FrontProfile>().is_err(), "{text}");
        }
        assert_eq!(cloudflare().len(), 22);
        assert!(cloudflare().iter().all(|network| network.addr() == network.network()));
    }

    #[test]
    fn behind_cloudflare_its_header_counts_from_its_networks_only() {
        let told = [("cf-connecting-ip", "198.51.100.7")];
        assert_eq!(whose("cloudflare", "172.68.1.2", &told).as_deref(), Ok("198.51.100.7"));
        assert_eq!(whose("cloudflare", "2606:4700::1", &told).as_deref(), Ok("198.51.100.7"));
        assert_eq!(whose("cloudflare", "172.80.1.2", &told).as_deref(), Ok("172.80.1.2"));
        assert_eq!(whose("cloudflare", "172.68.1.2", &[]), Err(EdgeError::ClientUnattributable));
        assert_eq!(whose("cloudflare", "127.0.0.1", &told), Err(EdgeError::TunnelUndeclared));
        assert_eq!(whose("cloudflare", "127.0.0.1", &[]).as_deref(), Ok("192.0.2.10"));
    }

    #[test]
    fn a_tunnel_counts_only_with_its_secret() {
        let client = ("cf-connecting-ip", "198.51.100.7");
        let secret = ("x-gatehouse-tunnel", "open sesame");
        assert_eq!(whose(DIGEST, "127.0.0.1", &[client, secret]).as_deref(), Ok("198.51.100.7"));
        assert_eq!(whose(DIGEST, "::1", &[client, secret]).as_deref(), Ok("198.51.100.7"));
        assert_eq!(
            whose(DIGEST, "192.0.2.10", &[client, secret]).as_deref(),
            Ok("198.51.100.7"),
            "by its address"
        );
        for wrong in [&[client][..], &[client, ("x-gatehouse-tunnel", "open")], &[client, secret, secret]] {
            assert_eq!(whose(DIGEST, "127.0.0.1", wrong), Err(EdgeError::TunnelUndeclared));
            assert_eq!(whose(DIGEST, "192.0.2.10", wrong), Err(EdgeError::TunnelUndeclared));
        }
        assert_eq!(whose(DIGEST, "127.0.0.1", &[secret]), Err(EdgeError::ClientUnattributable));
        assert_eq!(whose(DIGEST, "127.0.0.1", &[]).as_deref(), Ok("192.0.2.10"), "nobody is local any more");
        assert_eq!(whose(DIGEST, "198.51.100.1", &[client, secret]).as_deref(), Ok("198.51.100.1"));
        assert_eq!(whose("cloudflare", "192.0.2.10", &[client]), Err(EdgeError::TunnelUndeclared));
    }
}
