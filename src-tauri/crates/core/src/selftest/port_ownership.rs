//! The proof that a port is ours: it must tell our port from another's, on every address.

use std::net::{IpAddr, Ipv4Addr};

use gatehouse_api::{Text, say};
use gatehouse_host::addresses::{self, Kind};
use gatehouse_host::ports::owned::{Reached, Wildcard};

use super::Finding;

pub(super) fn check() -> Finding {
    match Wildcard::listen(0) {
        Ok(wildcard) => match on_every_address(&wildcard) {
            Ok(saw) => Finding::passed([saw]),
            Err(because) => Finding::failed(because, say!("core.selftest.ownership.fix")),
        },
        Err((address, refusal)) => Finding::failed(
            say!("core.selftest.ownership.refused", address = address, error = refusal.to_string()),
            say!("core.selftest.ownership.fix"),
        ),
    }
}

/// Tries every address of this machine that needs no zone.
pub(super) fn on_every_address(wildcard: &Wildcard) -> Result<Text, Text> {
    let found = addresses::list().unwrap_or_default();
    let mut ips: Vec<IpAddr> = found
        .into_iter()
        .filter(|address| !address.deprecated)
        .filter(|address| address.ip.is_ipv4() || address.kind != Kind::LinkLocal)
        .map(|address| address.ip)
        .collect();
    if !ips.contains(&Ipv4Addr::LOCALHOST.into()) {
        ips.push(Ipv4Addr::LOCALHOST.into());
    }
    for ip in &ips {
        match wildcard.who_answers(*ip) {
            Reached::Ours => {}
            Reached::Another => return Err(say!("core.selftest.ownership.another", address = ip)),
            Reached::Nobody(error) => {
                return Err(say!("core.selftest.ownership.nobody", address = ip, error = error));
            }
        }
    }
    Ok(say!("core.selftest.ownership.saw", count = ips.len()))
}
