//! Where this machine is: its router, and its own address in the router's network.

use std::net::{IpAddr, Ipv4Addr};

use super::MappingError;
use crate::addresses::{InterfaceAddress, Kind};

/// A router and this machine's address in its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The router's address in our network.
    pub router: Ipv4Addr,
    /// Our address in that network.
    pub here: Ipv4Addr,
}

/// Where this machine is; `router` = the one of the default route.
///
/// # Errors
/// [`MappingError::NoRouter`] where there is none in a network of ours; [`MappingError::OnInternet`] where our own
/// address is a public one and no router's port is in the way.
pub fn place(router: Option<Ipv4Addr>, addresses: &[InterfaceAddress]) -> Result<Place, MappingError> {
    let router = router.ok_or(MappingError::NoRouter)?;
    let in_its_network = |address: &&InterfaceAddress| {
        ipnet::IpNet::new(address.ip, address.prefix).is_ok_and(|net| net.contains(&IpAddr::V4(router)))
    };
    let near = addresses.iter().filter(|address| !address.deprecated).find(in_its_network);
    match near.map(|address| (address.ip, address.kind)) {
        Some((IpAddr::V4(here), Kind::Global)) => Err(MappingError::OnInternet { here }),
        Some((IpAddr::V4(here), _)) => Ok(Place { router, here }),
        Some((IpAddr::V6(_), _)) | None => Err(MappingError::NoRouter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: [u8; 4], prefix: u8) -> InterfaceAddress {
        InterfaceAddress::new("en0", Ipv4Addr::from(ip).into(), prefix)
    }

    #[test]
    fn the_address_in_the_routers_network_is_ours() {
        let router = Ipv4Addr::new(192, 168, 1, 1);
        let addresses = [address([10, 8, 0, 2], 24), address([192, 168, 1, 20], 24)];
        let found = place(Some(router), &addresses).unwrap();
        assert_eq!(found, Place { router, here: Ipv4Addr::new(192, 168, 1, 20) });
        assert!(matches!(place(Some(router), &addresses[..1]), Err(MappingError::NoRouter)));
        assert!(matches!(place(None, &addresses), Err(MappingError::NoRouter)));
    }

    #[test]
    fn a_machine_on_the_internet_needs_no_port_of_a_router() {
        let error = place(Some(Ipv4Addr::new(44, 5, 6, 1)), &[address([44, 5, 6, 7], 24)]).unwrap_err();
        assert!(matches!(error, MappingError::OnInternet { here } if here == Ipv4Addr::new(44, 5, 6, 7)));
    }
}
