//! What the parts say of themselves, read anew for every fact: nothing of it is kept twice.

use std::collections::BTreeMap;

use gatehouse_api::{Address, ListenerSummary, TrustedBy};
use gatehouse_certs::Certificates;

use super::state::Collected;
use crate::context::{FrontDoor, Served};
use crate::edge_config::{self, EdgeConfig};
use crate::exposure::expiring::Life;
use crate::requests::{Desk, best_certificate, certificates, client_problems, renewal};

/// Reads. Neither blocks nor waits.
pub(crate) fn collect(desk: &Desk, secrets: &str) -> Collected {
    let settings = desk.context.settings.current();
    let served = desk.context.served.load_full();
    let listener = served.as_ref().and_then(|served| listener(desk, served));
    let certificates = certificates(desk);
    let now = desk.context.clock.now();
    Collected {
        open: settings.open.as_ref().map(|open| open.request.clone()),
        pause: settings.pause,
        settings_problem: desk.context.settings.problem(),
        cert: best_certificate(desk, served.as_deref(), &certificates),
        client_problems: client_problems(desk, now),
        relay_problem: desk.turned_away.problem(now, || EdgeConfig::of(&settings.edge).0.front),
        certificates,
        addresses: served
            .filter(|_| listener.is_some())
            .map(|served| addresses(desk, &served))
            .unwrap_or_default(),
        listener,
        lives: lives(&desk.context.certificates),
        pins: desk.context.pins.list(&desk.context.certificates),
        renewal: renewal(&desk.context.certificates),
        kept_until: crate::kept::due(&settings),
        mapping: desk.context.router_port.state(),
        last_change: desk.transactions.last_change(),
        gateway_address: Some(desk.context.link.address()),
        secrets: secrets.to_owned(),
    }
}

/// The authority is told while it is the one that signs.
fn lives(certificates: &Certificates) -> Vec<Life> {
    let leaf = certificates.current().map(|leaf| Life {
        sha256: leaf.sha256.clone(),
        authority: false,
        not_before: leaf.not_before,
        not_after: leaf.not_after,
    });
    let authority = certificates.authority().map(|authority| Life {
        sha256: authority.sha256,
        authority: true,
        not_before: authority.created,
        not_after: authority.not_after,
    });
    leaf.into_iter().chain(authority).collect()
}

/// `None` where nothing listens, whatever was planned.
fn listener(desk: &Desk, served: &Served) -> Option<ListenerSummary> {
    let listening = desk.door.listening();
    let port = listening.https.first()?.port();
    let counters = desk.door.counters();
    Some(ListenerSummary {
        port,
        port_reason: served.ports.https_reason.clone(),
        redirect_port: listening.redirect.first().map(std::net::SocketAddr::port),
        redirect_reason: served.ports.redirect_reason.clone(),
        http2_websocket_reason: desk.door.http2_websocket_reason(),
        connections: usize::try_from(counters.connections).unwrap_or(usize::MAX),
        websockets: usize::try_from(counters.websockets).unwrap_or(usize::MAX),
        connections_limit: usize::try_from(counters.connections_limit).ok(),
        limits: Some(limits(desk)),
    })
}

fn limits(desk: &Desk) -> BTreeMap<String, String> {
    let entries = edge_config::entries(&desk.context.settings.current().edge);
    entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

fn addresses(desk: &Desk, served: &Served) -> Vec<Address> {
    let address = |planned: &crate::address_plan::PlannedAddress| Address {
        url: planned.url.clone(),
        scope: planned.scope,
        verified_at: None,
        trusted_by: trusted_by(desk, planned),
    };
    served.plan.addresses.iter().map(address).collect()
}

/// Of an imported certificate this system is asked.
fn trusted_by(desk: &Desk, planned: &crate::address_plan::PlannedAddress) -> TrustedBy {
    match desk.context.brought.trusted(&planned.host) {
        Some(true) => TrustedBy::Public,
        Some(false) => TrustedBy::Issuer,
        None if planned.is_public() => TrustedBy::Public,
        None => TrustedBy::LocalCa,
    }
}
