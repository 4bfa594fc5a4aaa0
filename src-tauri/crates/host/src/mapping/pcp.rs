//! PCP, and NAT-PMP where the router knows only that.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::{
    GatewayAddress, InternetProtocol, MappingFailure, PortMapping, PortMappingOptions, PortMappingType,
    TimeoutConfig, natpmp, pcp,
};

use super::{MappingError, Protocol, Wanted};

/// Four tries within 4 s: a router of the home answers in milliseconds.
const PATIENCE: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 3,
    max_retry_timeout: Some(Duration::from_secs(2)),
};

type Told = (PortMapping, Ipv4Addr, Protocol);

pub(super) async fn open(wanted: Wanted, lifetime: Duration) -> Result<Told, MappingError> {
    let refused = |why: &str| MappingError::Refused { protocol: Protocol::Pcp, why: why.to_owned() };
    let port = NonZeroU16::new(wanted.port).ok_or_else(|| refused("port 0 cannot be opened"))?;
    let options = PortMappingOptions {
        external_port: NonZeroU16::new(wanted.external_port),
        lifetime_seconds: u32::try_from(lifetime.as_secs()).ok(),
        timeout_config: Some(PATIENCE),
    };
    let gateway = GatewayAddress::IpV4(wanted.router);
    let mapping = PortMapping::new(gateway, IpAddr::V4(wanted.here), InternetProtocol::Tcp, port, options)
        .await
        .map_err(|failure| meaning(&failure, wanted))?;
    with_address(mapping, wanted.router).await
}

/// The router's address on the outside, by NAT-PMP, which every router with PCP of the home speaks as well.
pub(super) async fn external(router: Ipv4Addr) -> Result<Ipv4Addr, MappingError> {
    match natpmp::external_address(GatewayAddress::IpV4(router), Some(PATIENCE)).await {
        Ok(external) if !external.is_unspecified() => Ok(external),
        Ok(_) | Err(natpmp::Failure::NetworkFailure) => Err(MappingError::NoExternal),
        Err(natpmp::Failure::Timeout | natpmp::Failure::Socket(_)) => Err(MappingError::Silent { router }),
        Err(failure) => Err(MappingError::Refused { protocol: Protocol::NatPmp, why: failure.to_string() }),
    }
}

/// Makes it last longer.
pub(super) async fn renew(mut mapping: PortMapping) -> Result<Told, MappingFailure> {
    mapping.renew().await?;
    let IpAddr::V4(router) = IpAddr::from(mapping.gateway()) else {
        return Err(natpmp::Failure::NetworkFailure.into());
    };
    with_address(mapping, router).await.map_err(|_| natpmp::Failure::NetworkFailure.into())
}

/// PCP tells the address with the mapping; NAT-PMP has a question of its own for it.
async fn with_address(mapping: PortMapping, router: Ipv4Addr) -> Result<Told, MappingError> {
    match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => match canonical(external_ip) {
            Some(external) if !external.is_unspecified() => Ok((mapping, external, Protocol::Pcp)),
            _ => {
                let _ = mapping.try_drop().await;
                Err(MappingError::NoExternal)
            }
        },
        PortMappingType::NatPmp => {
            match natpmp::external_address(GatewayAddress::IpV4(router), Some(PATIENCE)).await {
                Ok(external) if !external.is_unspecified() => Ok((mapping, external, Protocol::NatPmp)),
                _ => {
                    let _ = mapping.try_drop().await;
                    Err(MappingError::NoExternal)
                }
            }
        }
    }
}

fn canonical(address: IpAddr) -> Option<Ipv4Addr> {
    match address.to_canonical() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// What a failure means. A router without either protocol refuses the packet or says nothing.
fn meaning(failure: &MappingFailure, wanted: Wanted) -> MappingError {
    let silent = MappingError::Silent { router: wanted.router };
    match failure {
        MappingFailure::Pcp(pcp::Failure::Timeout | pcp::Failure::Socket(_))
        | MappingFailure::NatPmp(natpmp::Failure::Timeout | natpmp::Failure::Socket(_)) => silent,
        MappingFailure::Pcp(pcp::Failure::NetworkFailure(_))
        | MappingFailure::NatPmp(natpmp::Failure::NetworkFailure) => MappingError::NoExternal,
        MappingFailure::Pcp(failure) => {
            MappingError::Refused { protocol: Protocol::Pcp, why: failure.to_string() }
        }
        MappingFailure::NatPmp(failure) => {
            MappingError::Refused { protocol: Protocol::NatPmp, why: failure.to_string() }
        }
    }
}
