//! Ports on a real home router: miniupnpd, with one side in our network and one in an internet of one host.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod product;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use gatehouse_host::mapping::{self, Class, Mapping, MappingError, Protocol, Wanted};
use gatehouse_tests::need::{Part, parts};
use gatehouse_tests::{Manner, Net, Router};

const OUTSIDE: Ipv4Addr = Ipv4Addr::new(44, 55, 66, 77);
const PORT: u16 = 8443;

fn wanted(net: &Net) -> Wanted {
    Wanted { router: net.there.v4, here: net.here.v4, port: PORT, external_port: PORT }
}

/// Runs a future on a thread of the machine behind the router.
async fn behind<T, F>(net: &Net, work: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work())
    };
    net.here.inside(work).await.unwrap()
}

async fn open(net: &Net) -> Result<Mapping, MappingError> {
    let wanted = wanted(net);
    behind(net, move || mapping::open(wanted)).await
}

/// Whether a host of the internet gets through the router to our port, and under which address it is seen there.
async fn reached(net: &Net, router: &Router) -> Option<std::net::IpAddr> {
    let listener = net.here.listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT))).await.unwrap();
    let outside = SocketAddr::from((OUTSIDE, PORT));
    let (accepted, connected) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(3), listener.accept()),
        router.internet.connect(outside)
    );
    drop(connected);
    accepted.ok().map(|accepted| accepted.unwrap().1.ip())
}

#[tokio::test]
async fn a_port_is_opened_renewed_and_given_back() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let router = Router::new(&net, OUTSIDE, Manner::Obliging).await;
    assert_eq!(reached(&net, &router).await, None, "closed before it is opened");

    let mapping = open(&net).await.unwrap();
    assert_eq!(mapping.protocol, Protocol::Pcp);
    assert_eq!(mapping.external, std::net::SocketAddrV4::new(OUTSIDE, PORT));
    assert!(mapping.renew_after() <= Duration::from_secs(900));
    assert_eq!(reached(&net, &router).await, Some(router.internet.v4.into()), "its own address is seen");

    let mapping = behind(&net, move || mapping.renew()).await.unwrap();
    assert_eq!(reached(&net, &router).await, Some(router.internet.v4.into()));
    behind(&net, move || mapping.close()).await;
    assert_eq!(reached(&net, &router).await, None, "closed again");
}

#[tokio::test]
async fn a_router_that_speaks_only_upnp_opens_the_port_too() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let router = Router::new(&net, OUTSIDE, Manner::UpnpAlone).await;
    let mapping = open(&net).await.unwrap();
    assert_eq!(mapping.protocol, Protocol::Upnp);
    assert_eq!(reached(&net, &router).await, Some(router.internet.v4.into()));
    let mapping = behind(&net, move || mapping.renew()).await.unwrap();
    behind(&net, move || mapping.close()).await;
    assert_eq!(reached(&net, &router).await, None);
}

#[tokio::test]
async fn a_router_that_was_switched_off_and_on_is_told_again_by_the_renewal() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let mut router = Router::new(&net, OUTSIDE, Manner::Obliging).await;
    let mapping = open(&net).await.unwrap();
    router.reboot().await;
    assert_eq!(reached(&net, &router).await, None, "it has forgotten the port");
    let _mapping = behind(&net, move || mapping.renew()).await.unwrap();
    assert_eq!(reached(&net, &router).await, Some(router.internet.v4.into()));
}

#[tokio::test]
async fn behind_carrier_grade_nat_nothing_is_opened_and_the_reason_is_told() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    for outside in [Ipv4Addr::new(100, 64, 0, 9), Ipv4Addr::new(192, 168, 1, 2)] {
        let net = Net::new();
        let _router = Router::new(&net, outside, Manner::Obliging).await;
        let error = open(&net).await.unwrap_err();
        // miniupnpd keeps its useless address to itself; other routers tell it.
        let told = match &error {
            MappingError::NoExternal => true,
            MappingError::NotPublic { class, .. } => *class != Class::Public,
            // By PCP alone, where UPnP was not heard.
            MappingError::Refused { why, .. } => why.contains("No resources"),
            _ => false,
        };
        assert!(told, "{outside}: {error:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_the_routers_reason() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let _router = Router::new(&net, OUTSIDE, Manner::Refusing).await;
    let error = open(&net).await.unwrap_err();
    assert!(matches!(error, MappingError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_router_without_any_protocol_is_silent_within_the_time_limit() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let mut router = Router::new(&net, OUTSIDE, Manner::Obliging).await;
    router.stop().await;
    let started = std::time::Instant::now();
    let error = open(&net).await.unwrap_err();
    assert!(matches!(error, MappingError::Silent { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_router_is_found_by_the_default_route() {
    if !parts(&[Part::Machines, Part::Router]) {
        return;
    }
    let net = Net::new();
    let _router = Router::new(&net, OUTSIDE, Manner::Obliging).await;
    assert_eq!(net.here.inside(mapping::router).await.unwrap(), Some(net.there.v4));
}
