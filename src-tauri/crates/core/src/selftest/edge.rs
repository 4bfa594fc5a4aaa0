//! The whole way: a certificate authority and a leaf, served by the edge on a port of its own, with a loopback upstream,
//! reached over TLS by every address of this machine; and what must be refused is refused.

use std::net::{Ipv4Addr, SocketAddr};

use gatehouse_api::{Code, ErrorEnvelope, Scope, Text, say};
use gatehouse_edge::{Edge, EdgeOptions, EdgeSettings, Listener, ListenerKind};
use gatehouse_host::ports::owned::Wildcard;
use gatehouse_host::{addresses, names};
use time::OffsetDateTime;

use super::Finding;
use super::room::Room;
use super::upstream::Upstream;
use crate::address_plan::{AddressPlan, AddressesWanted, plan};
use crate::errors::{self, Explain as _};
use crate::probe::{Trust, rehearse};
use crate::requests::blocking;

pub(super) async fn check(room: &Room) -> Finding {
    match whole_way(room).await {
        Ok(saw) => Finding::passed(saw),
        Err(error) => {
            let fix = error.fix.map_or_else(|| say!("core.report"), |fix| fix.text);
            let because = say!("core.selftest.edge.failed", title = error.title, because = error.because);
            Finding::failed(because, fix).having_seen(error.evidence)
        }
    }
}

async fn whole_way(room: &Room) -> Result<Vec<Text>, ErrorEnvelope> {
    let failed = |error: std::io::Error| errors::file(say!("core.boot.edge"), &room.folder, &error);
    let plan = blocking(planned).await?;
    let certificates = room.certificates("edge")?;
    let ensured =
        certificates.ensure(&plan.certificate, OffsetDateTime::now_utc()).map_err(|error| error.explain())?;
    let upstream = Upstream::start().await.map_err(failed)?;
    let settings = EdgeSettings {
        names: plan.served.clone(),
        clients: plan.clients.clone(),
        own: plan.own.clone(),
        ..EdgeSettings::new(upstream.address)
    };
    let options = EdgeOptions { threads: 1, ..EdgeOptions::default() };
    let edge = Edge::start(options, certificates.resolver(), settings).map_err(failed)?;
    edge.listen(&listeners(&plan)).await.map_err(|error| {
        ErrorEnvelope::new(Code::Failed, say!("core.boot.edge"), format!("{error}: {}", error.source))
    })?;
    let trust = Trust::of_local(&certificates).map_err(|error| error.explain())?;
    let names = ensured.facts.names.len();
    let mut saw = vec![say!("core.selftest.edge.certificate", number = names)];
    for address in &plan.addresses {
        let protocol = rehearse(address, &trust).await.map_err(|error| error.explain())?;
        saw.push(say!("core.selftest.edge.reached", url = address.url, protocol = protocol));
    }
    saw.push(say!("core.selftest.edge.refused"));
    Ok(saw)
}

/// What would be opened for the local network; on a machine without one, for this machine alone.
fn planned() -> Result<AddressPlan, ErrorEnvelope> {
    let port = Wildcard::listen(0).map(|wildcard| wildcard.port()).map_err(|(_, refusal)| {
        ErrorEnvelope::new(Code::Failed, say!("core.boot.edge"), refusal.to_string())
    })?;
    let found = addresses::list().unwrap_or_default();
    let names = names::host_names();
    let wanted = |scope| AddressesWanted {
        scope,
        hosts: &[],
        imported: None,
        only: &[],
        port,
        public_port: None,
        recent: None,
    };
    plan(&wanted(Scope::Lan), &found, &names).or_else(|_| plan(&wanted(Scope::Mac), &found, &names))
}

fn listeners(plan: &AddressPlan) -> Vec<Listener> {
    let port = plan.addresses.first().map_or(0, |address| address.connect.port());
    let families = plan.addresses.iter().any(|address| address.connect.is_ipv6());
    let v4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
    let v6 = SocketAddr::new(std::net::Ipv6Addr::UNSPECIFIED.into(), port);
    let wanted = if families { vec![v4, v6] } else { vec![v4] };
    wanted.into_iter().map(|address| Listener { address, kind: ListenerKind::Https }).collect()
}
