//! What the steps of one change tell each other.

use std::sync::Arc;

use gatehouse_api::Text;
use gatehouse_openclaw::discovery::Gateway;
use secrecy::{ExposeSecret as _, SecretString};

use super::ledger::Ledger;
use crate::address_plan::AddressPlan;
use crate::context::Served;
use crate::ports_plan::PortsPlan;

/// Filled step by step; a step finds here what those before it found out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    /// What Gatehouse owns so far.
    pub(crate) ledger: Ledger,
    /// The gateway.
    pub(crate) gateway: Option<Found>,
    /// The ports.
    pub(crate) ports: Option<PortsPlan>,
    /// The addresses.
    pub(crate) addresses: Option<AddressPlan>,
    /// What became of the gateway's token.
    pub(crate) token: Option<TokenMoved>,
    /// What came up while steps ran and the user should know.
    pub(crate) warnings: Vec<Text>,
}

/// The gateway's token before and after.
#[derive(Debug, Clone)]
pub(crate) struct TokenMoved {
    pub(crate) old: SecretString,
    pub(crate) new: SecretString,
}

impl TokenMoved {
    /// Whether it is another one.
    pub(crate) fn rotates(&self) -> bool {
        self.old.expose_secret() != self.new.expose_secret()
    }
}

/// The gateway as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What its files say.
    pub(crate) gateway: Arc<Gateway>,
    /// Whether something that answers as a gateway listens on its port.
    pub(crate) running: bool,
}

impl Draft {
    /// What the edge is to serve, once it is decided.
    pub(crate) fn served(&self) -> Option<Served> {
        Some(Served { ports: self.ports.clone()?, plan: self.addresses.clone()? })
    }

    /// The addresses as users type them.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.addresses.iter().flat_map(|plan| &plan.addresses).map(|address| address.url.clone()).collect()
    }
}
