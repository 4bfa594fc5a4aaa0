//! Trying one address, stage by stage.

use gatehouse_api::{ErrorEnvelope, Reply};

use super::Desk;
use super::links::{closed, pick};
use crate::probe;

/// The best address is tried where none is named.
pub(super) async fn test(desk: &Desk, address: Option<String>) -> Result<Reply, ErrorEnvelope> {
    let served: Vec<String> = match desk.context.served.load_full() {
        Some(served) => served.plan.addresses.iter().map(|address| address.url.clone()).collect(),
        None => Vec::new(),
    };
    let wanted = match address {
        Some(wanted) => pick(&wanted, &served).ok_or_else(|| super::links::not_ours(&wanted))?,
        None => served.into_iter().next().ok_or_else(closed)?,
    };
    let tested = probe::stages(&desk.context, &wanted).await.ok_or_else(closed)?;
    Ok(Reply::AddressTest(tested))
}
