use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gatehouse_host::addresses::{InterfaceAddress, Kind};
use gatehouse_host::names::HostNames;
use gatehouse_host::ports::{PortHolder, Refusal};

use super::*;

const WISH: Wish = Wish { port: 8443, external_port: 443 };

/// A router that opens or refuses as the test says, and counts.
#[derive(Debug, Default)]
pub(crate) struct Paper {
    pub(crate) refuses: AtomicBool,
    pub(crate) open: AtomicUsize,
    pub(crate) renewals: AtomicUsize,
}

struct Sheet {
    router: Arc<Paper>,
    wanted: Wanted,
}

/// Shares a [`Paper`].
pub(crate) struct Desk(pub(crate) Arc<Paper>);

#[async_trait]
impl Mapper for Desk {
    async fn open(&self, wanted: Wanted) -> Result<Box<dyn Held>, MappingError> {
        if self.0.refuses.load(Ordering::SeqCst) {
            return Err(MappingError::Silent { router: wanted.router });
        }
        self.0.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Sheet { router: Arc::clone(&self.0), wanted }))
    }
}

#[async_trait]
impl Held for Sheet {
    fn told(&self) -> Told {
        Told {
            external: SocketAddrV4::new(Ipv4Addr::new(44, 5, 6, 7), self.wanted.external_port),
            protocol: "PCP".to_owned(),
            until: Some(Instant::now() + Duration::from_secs(3600)),
            renew_after: Duration::from_secs(60),
        }
    }

    async fn renew(self: Box<Self>) -> Result<Box<dyn Held>, MappingError> {
        self.router.renewals.fetch_add(1, Ordering::SeqCst);
        if self.router.refuses.load(Ordering::SeqCst) {
            self.router.open.fetch_sub(1, Ordering::SeqCst);
            return Err(MappingError::Silent { router: self.wanted.router });
        }
        Ok(self)
    }

    async fn close(self: Box<Self>) {
        self.router.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A machine with a router, until that is taken away.
#[derive(Debug, Default)]
struct AtHome {
    away: AtomicBool,
}

impl Machine for AtHome {
    fn addresses(&self) -> std::io::Result<Vec<InterfaceAddress>> {
        Ok(vec![InterfaceAddress {
            interface: "en0".to_owned(),
            ip: Ipv4Addr::new(192, 168, 1, 20).into(),
            prefix: 24,
            kind: Kind::Private,
            temporary: false,
            deprecated: false,
        }])
    }

    fn names(&self) -> HostNames {
        HostNames::default()
    }

    fn holder(&self, _port: u16) -> Option<PortHolder> {
        None
    }

    fn ask_to_restart(&self, _pid: u32) -> std::io::Result<()> {
        Ok(())
    }

    fn router(&self) -> Option<Ipv4Addr> {
        (!self.away.load(Ordering::SeqCst)).then_some(Ipv4Addr::new(192, 168, 1, 1))
    }

    fn try_bind(&self, _address: std::net::SocketAddr) -> Result<(), Refusal> {
        Ok(())
    }
}

fn at_home() -> (Arc<Paper>, Arc<AtHome>, RouterPort) {
    let (paper, machine) = (Arc::<Paper>::default(), Arc::<AtHome>::default());
    let port = RouterPort::new(Arc::new(Desk(Arc::clone(&paper))), Arc::clone(&machine) as Arc<dyn Machine>);
    (paper, machine, port)
}

fn state(port: &RouterPort) -> Option<MappingState> {
    port.state().map(|mapping| mapping.state)
}

/// Lets tasks do what is due.
async fn pass(seconds: u64) {
    for _ in 0..seconds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // The machine is looked at on a thread of its own.
        for _ in 0..20 {
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
    }
}

async fn until(port: &RouterPort, wanted: impl FnMut(&Option<PortMapping>) -> bool) {
    let mut changes = port.changes();
    tokio::time::timeout(Duration::from_secs(3600), changes.wait_for(wanted)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_port_is_opened_told_and_given_back() {
    let (paper, _machine, port) = at_home();
    port.want(Some(WISH)).await.unwrap();
    let mapping = port.state().unwrap();
    assert_eq!(mapping.state, MappingState::Open);
    assert_eq!(mapping.external.as_deref(), Some("44.5.6.7:443"));
    assert_eq!((mapping.port, mapping.to), (443, 8443));
    assert_eq!(paper.open.load(Ordering::SeqCst), 1);
    port.want(None).await.unwrap();
    assert_eq!((port.state(), paper.open.load(Ordering::SeqCst)), (None, 0));
}

#[tokio::test]
async fn another_wish_closes_the_port_of_the_old_one() {
    let (paper, _machine, port) = at_home();
    port.want(Some(WISH)).await.unwrap();
    port.want(Some(Wish { external_port: 8443, ..WISH })).await.unwrap();
    assert_eq!(paper.open.load(Ordering::SeqCst), 1);
    assert_eq!(port.state().unwrap().port, 8443);
    port.end().await;
    assert_eq!(paper.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refusal_is_an_error_and_leaves_no_wish() {
    let (paper, machine, port) = at_home();
    paper.refuses.store(true, Ordering::SeqCst);
    assert!(matches!(port.want(Some(WISH)).await, Err(MappingError::Silent { .. })));
    assert_eq!(port.state(), None);
    machine.away.store(true, Ordering::SeqCst);
    assert!(matches!(port.want(Some(WISH)).await, Err(MappingError::NoRouter)));
    assert_eq!(port.state(), None);
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_and_a_router_that_forgets_is_asked_until_it_opens_again() {
    let (paper, _machine, port) = at_home();
    let keeper = port.clone();
    let task = tokio::spawn(async move { keeper.keep().await });
    port.follow(Some(WISH));
    until(&port, |state| state.as_ref().is_some_and(|it| it.state == MappingState::Open)).await;
    pass(130).await;
    assert!(paper.renewals.load(Ordering::SeqCst) >= 2, "{paper:?}");

    paper.refuses.store(true, Ordering::SeqCst);
    until(&port, |state| state.as_ref().is_some_and(|it| it.state == MappingState::Failed)).await;
    let failed = port.state().unwrap();
    assert!(failed.problem.is_some() && failed.retry_at.is_some(), "{failed:?}");
    paper.refuses.store(false, Ordering::SeqCst);
    until(&port, |state| state.as_ref().is_some_and(|it| it.state == MappingState::Open)).await;
    assert_eq!(paper.open.load(Ordering::SeqCst), 1);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_router_that_is_gone_is_told_and_looked_for_after_a_change_of_addresses() {
    let (paper, machine, port) = at_home();
    let keeper = port.clone();
    let task = tokio::spawn(async move { keeper.keep().await });
    port.follow(Some(WISH));
    until(&port, |state| state.is_some()).await;
    machine.away.store(true, Ordering::SeqCst);
    port.look();
    until(&port, |state| state.as_ref().is_some_and(|it| it.state == MappingState::Failed)).await;
    machine.away.store(false, Ordering::SeqCst);
    port.look();
    until(&port, |state| state.as_ref().is_some_and(|it| it.state == MappingState::Open)).await;
    assert!(paper.open.load(Ordering::SeqCst) >= 1);
    assert_eq!(state(&port), Some(MappingState::Open));
    task.abort();
}
