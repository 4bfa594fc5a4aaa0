//! The router's port as a part of a change: opened with the address, given back with it, taken back with it.

use std::sync::atomic::Ordering;

use gatehouse_api::{ChangeState, Code, MappingState, OpenRequest, Scope, StepId};

use super::house::House;
use crate::transaction::Intent;

fn open_ports(house: &House) -> usize {
    house.router().open.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routers_port_opens_with_the_address_and_closes_with_it() {
    let house = House::new();
    let plan = house.transactions().plan(&house.open_to_internet("gate.internal")).await.unwrap();
    let step = plan.steps.iter().find(|step| step.id == StepId::MapPort).unwrap();
    assert!(step.changes && step.title.contains("port 443 to the internet"), "{step:?}");
    assert_eq!(plan.addresses.first().map(String::as_str), Some("https://gate.internal"));
    assert_eq!(open_ports(&house), 0, "a plan asks nobody");

    let change = house.transactions().run(house.open_to_internet("gate.internal")).await.unwrap();
    assert_eq!(change.state, Some(ChangeState::Committed));
    let mapping = house.context().router_port.state().unwrap();
    assert_eq!((mapping.state, mapping.port), (MappingState::Open, 443));
    assert_eq!(open_ports(&house), 1);
    assert!(house.config().contains("\"https://gate.internal\""), "{}", house.config());

    let again = house.transactions().run(house.open_to_internet("gate.internal")).await.unwrap();
    assert_eq!(again.id, None, "it is as it should be");

    let port = house.context().router_port.clone();
    let keeper = tokio::spawn({
        let port = port.clone();
        async move { port.keep().await }
    });
    house.transactions().run(Intent::Close { purge: false }).await.unwrap();
    assert_eq!((open_ports(&house), port.state()), (0, None));
    house.transactions().undo(None, false).await.unwrap();
    let mut changes = port.changes();
    changes.wait_for(|state| state.as_ref().is_some_and(|it| it.state == MappingState::Open)).await.unwrap();
    assert_eq!(open_ports(&house), 1);

    house.transactions().run(house.open(&[])).await.unwrap();
    assert_eq!(open_ports(&house), 0, "devices nearby need no router");
    keeper.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_refuses_takes_the_whole_change_back() {
    let house = House::new();
    let before = house.config();
    house.router().refuses.store(true, Ordering::SeqCst);
    let error = house.transactions().run(house.open_to_internet("gate.internal")).await.unwrap_err();
    assert!(error.because.contains("answers neither PCP"), "{error:?}");
    assert!(error.fix.is_some());
    assert_eq!(house.config(), before);
    assert!(!house.settings_open() && house.listening().is_empty());
    assert_eq!(house.context().router_port.state(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_internet_needs_the_router() {
    let house = House::new();
    let Intent::Open(request) = house.open_to_internet("gate.internal") else { return };
    let lan = Intent::Open(OpenRequest { scope: Scope::Lan, ..request });
    assert_eq!(house.transactions().run(lan).await.unwrap_err().code, Code::Usage);
}
