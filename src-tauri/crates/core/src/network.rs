//! Where this machine is on its network, and what keeps others from reaching it: facts, and points with the exact remedy.
//!
//! Guarantees: nothing is changed; nothing is sent to anybody unless the user asked for it, and then only to the router
//! and to the echoes that the user named; what could not be learnt is told as not known.

mod points;
mod public;

use std::collections::BTreeSet;
use std::sync::Arc;

use gatehouse_api::{AddressScope, Network, NetworkAddress, Scope};
use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::firewall::firewalls;

use self::points::Facts;
use crate::context::FrontDoor as _;
use crate::edge_config::EdgeConfig;
use crate::requests::{Desk, blocking};

/// Looks. `ask` = also ask the router and the echoes for the public address.
pub(crate) async fn look(desk: &Desk, ask: bool) -> Network {
    let settings = desk.context.settings.current();
    let served = desk.context.served.load_full();
    let listening = desk.door.listening().https.first().map(std::net::SocketAddr::port);
    let port = listening.or(settings.open.as_ref().map(|open| open.port)).unwrap_or(443);
    let machine = Arc::clone(&desk.context.machine);
    let looked = blocking(move || {
        let program = std::env::current_exe().unwrap_or_default();
        let addresses = machine.addresses().unwrap_or_default();
        Ok((addresses, machine.names(), machine.router(), firewalls(&program, port)))
    });
    let (addresses, names, router, firewalls) = looked.await.unwrap_or_default();
    let mapping = desk.context.router_port.state();
    let echoes = EdgeConfig::of(&settings.edge).0.echoes;
    let mut public = public::known(&addresses, mapping.as_ref());
    if ask {
        public.extend(public::ask(desk, mapping.as_ref(), &echoes).await);
    }
    let open: BTreeSet<String> =
        served.iter().flat_map(|served| &served.plan.addresses).map(|address| address.host.clone()).collect();
    let facts = Facts {
        port: listening,
        internet: settings.open.as_ref().is_some_and(|open| open.request.scope == Scope::Internet),
        firewalls: &firewalls,
        names: &names,
        addresses: &addresses,
        mapping: mapping.as_ref(),
        public: &public,
        macos: cfg!(target_os = "macos"),
    };
    let points = points::points(&facts);
    Network {
        host: names.host,
        bonjour: names.local,
        router: router.map(|router| router.to_string()),
        addresses: addresses
            .iter()
            .filter(|one| one.kind != Kind::Loopback)
            .map(|one| told(one, &open))
            .collect(),
        kept: crate::kept::listed(&settings),
        mapping,
        public,
        points,
    }
}

fn told(address: &InterfaceAddress, open: &BTreeSet<String>) -> NetworkAddress {
    let text = address.ip.to_string();
    NetworkAddress {
        reach: match address.kind {
            Kind::Loopback | Kind::LinkLocal => AddressScope::Mac,
            Kind::Private => AddressScope::Lan,
            Kind::Tailnet => AddressScope::Tailnet,
            Kind::Global => AddressScope::Internet,
        },
        open: open.contains(&text),
        address: text,
        interface: address.interface.clone(),
        temporary: address.temporary,
        deprecated: address.deprecated,
    }
}
