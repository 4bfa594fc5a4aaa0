//! The port of the home's router that is open while the address is: asked for, renewed, given back.
//!
//! Guarantees: the router is asked only where the user asked for it; at most one port is open at a time, and what is
//! shown is what the router said last; a port that the router does not give is tried again, with the reason shown; it
//! is given back when the address closes, when this machine's place changes and when the program ends. After a crash
//! the router forgets it within an hour.

mod router;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gatehouse_api::{MappingState, PortMapping, Scope};
use gatehouse_host::mapping::{MappingError, Place, Wanted, place};
use time::OffsetDateTime;
use tokio::sync::{Notify, watch};

pub use self::router::HomeRouter;
use crate::context::Machine;
use crate::errors::{self, Explain};
use crate::settings::OpenSettings;

/// How soon a router that did not open the port is asked again; doubled each time.
const RETRY: Duration = Duration::from_secs(30);
/// At the latest then.
const MOST_RETRY: Duration = Duration::from_secs(15 * 60);
/// How long giving the port back may keep the program from ending.
const GOODBYE: Duration = Duration::from_secs(6);

/// Opens ports of routers.
#[async_trait]
pub trait Mapper: Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// Why not; nothing is open then.
    async fn open(&self, wanted: Wanted) -> Result<Box<dyn Held>, MappingError>;
}

/// A port of a router that is open.
#[async_trait]
pub trait Held: Send {
    /// What the router said.
    fn told(&self) -> Told;

    /// Makes it last longer.
    ///
    /// # Errors
    /// Why not; it is then as good as closed.
    async fn renew(self: Box<Self>) -> Result<Box<dyn Held>, MappingError>;

    /// Gives it back.
    async fn close(self: Box<Self>);
}

/// What a router said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where the internet reaches us.
    pub external: std::net::SocketAddrV4,
    /// By which protocol it was asked.
    pub protocol: String,
    /// When it forgets the port by itself; `None` = never.
    pub until: Option<Instant>,
    /// When it is to be renewed.
    pub renew_after: Duration,
}

/// Which port is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The port here.
    pub port: u16,
    /// The port of the router.
    pub external_port: u16,
}

impl Wish {
    /// What the settings want.
    #[must_use]
    pub fn of(open: Option<&OpenSettings>) -> Option<Self> {
        let open = open.filter(|open| open.request.scope == Scope::Internet)?;
        Some(Self::new(open.request.map_port?, open.port))
    }

    /// `asked` = the port of the router, 0 = the same as here.
    #[must_use]
    pub fn new(asked: u16, port: u16) -> Self {
        Self { port, external_port: if asked == 0 { port } else { asked } }
    }
}

/// The router's port. Cheap to clone.
#[derive(Clone)]
pub struct RouterPort(Arc<Shared>);

struct Shared {
    mapper: Arc<dyn Mapper>,
    machine: Arc<dyn Machine>,
    wish: Mutex<Option<Wish>>,
    held: tokio::sync::Mutex<Holding>,
    state: watch::Sender<Option<PortMapping>>,
    look: Notify,
    /// Whether the router is asked at the next look, due or not.
    urgent: AtomicBool,
}

#[derive(Default)]
struct Holding {
    open: Option<(Wanted, Box<dyn Held>)>,
    /// When the router is asked again.
    next: Option<tokio::time::Instant>,
    failures: u32,
}

impl RouterPort {
    /// Nothing is wanted and nothing is open.
    pub fn new(mapper: Arc<dyn Mapper>, machine: Arc<dyn Machine>) -> Self {
        Self(Arc::new(Shared {
            mapper,
            machine,
            wish: Mutex::default(),
            held: tokio::sync::Mutex::default(),
            state: watch::channel(None).0,
            look: Notify::new(),
            urgent: AtomicBool::new(false),
        }))
    }

    /// How it stands; `None` = none is wanted.
    #[must_use]
    pub fn state(&self) -> Option<PortMapping> {
        self.0.state.borrow().clone()
    }

