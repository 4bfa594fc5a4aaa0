//! A port opened on the home's router: by PCP or NAT-PMP, else by UPnP.
//!
//! Guarantees: a mapping is answered only where the router gave the port that was asked for and has an address that
//! the internet can reach; what it gave otherwise is given back. Every wait has a limit. The first packet that leaves
//! is what makes macOS ask for the right to talk to the local network: call this only where the user asked for it.

mod class;
mod pcp;
mod place;
mod route;
mod upnp;

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

pub use self::class::{Class, class};
pub use self::place::{Place, place};
pub use self::route::router;

/// No router is asked more often.
const LEAST_RENEWAL: Duration = Duration::from_secs(10);
/// How long a mapping is asked for: as long as it outlives a crash of ours.
const LIFETIME: Duration = Duration::from_secs(3600);
/// At the latest then it is renewed, to notice a router that has forgotten it. By PCP and NAT-PMP that is one packet.
const RENEWAL: Duration = Duration::from_secs(60);
/// By UPnP it is a search and two requests.
const RENEWAL_UPNP: Duration = Duration::from_secs(5 * 60);

/// What is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The router's address in our network.
    pub router: Ipv4Addr,
    /// Our address in that network.
    pub here: Ipv4Addr,
    /// The port that we listen on.
    pub port: u16,
    /// The port that the router listens on.
    pub external_port: u16,
}

/// By which protocol a router was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Port Control Protocol (RFC 6887).
    Pcp,
    /// NAT Port Mapping Protocol (RFC 6886).
    NatPmp,
    /// UPnP Internet Gateway Device.
    Upnp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Pcp => "PCP",
            Self::NatPmp => "NAT-PMP",
            Self::Upnp => "UPnP",
        })
    }
}

/// A port that is open.
#[derive(Debug)]
pub struct Mapping {
    wanted: Wanted,
    /// Where the internet reaches us.
    pub external: SocketAddrV4,
    /// How the router was told.
    pub protocol: Protocol,
    /// When the router forgets it by itself; `None` = never: it was asked for no end because it knows none.
    pub until: Option<Instant>,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    Pcp(Box<crab_nat::PortMapping>),
    Upnp(upnp::Router),
}

/// Why no port is open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// This machine has no router: no default route over IPv4, or none through a network of its own.
    #[error("this machine has no router for IPv4")]
    NoRouter,
    /// This machine is on the internet itself.
    #[error("this machine has the public address {here} itself")]
    OnInternet {
        /// Its address.
        here: Ipv4Addr,
    },
    /// No router answers either protocol.
    #[error("the router at {router} answers neither PCP, NAT-PMP nor UPnP")]
    Silent {
        /// The router.
        router: Ipv4Addr,
    },
    /// The router's own address cannot be reached from the internet.
    #[error("the router's own address on the outside is {external}: {class}")]
    NotPublic {
        /// Its address on the outside.
        external: IpAddr,
        /// What that address is.
        class: Class,
    },
    /// The router has no address on the outside, or will not tell.
    #[error("the router tells no address on the outside; it may have none of its own")]
    NoExternal,
    /// The router does not let programs open ports.
    #[error("the router refuses by {protocol}: {why}")]
    Refused {
        /// The protocol.
        protocol: Protocol,
        /// Its reason.
        why: String,
    },
    /// The port belongs to another machine of the home.
    #[error("port {port} of the router is open for another machine already")]
    Taken {
        /// The port on the outside.
        port: u16,
    },
    /// The router offered another port.
    #[error("the router would open port {granted} instead of {asked}")]
    OtherPort {
        /// What was asked for.
        asked: u16,
        /// What it gave; it was given back.
        granted: u16,
    },
}

/// The router's address on the outside, without opening anything. Takes up to about 8 s where no router answers.
///
/// # Errors
/// [`MappingError::Silent`], [`MappingError::NoExternal`] or [`MappingError::Refused`]. An address that the internet
/// cannot reach is an answer: see [`class`].
pub async fn external(place: Place) -> Result<Ipv4Addr, MappingError> {
    let wanted = Wanted { router: place.router, here: place.here, port: 0, external_port: 0 };
    match pcp::external(place.router).await {
        Ok(external) => Ok(external),
        Err(silent) => match upnp::find(wanted).await {
            Some(router) => router.external().await,
            None => Err(silent),
        },
    }
}

