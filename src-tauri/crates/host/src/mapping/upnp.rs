//! UPnP Internet Gateway Device, versions 1 and 2.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{AddPortError, GetExternalIpError, PortMappingProtocol, RequestError, SearchOptions};

use super::{MappingError, Protocol, Wanted};

/// A router of the home answers within a second; it may take three to say so (UPnP Device Architecture, `MX`).
const SEARCH: Duration = Duration::from_secs(4);
const CALL: Duration = Duration::from_secs(8);
/// What the router's own page shows beside the port.
const LABEL: &str = "Gatehouse";

/// A router that speaks UPnP.
#[derive(Debug)]
pub(super) struct Router(Gateway<Tokio>);

/// Looks for the router; one at another address than ours is not it.
pub(super) async fn find(wanted: Wanted) -> Option<Router> {
    let mut options = SearchOptions::default();
    options.bind_addr = SocketAddr::new(IpAddr::V4(wanted.here), 0);
    options.timeout = Some(SEARCH);
    options.single_search_timeout = Some(SEARCH);
    let gateway = match tokio::time::timeout(SEARCH + Duration::from_secs(1), search_gateway(options)).await {
        Ok(Ok(gateway)) => gateway,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no router answers UPnP");
            return None;
        }
        Err(_) => return None,
    };
    (gateway.addr.ip() == IpAddr::V4(wanted.router)).then_some(Router(gateway))
}

impl Router {
    /// Opens the port, and answers the address on the outside and when the mapping ends.
    pub(super) async fn open(
        &self,
        wanted: Wanted,
        lifetime: Duration,
    ) -> Result<(Ipv4Addr, Option<Instant>), MappingError> {
        let external = self.external().await?;
        let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        match self.add(wanted, seconds).await {
            Ok(()) => Ok((external, Some(Instant::now() + lifetime))),
            Err(AddPortError::OnlyPermanentLeasesSupported) => {
                self.add(wanted, 0).await.map_err(|error| meaning(error, wanted))?;
                Ok((external, None))
            }
            Err(error) => Err(meaning(error, wanted)),
        }
    }

    /// Gives the port back.
    pub(super) async fn close(&self, port: u16) {
        let removing = self.0.remove_port(PortMappingProtocol::TCP, port);
        if let Ok(Err(error)) = tokio::time::timeout(CALL, removing).await {
            tracing::debug!(%error, "the router keeps the mapping until its time is over");
        }
    }

    /// Its address on the outside.
    pub(super) async fn external(&self) -> Result<Ipv4Addr, MappingError> {
        match tokio::time::timeout(CALL, self.0.get_external_ip()).await {
            Ok(Ok(IpAddr::V4(address))) if !address.is_unspecified() => Ok(address),
            Ok(Err(GetExternalIpError::ActionNotAuthorized)) => Err(MappingError::Refused {
                protocol: Protocol::Upnp,
                why: "it lets no program ask".to_owned(),
            }),
            // miniupnpd answers with an empty address where its own is none that the internet can reach.
            Ok(Ok(_) | Err(_)) | Err(_) => Err(MappingError::NoExternal),
        }
    }

    async fn add(&self, wanted: Wanted, seconds: u32) -> Result<(), AddPortError> {
        let here = SocketAddr::new(IpAddr::V4(wanted.here), wanted.port);
        let adding = self.0.add_port(PortMappingProtocol::TCP, wanted.external_port, here, seconds, LABEL);
        tokio::time::timeout(CALL, adding).await.unwrap_or_else(|_| {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time");
            Err(AddPortError::RequestError(RequestError::IoError(late)))
        })
    }
}

fn meaning(error: AddPortError, wanted: Wanted) -> MappingError {
    let refused = |why: String| MappingError::Refused { protocol: Protocol::Upnp, why };
    match error {
        AddPortError::PortInUse => MappingError::Taken { port: wanted.external_port },
        AddPortError::RequestError(RequestError::ErrorCode(718, _)) => {
            MappingError::Taken { port: wanted.external_port }
        }
        AddPortError::RequestError(RequestError::ErrorCode(number, words)) => {
            let words: String = words.chars().filter(|c| !c.is_control()).take(120).collect();
            refused(format!("{words} ({number})"))
        }
        other => refused(other.to_string()),
    }
}
