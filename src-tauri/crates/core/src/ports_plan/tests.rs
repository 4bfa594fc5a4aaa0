use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use gatehouse_api::Code;
use gatehouse_host::addresses::InterfaceAddress;
use gatehouse_host::names::HostNames;
use gatehouse_host::ports::{PortHolder, Refusal};

use super::{PortsWanted, plan};
use crate::context::{Listeners, Machine};

#[derive(Clone, Copy)]
enum Why {
    Taken,
    Reserved,
}

/// A machine on which some ports cannot be had.
#[derive(Default)]
struct Ports {
    not: BTreeMap<u16, Why>,
    no_ipv6: bool,
}

impl Machine for Ports {
    fn addresses(&self) -> io::Result<Vec<InterfaceAddress>> {
        Ok(Vec::new())
    }

    fn names(&self) -> HostNames {
        HostNames::default()
    }

    fn holder(&self, port: u16) -> Option<PortHolder> {
        (port == 443).then(|| PortHolder {
            pid: Some(412),
            program: Some("nginx".to_owned()),
            command: None,
            uid: Some(0),
            listening: Vec::new(),
        })
    }

    fn ask_to_restart(&self, _pid: u32) -> io::Result<()> {
        Ok(())
    }

    fn try_bind(&self, address: SocketAddr) -> Result<(), Refusal> {
        if self.no_ipv6 && address.is_ipv6() {
            return Err(Refusal::NoAddress);
        }
        match self.not.get(&address.port()) {
            Some(Why::Taken) => Err(Refusal::InUse),
            Some(Why::Reserved) => Err(Refusal::Permission),
            None => Ok(()),
        }
    }
}

fn without(ports: &[(u16, Why)]) -> Ports {
    Ports { not: ports.iter().copied().collect(), no_ipv6: false }
}

#[test]
fn takes_443_and_80_on_both_families_where_they_may_be_had() {
    let plan = plan(&PortsWanted::default(), &Ports::default()).unwrap();
    assert_eq!((plan.https, plan.https_reason.clone(), plan.redirect), (443, None, Some(80)));
    let listeners = plan.listeners();
    assert_eq!(listeners.https, ["0.0.0.0:443".parse().unwrap(), "[::]:443".parse().unwrap()]);
    assert_eq!(listeners.redirect, ["0.0.0.0:80".parse().unwrap(), "[::]:80".parse().unwrap()]);
}

#[test]
fn falls_back_to_8443_and_names_who_holds_443() {
    let plan = plan(&PortsWanted::default(), &without(&[(443, Why::Taken)])).unwrap();
    assert_eq!(plan.https, 8443);
    assert_eq!(plan.https_reason.as_deref(), Some("Port 443 is held by nginx (pid 412)."));
}

#[test]
fn falls_back_to_8443_and_says_that_443_is_reserved() {
    let reserved = without(&[(443, Why::Reserved), (80, Why::Reserved)]);
    let plan = plan(&PortsWanted::default(), &reserved).unwrap();
    assert_eq!((plan.https, plan.redirect), (8443, None));
    assert!(plan.https_reason.unwrap().contains("privileged"));
    assert!(plan.redirect_reason.unwrap().contains("privileged"));
}

#[test]
fn a_chosen_port_is_used_or_refused_with_its_holder_never_replaced() {
    let wanted = PortsWanted { https: Some(443), ..PortsWanted::default() };
    let error = plan(&wanted, &without(&[(443, Why::Taken)])).unwrap_err();
    assert_eq!(error.code, Code::PortTaken);
    assert!(error.title.contains("nginx (pid 412)"), "{error:?}");
    let error = plan(&wanted, &without(&[(443, Why::Reserved)])).unwrap_err();
    assert_eq!(error.code, Code::Permission);
    assert_eq!(plan(&wanted, &Ports::default()).unwrap().https, 443);
}

#[test]
fn a_port_that_is_ours_already_is_not_in_our_own_way() {
    let ours = Listeners {
        https: vec!["0.0.0.0:443".parse().unwrap(), "[::]:443".parse().unwrap()],
        redirect: vec!["0.0.0.0:80".parse().unwrap(), "[::]:80".parse().unwrap()],
    };
    let wanted = PortsWanted { ours, ..PortsWanted::default() };
    let plan = plan(&wanted, &without(&[(443, Why::Taken), (80, Why::Taken)])).unwrap();
    assert_eq!((plan.https, plan.redirect), (443, Some(80)));
}

#[test]
fn a_port_that_was_settled_on_is_kept_though_a_better_one_is_free_now() {
    let settled = Some((8443, Some("Port 443 was held.".into())));
    let wanted = PortsWanted { settled, ..PortsWanted::default() };
    let kept = plan(&wanted, &Ports::default()).unwrap();
    assert_eq!((kept.https, kept.https_reason.as_deref()), (8443, Some("Port 443 was held.")));
    let gone = plan(&wanted, &without(&[(8443, Why::Taken)])).unwrap();
    assert_eq!(gone.https, 443);
}

#[test]
fn no_free_port_is_an_error_that_tells_both_reasons() {
    let error =
        plan(&PortsWanted::default(), &without(&[(443, Why::Taken), (8443, Why::Taken)])).unwrap_err();
    assert_eq!(error.code, Code::PortTaken);
    assert!(error.evidence[0].contains("nginx"), "{error:?}");
}

#[test]
fn the_redirect_can_be_switched_off_or_moved_and_never_redirects_to_itself() {
    let off = PortsWanted { redirect: Some(0), ..PortsWanted::default() };
    assert_eq!(plan(&off, &Ports::default()).unwrap().redirect, None);
    let moved = PortsWanted { redirect: Some(8080), ..PortsWanted::default() };
    assert_eq!(plan(&moved, &Ports::default()).unwrap().redirect, Some(8080));
    let taken = plan(&moved, &without(&[(8080, Why::Taken)])).unwrap_err();
    assert_eq!(taken.code, Code::PortTaken);
    let same = PortsWanted { https: Some(8080), redirect: Some(8080), ..PortsWanted::default() };
    assert_eq!(plan(&same, &Ports::default()).unwrap_err().code, Code::Usage);
}

#[test]
fn a_machine_without_ipv6_listens_on_ipv4_only() {
    let plan = plan(&PortsWanted::default(), &Ports { no_ipv6: true, ..Ports::default() }).unwrap();
    assert_eq!(plan.listeners().https, ["0.0.0.0:443".parse().unwrap()]);
}