/// Opens a port. Takes up to about 8 s where no router answers.
///
/// # Errors
/// [`MappingError`]; nothing is then open.
pub async fn open(wanted: Wanted) -> Result<Mapping, MappingError> {
    // UPnP is asked first, for the address alone: a router that has none to give may search long for a port that it
    // could open by PCP (miniupnpd does), and answers nobody meanwhile.
    let router = upnp::find(wanted).await;
    if let Some(router) = &router {
        let external = router.external().await?;
        let class = class(external);
        if class != Class::Public {
            return Err(MappingError::NotPublic { external: external.into(), class });
        }
    }
    let (mapping, external, granted) = match (pcp::open(wanted, LIFETIME).await, router) {
        (Ok((mapping, external, protocol)), _) => {
            let granted = mapping.external_port().get();
            let until = Some(mapping.expiration());
            let external = SocketAddrV4::new(external, granted);
            let hold = Hold::Pcp(Box::new(mapping));
            (Mapping { wanted, external, protocol, until, hold }, *external.ip(), granted)
        }
        (Err(_), Some(router)) => {
            let (external, until) = router.open(wanted, LIFETIME).await?;
            let (protocol, hold) = (Protocol::Upnp, Hold::Upnp(router));
            let port = wanted.external_port;
            (
                Mapping { wanted, external: SocketAddrV4::new(external, port), protocol, until, hold },
                external,
                port,
            )
        }
        (Err(refusal), None) => return Err(refusal),
    };
    proven(wanted, external, granted, mapping).await
}

/// The mapping, where it is of use; else it is given back.
async fn proven(
    wanted: Wanted,
    external: Ipv4Addr,
    granted: u16,
    mapping: Mapping,
) -> Result<Mapping, MappingError> {
    let class = class(external);
    let error = if class != Class::Public {
        MappingError::NotPublic { external: external.into(), class }
    } else if granted != wanted.external_port {
        MappingError::OtherPort { asked: wanted.external_port, granted }
    } else {
        return Ok(mapping);
    };
    mapping.close().await;
    Err(error)
}

impl Mapping {
    /// What it was opened for.
    #[must_use]
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// How long to wait before it is renewed.
    #[must_use]
    pub fn renew_after(&self) -> Duration {
        let most = match self.protocol {
            Protocol::Pcp | Protocol::NatPmp => RENEWAL,
            Protocol::Upnp => RENEWAL_UPNP,
        };
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()) / 2);
        // A router that grants no time at all is not asked without a pause.
        left.unwrap_or(most).clamp(LEAST_RENEWAL, most)
    }

    /// Makes it last longer, also where the router has forgotten it. The address on the outside may be another then.
    ///
    /// # Errors
    /// [`MappingError`]; it is then as good as closed.
    pub async fn renew(self) -> Result<Self, MappingError> {
        let wanted = self.wanted;
        let same = match self.hold {
            Hold::Pcp(mapping) => pcp::renew(*mapping).await.ok(),
            // UPnP knows no renewal: the same mapping is made again, which is what `open` does.
            Hold::Upnp(_) => None,
        };
        match same {
            Some((mapping, external, protocol)) if class(external) == Class::Public => {
                let (port, until) = (mapping.external_port().get(), Some(mapping.expiration()));
                let external = SocketAddrV4::new(external, port);
                let hold = Hold::Pcp(Box::new(mapping));
                proven(wanted, *external.ip(), port, Self { wanted, external, protocol, until, hold }).await
            }
            _ => open(wanted).await,
        }
    }

    /// Gives the port back. A router that does not answer keeps it until its time is over.
    pub async fn close(self) {
        match self.hold {
            Hold::Pcp(mapping) => {
                if let Err((error, _)) = mapping.try_drop().await {
                    tracing::debug!(%error, "the router keeps the mapping until its time is over");
                }
            }
            Hold::Upnp(router) => router.close(self.wanted.external_port).await,
        }
    }
}

#[cfg(test)]
mod tests;