    /// How it stands, and every change of that.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Option<PortMapping>> {
        self.0.state.subscribe()
    }

    /// Where this machine is, as far as a router is concerned. Sends nothing.
    ///
    /// # Errors
    /// There is no router, or none is in the way.
    pub async fn place(&self) -> Result<Place, MappingError> {
        let machine = Arc::clone(&self.0.machine);
        let look = move || place(machine.router(), &machine.addresses().unwrap_or_default());
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(MappingError::NoRouter))
    }

    /// Wants this port, or none, and answers when the router did.
    ///
    /// # Errors
    /// Why it is not open. It is then no longer wanted.
    pub async fn want(&self, wish: Option<Wish>) -> Result<(), MappingError> {
        self.set(wish);
        let outcome = self.settle(true).await;
        if outcome.is_err() {
            self.set(None);
            // Closes what is left, and shows nothing.
            let _ = self.settle(true).await;
        }
        self.0.look.notify_one();
        outcome
    }

    /// Wants this port, or none, from now on; [`Self::keep`] sees to it.
    pub fn follow(&self, wish: Option<Wish>) {
        if self.set(wish) {
            self.0.look.notify_one();
        }
    }

    /// The router may have forgotten, or be another one: asks it now.
    pub fn look(&self) {
        self.0.urgent.store(true, Ordering::SeqCst);
        self.0.look.notify_one();
    }

    /// Asks the router now, and answers when it did.
    ///
    /// # Errors
    /// Why the port is not open. It is tried again.
    pub async fn renew(&self) -> Result<(), MappingError> {
        let outcome = self.settle(true).await;
        self.0.look.notify_one();
        outcome
    }

    /// Keeps what is wanted open for as long as it is wanted. Never ends.
    pub async fn keep(&self) {
        loop {
            let next = self.0.held.lock().await.next;
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.0.look.notified() => {}
            }
            if let Err(error) = self.settle(false).await {
                tracing::info!(%error, "the router's port");
            }
        }
    }

    /// Gives the port back: the program ends.
    pub async fn end(&self) {
        self.set(None);
        let closing = async {
            let _ = self.settle(true).await;
        };
        if tokio::time::timeout(GOODBYE, closing).await.is_err() {
            tracing::warn!("the router did not answer: it forgets the port by itself");
        }
    }

    /// Answers whether it is another wish.
    fn set(&self, wish: Option<Wish>) -> bool {
        let mut current = self.0.wish.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, wish) != wish
    }

    fn wish(&self) -> Option<Wish> {
        *self.0.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes what is open what is wanted; `now` = also where nothing is due.
    async fn settle(&self, now: bool) -> Result<(), MappingError> {
        let mut holding = self.0.held.lock().await;
        let Some(wish) = self.wish() else {
            if let Some((_, held)) = holding.open.take() {
                held.close().await;
            }
            *holding = Holding::default();
            self.tell(None);
            return Ok(());
        };
        let urgent = self.0.urgent.swap(false, Ordering::SeqCst);
        if urgent {
            holding.failures = 0;
        }
        let due = urgent || holding.next.is_none_or(|next| next <= tokio::time::Instant::now());
        let same = self
            .0
            .state
            .borrow()
            .as_ref()
            .is_some_and(|it| (it.port, it.to) == (wish.external_port, wish.port));
        if same && !due && !now {
            return Ok(());
        }
        match self.asked(&mut holding, wish).await {
            Ok((wanted, held)) => {
                let told = held.told();
                holding.failures = 0;
                holding.next = Some(tokio::time::Instant::now() + told.renew_after);
                holding.open = Some((wanted, held));
                self.tell(Some(open(wish, wanted, &told)));
                Ok(())
            }
            Err(error) => {
                let wait = RETRY.saturating_mul(1 << holding.failures.min(5)).min(MOST_RETRY);
                holding.failures = holding.failures.saturating_add(1);
                holding.next = Some(tokio::time::Instant::now() + wait);
                self.tell(Some(failed(wish, &error, OffsetDateTime::now_utc() + wait)));
                Err(error)
            }
        }
    }

    fn tell(&self, next: Option<PortMapping>) {
        self.0.state.send_if_modified(|state| {
            let other = *state != next;
            *state = next;
            other
        });
    }

    async fn asked(
        &self,
        holding: &mut Holding,
        wish: Wish,
    ) -> Result<(Wanted, Box<dyn Held>), MappingError> {
        let place = self.place().await;
        // Without a router, what was open is out of reach: asking for it would only take time.
        let before = holding.open.take();
        let Place { router, here } = place?;
        let wanted = Wanted { router, here, port: wish.port, external_port: wish.external_port };
        match before {
            Some((old, held)) if old == wanted => return held.renew().await.map(|held| (wanted, held)),
            Some((_, held)) => held.close().await,
            None => {}
        }
        if self.0.state.borrow().is_none() {
            self.tell(Some(bare(MappingState::Opening, wish)));
        }
        self.0.mapper.open(wanted).await.map(|held| (wanted, held))
    }
}

fn bare(state: MappingState, wish: Wish) -> PortMapping {
    PortMapping {
        state,
        port: wish.external_port,
        to: wish.port,
        router: None,
        external: None,
        protocol: None,
        renewed_at: None,
        until: None,
        problem: None,
        retry_at: None,
    }
}

fn open(wish: Wish, wanted: Wanted, told: &Told) -> PortMapping {
    let now = OffsetDateTime::now_utc();
    let left = told.until.map(|until| until.saturating_duration_since(Instant::now()));
    PortMapping {
        router: Some(wanted.router.to_string()),
        external: Some(told.external.to_string()),
        protocol: Some(told.protocol.clone()),
        renewed_at: Some(now),
        until: left.map(|left| now + left),
        ..bare(MappingState::Open, wish)
    }
}

fn failed(wish: Wish, error: &MappingError, retry_at: OffsetDateTime) -> PortMapping {
    PortMapping {
        problem: Some(Box::new(errors::problem(error.explain()))),
        retry_at: Some(retry_at),
        ..bare(MappingState::Failed, wish)
    }
}

#[cfg(test)]
pub(crate) mod tests;
