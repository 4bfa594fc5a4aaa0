//! What keeps others from reaching this machine: pure.

use std::collections::BTreeSet;

use gatehouse_api::{
    Fix, MappingState, PortMapping, PublicAddress, ReadinessPoint, ReadinessState as State, Text, say,
};
use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::firewall::{Firewall, Verdict};
use gatehouse_host::names::{self, Doubled, HostNames};

/// What was learnt.
pub(super) struct Facts<'a> {
    /// The HTTPS port, while something is open.
    pub(super) port: Option<u16>,
    /// Whether it is open to the internet.
    pub(super) internet: bool,
    pub(super) firewalls: &'a [Firewall],
    pub(super) names: &'a HostNames,
    pub(super) addresses: &'a [InterfaceAddress],
    pub(super) mapping: Option<&'a PortMapping>,
    pub(super) public: &'a [PublicAddress],
    pub(super) macos: bool,
}

/// The points, what needs attention first.
pub(super) fn points(facts: &Facts<'_>) -> Vec<ReadinessPoint> {
    let mut points = firewall(facts);
    points.extend(facts.mapping.map(mapping));
    points.extend(public(facts.public));
    points.extend(ipv6(facts));
    points.push(bonjour(facts));
    points.sort_by_key(|point| match point.state {
        State::Attention => 0,
        State::Unknown => 1,
        State::Ready => 2,
    });
    points
}

fn point(id: &str, state: State, title: Text, because: Text) -> ReadinessPoint {
    ReadinessPoint { id: id.to_owned(), state, title, because, fix: None }
}

fn with(point: ReadinessPoint, text: Text, command: Option<String>) -> ReadinessPoint {
    ReadinessPoint { fix: Some(Fix { text, command }), ..point }
}

fn firewall(facts: &Facts<'_>) -> Vec<ReadinessPoint> {
    const ID: &str = "firewall";
    // Where nothing is open, nobody is kept out of anything.
    let Some(port) = facts.port else { return Vec::new() };
    if facts.firewalls.is_empty() {
        let because = say!("core.net.no-firewall-because");
        return vec![point(ID, State::Ready, say!("core.net.no-firewall"), because)];
    }
    let told = |found: &Firewall| {
        let name = found.kind.to_string();
        match found.verdict {
            Verdict::Open => {
                let title = say!("core.net.firewall-open", firewall = name, port = port);
                point(ID, State::Ready, title, say!("core.net.firewall-open-because"))
            }
            Verdict::Blocked => {
                let title = say!("core.net.firewall-blocked", firewall = name, port = port);
                let point = point(ID, State::Attention, title, say!("core.net.firewall-blocked-because"));
                with(point, say!("core.net.firewall-fix"), Some(found.remedy.clone()))
            }
            Verdict::Unknown => {
                let title = say!("core.net.firewall-unknown", firewall = name, port = port);
                let point = point(ID, State::Unknown, title, say!("core.net.firewall-unknown-because"));
                with(point, say!("core.net.firewall-unknown-fix"), Some(found.remedy.clone()))
            }
        }
    };
    facts.firewalls.iter().map(told).collect()
}

fn mapping(mapping: &PortMapping) -> ReadinessPoint {
    const ID: &str = "mapping";
    match (mapping.state, &mapping.problem) {
        (MappingState::Failed, Some(problem)) => ReadinessPoint {
            fix: problem.fix.clone(),
            ..point(ID, State::Attention, problem.title.clone(), problem.because.clone())
        },
        (MappingState::Open, _) => {
            let external = mapping.external.clone().unwrap_or_default();
            let title = say!("core.net.mapped", external = external, port = mapping.to);
            point(ID, State::Ready, title, say!("core.net.mapped-because"))
        }
        (MappingState::Opening | MappingState::Failed, _) => {
            let title = say!("core.net.mapping", port = mapping.port);
            point(ID, State::Unknown, title, say!("core.net.mapping-because"))
        }
    }
}

/// Whether those who were asked agree.
fn public(public: &[PublicAddress]) -> Option<ReadinessPoint> {
    const ID: &str = "public-address";
    let v4 = |one: &&PublicAddress| one.address.as_ref().is_some_and(|address| !address.contains(':'));
    let of_router = public.iter().filter(v4).find(|one| one.source == "router");
    let echoed = public.iter().filter(v4).filter(|one| one.source.starts_with("https://"));
    let echoed: BTreeSet<&str> = echoed.filter_map(|one| one.address.as_deref()).collect();
    let all = || echoed.iter().copied().collect::<Vec<_>>().join(", ");
    if echoed.len() > 1 {
        let title = say!("core.net.echoes-differ", addresses = all());
        return Some(point(ID, State::Attention, title, say!("core.net.echoes-differ-because")));
    }
    let (router, echoed) = (of_router?.address.as_deref()?, echoed.first().copied()?);
    if router == echoed {
        let title = say!("core.net.public", address = router);
        return Some(point(ID, State::Ready, title, say!("core.net.public-because")));
    }
    let title = say!("core.net.public-differs", router = router, seen = echoed);
    let differs = point(ID, State::Attention, title, say!("core.net.public-differs-because"));
    Some(with(differs, say!("core.net.public-differs-fix"), None))
}

