//! The home's real router.

use async_trait::async_trait;
use gatehouse_host::mapping::{self, Mapping, MappingError, Wanted};

use super::{Held, Mapper, Told};

/// The router that answers PCP, NAT-PMP or UPnP on this machine's network.
#[derive(Debug, Clone, Copy, Default)]
pub struct HomeRouter;

#[async_trait]
impl Mapper for HomeRouter {
    async fn open(&self, wanted: Wanted) -> Result<Box<dyn Held>, MappingError> {
        mapping::open(wanted).await.map(|mapping| Box::new(mapping) as Box<dyn Held>)
    }
}

#[async_trait]
impl Held for Mapping {
    fn told(&self) -> Told {
        Told {
            external: self.external,
            protocol: self.protocol.to_string(),
            until: self.until,
            renew_after: self.renew_after(),
        }
    }

    async fn renew(self: Box<Self>) -> Result<Box<dyn Held>, MappingError> {
        Mapping::renew(*self).await.map(|mapping| Box::new(mapping) as Box<dyn Held>)
    }

    async fn close(self: Box<Self>) {
        Mapping::close(*self).await;
    }
}
