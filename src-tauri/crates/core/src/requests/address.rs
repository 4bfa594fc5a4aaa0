//! Trying one address, stage by stage.

use gatehouse_api::{Code, ErrorEnvelope, Reply, say};

use super::Desk;
use super::links::{closed, pick};
use crate::errors::Explain;
use crate::probe;

/// Asks the router for its port again, now.
pub(super) async fn renew_mapping(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    if desk.context.router_port.state().is_none() {
        let because = say!("core.map.none-wanted");
        return Err(ErrorEnvelope::new(Code::NotFound, say!("core.map.none"), because)
            .fix_with(say!("core.map.not-internet-fix"), "gatehouse open --to internet --map-port"));
    }
    desk.context.router_port.renew().await.map_err(|error| error.explain())?;
    Ok(Reply::Network(Box::new(crate::network::look(desk, false).await)))
}

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
