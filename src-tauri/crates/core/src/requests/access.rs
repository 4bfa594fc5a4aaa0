//! Who gets to the gateway, and by which rule; and the invitation to trust the certificate authority.

use std::net::IpAddr;
use std::sync::Arc;

use gatehouse_api::{
    AccessFacts, AddressScope, ClientRule, Code, ErrorEnvelope, OriginOwner, Reply, TrustedProxy, say,
};
use gatehouse_edge::AllowedClients;
use gatehouse_host::addresses::{InterfaceAddress, Kind, networks_of};

use super::{Desk, blocking, certificate, origins};
use crate::context::Served;
use crate::errors;
use crate::transaction::PROXIES;

/// The facts. Where the gateway's configuration cannot be read, its list of proxies is unknown and not empty.
pub(super) async fn facts(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    let listed = origins::read(desk).await.ok().map(|view| view.trusted_proxies.unwrap_or_default());
    let ours = desk.transactions.owned(PROXIES);
    let entry = |address: String| TrustedProxy {
        owner: if ours.contains(&address) { OriginOwner::Gatehouse } else { OriginOwner::User },
        address,
    };
    let addresses = addresses(desk).await?;
    Ok(Reply::Access(AccessFacts {
        trusted_proxies: listed.map(|listed| listed.into_iter().map(entry).collect()),
        networks: networks_of(&addresses).iter().map(ToString::to_string).collect(),
        clients: rule(desk.door.clients()),
    }))
}

fn rule(clients: Option<AllowedClients>) -> ClientRule {
    match clients {
        None => ClientRule::Nobody,
        Some(AllowedClients::LoopbackOnly) => ClientRule::ThisMachine,
        Some(AllowedClients::Networks(networks)) => {
            ClientRule::Networks { networks: networks.iter().map(ToString::to_string).collect() }
        }
        Some(AllowedClients::Any) => ClientRule::Everybody,
    }
}

/// Opens an invitation at the address of this machine that its neighbours know best.
pub(super) async fn invite(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    let authority = certificate::authority(&desk.context.certificates)?;
    let addresses = addresses(desk).await?;
    let served = desk.context.served.load();
    let ip = local(served.as_deref(), &addresses).ok_or_else(no_network)?;
    let now = desk.context.clock.now();
    desk.invites.open(authority, ip, &addresses, now).await.map(Reply::Invite)
}

async fn addresses(desk: &Desk) -> Result<Vec<InterfaceAddress>, ErrorEnvelope> {
    let machine = Arc::clone(&desk.context.machine);
    blocking(move || {
        machine.addresses().map_err(|error| {
            ErrorEnvelope::new(
                Code::Failed,
                say!("core.addresses.unreadable"),
                errors::capital(&error.to_string()),
            )
        })
    })
    .await
}

/// The local address that is served first, else the first private one.
fn local(served: Option<&Served>, addresses: &[InterfaceAddress]) -> Option<IpAddr> {
    // A name that the user added can be a public address: what is open to the local network only is not served there.
    let meant = |address: &&InterfaceAddress| matches!(address.kind, Kind::Private | Kind::LinkLocal);
    let present = |ip: &IpAddr| addresses.iter().filter(meant).any(|address| address.ip == *ip);
    let planned = served.into_iter().flat_map(|served| &served.plan.addresses);
    let planned = planned
        .filter(|address| address.scope == AddressScope::Lan)
        .filter_map(|address| address.host.parse().ok())
        .find(present);
    planned.or_else(|| {
        let private = addresses.iter().filter(|address| address.kind == Kind::Private && !address.temporary);
        private.min_by_key(|address| address.ip.is_ipv6()).map(|address| address.ip)
    })
}

fn no_network() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NoAddress, say!("core.trust.no-network"), say!("core.trust.no-network-because"))
        .fix_with(say!("core.trust.no-network-fix"), "gatehouse cert export --ca gatehouse-ca.pem")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: &str, kind: Kind) -> InterfaceAddress {
        InterfaceAddress {
            interface: "en0".to_owned(),
            ip: ip.parse().unwrap(),
            prefix: 24,
            kind,
            temporary: false,
            deprecated: false,
        }
    }

    fn served_at(ip: &str) -> Served {
        let wanted = crate::address_plan::AddressesWanted {
            imported: None,
            scope: gatehouse_api::Scope::Lan,
            hosts: &[ip.to_owned()],
            only: &[],
            port: 443,
            public_port: None,
            recent: None,
        };
        let present = [address(ip, Kind::Global), address("192.168.1.5", Kind::Private)];
        let plan = crate::address_plan::plan(&wanted, &present, &gatehouse_host::names::HostNames::default());
        let plan = plan.unwrap();
        assert!(plan.addresses.iter().any(|planned| planned.host == ip), "{:?}", plan.addresses);
        let ports = crate::ports_plan::PortsPlan {
            https: 443,
            https_reason: None,
            redirect: None,
            redirect_reason: None,
            ipv6: false,
        };
        Served { ports, plan }
    }

    #[test]
    fn an_invitation_is_never_open_on_a_public_address() {
        let public = [address("203.0.113.7", Kind::Global), address("127.0.0.1", Kind::Loopback)];
        assert_eq!(local(None, &public), None);
        let added = served_at("203.0.113.7");
        assert_eq!(
            local(Some(&added), &public),
            None,
            "not even where the user added it to the local network"
        );

        let home = [address("fd00::5", Kind::Private), address("192.168.1.5", Kind::Private)];
        assert_eq!(local(None, &home), Some("192.168.1.5".parse().unwrap()));
    }

    #[test]
    fn every_rule_of_the_edge_has_a_word() {
        assert_eq!(rule(None), ClientRule::Nobody);
        assert_eq!(rule(Some(AllowedClients::LoopbackOnly)), ClientRule::ThisMachine);
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let expected = ClientRule::Networks { networks: vec!["10.0.0.0/8".to_owned()] };
        assert_eq!(rule(Some(AllowedClients::Networks(networks))), expected);
        assert_eq!(rule(Some(AllowedClients::Any)), ClientRule::Everybody);
    }
}