fn ipv6(facts: &Facts<'_>) -> Option<ReadinessPoint> {
    const ID: &str = "ipv6";
    let (true, Some(port)) = (facts.internet, facts.port) else { return None };
    let global = |address: &&InterfaceAddress| address.ip.is_ipv6() && address.kind == Kind::Global;
    let mut all = facts.addresses.iter().filter(global).peekable();
    all.peek()?;
    match all.find(|address| !address.temporary && !address.deprecated) {
        Some(stable) => {
            let because = say!("core.net.ipv6-because", address = stable.ip.to_string());
            let unknown = point(ID, State::Unknown, say!("core.net.ipv6"), because);
            Some(with(unknown, say!("core.net.ipv6-fix", port = port), None))
        }
        None => {
            let title = say!("core.net.ipv6-temporary");
            Some(point(ID, State::Attention, title, say!("core.net.ipv6-temporary-because")))
        }
    }
}

fn bonjour(facts: &Facts<'_>) -> ReadinessPoint {
    const ID: &str = "bonjour";
    let rename = || {
        let command = match facts.macos {
            true => "sudo scutil --set LocalHostName NAME",
            false => "sudo hostnamectl set-hostname NAME",
        };
        Some(command.to_owned())
    };
    match (&facts.names.local, names::doubled(facts.names)) {
        (Some(local), Some(Doubled { base, certain: true })) => {
            let title = say!("core.net.name-taken", base = base, local = local);
            let taken = point(ID, State::Attention, title, say!("core.net.name-taken-because"));
            with(taken, say!("core.net.name-taken-fix"), rename())
        }
        (Some(local), Some(Doubled { base, certain: false })) => {
            let because = say!("core.net.name-numbered-because", base = base);
            let title = say!("core.net.name-numbered", local = local);
            with(point(ID, State::Unknown, title, because), say!("core.net.name-taken-fix"), rename())
        }
        (Some(local), None) => {
            let title = say!("core.net.name", local = local);
            point(ID, State::Ready, title, say!("core.net.name-because"))
        }
        (None, _) => {
            let none = point(ID, State::Unknown, say!("core.net.no-name"), say!("core.net.no-name-because"));
            match facts.macos {
                true => none,
                false => {
                    let command = Some("sudo apt install avahi-daemon".to_owned());
                    with(none, say!("core.net.no-name-fix"), command)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatehouse_host::firewall;

    use super::*;

    const BLOCKED: Firewall =
        Firewall { kind: firewall::Kind::Ufw, verdict: Verdict::Blocked, remedy: String::new() };

    fn named(host: &str, local: &str) -> HostNames {
        HostNames { host: Some(host.to_owned()), local: Some(local.to_owned()) }
    }

    fn facts<'a>(names: &'a HostNames, firewalls: &'a [Firewall], public: &'a [PublicAddress]) -> Facts<'a> {
        let (port, internet, macos) = (Some(443), true, false);
        Facts { port, internet, firewalls, names, addresses: &[], mapping: None, public, macos }
    }

    fn state(points: &[ReadinessPoint], id: &str) -> Option<State> {
        points.iter().find(|point| point.id == id).map(|point| point.state)
    }

    fn says(source: &str, address: &str) -> PublicAddress {
        PublicAddress { source: source.to_owned(), address: Some(address.to_owned()), problem: None }
    }

    #[test]
    fn a_firewall_that_keeps_out_comes_first_and_has_its_remedy() {
        let blocked = [Firewall { remedy: "sudo ufw allow 443/tcp".to_owned(), ..BLOCKED }];
        let names = named("mini", "mini.local");
        let points = points(&facts(&names, &blocked, &[]));
        assert_eq!((points[0].id.as_str(), points[0].state), ("firewall", State::Attention));
        assert_eq!(points[0].fix.clone().unwrap().command.as_deref(), Some("sudo ufw allow 443/tcp"));
        let none = super::points(&facts(&names, &[], &[]));
        assert_eq!(state(&none, "firewall"), Some(State::Ready));
        let closed = Facts { port: None, ..facts(&names, &blocked, &[]) };
        assert_eq!(state(&super::points(&closed), "firewall"), None, "nothing is open");
    }

    #[test]
    fn who_was_asked_for_the_public_address_agrees_or_not() {
        let echo = "https://echo.example/";
        let judge = |said: &[PublicAddress]| public(said).map(|point| point.state);
        assert_eq!(judge(&[says("router", "44.5.6.7")]), None);
        assert_eq!(judge(&[says("router", "44.5.6.7"), says(echo, "44.5.6.7")]), Some(State::Ready));
        assert_eq!(judge(&[says("router", "192.168.1.2"), says(echo, "44.5.6.7")]), Some(State::Attention));
        let two = [says(echo, "44.5.6.7"), says("https://other.example/", "44.5.6.8")];
        assert_eq!(judge(&two), Some(State::Attention));
    }

    #[test]
    fn a_name_that_another_device_has_is_told() {
        let judge = |names: &HostNames| bonjour(&facts(names, &[], &[])).state;
        assert_eq!(judge(&named("mini", "mini.local")), State::Ready);
        assert_eq!(judge(&named("mini", "mini-2.local")), State::Attention);
        assert_eq!(judge(&named("mini-2", "mini-2.local")), State::Unknown);
        assert_eq!(judge(&HostNames::default()), State::Unknown);
    }

    #[test]
    fn an_address_that_is_replaced_every_day_is_none_to_hand_out() {
        let address = |temporary| InterfaceAddress {
            interface: "en0".to_owned(),
            ip: "2a00::7".parse().unwrap(),
            prefix: 64,
            kind: Kind::Global,
            temporary,
            deprecated: false,
        };
        let names = named("mini", "mini.local");
        let judge = |addresses: &[InterfaceAddress]| {
            ipv6(&Facts { addresses, ..facts(&names, &[], &[]) }).map(|point| point.state)
        };
        assert_eq!(judge(&[]), None);
        assert_eq!(judge(&[address(true)]), Some(State::Attention));
        assert_eq!(judge(&[address(true), address(false)]), Some(State::Unknown));
    }
}
