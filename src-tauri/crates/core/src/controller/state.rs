//! All state of a running core. Owned by the controller's task, changed only by [`super::reduce`].

use std::collections::BTreeMap;
use std::net::SocketAddr;

use gatehouse_api::{
    Address, Cause, CertSummary, Certificate, Desired, DeviceList, ErrorEnvelope, GatewayService, LastChange,
    ListenerSummary, OpenRequest, Pin, PortMapping, Problem, Text,
};
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::Gateway;
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::State as Child;
use time::OffsetDateTime;

use crate::exposure::actual::At;
use crate::exposure::expiring::Life;
use crate::exposure::gateway::Observed;
use crate::exposure::proof::Freshness;
use crate::exposure::settle::Outage;
use crate::settings::PauseSettings;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// What the parts say of themselves.
    pub(crate) collected: Collected,
    /// What was asked for at start and is not open yet.
    pub(crate) wanted: Option<OpenRequest>,
    /// Why that failed the last time.
    pub(crate) wanted_failed: Option<Cause>,
    /// The step of a change that is shown.
    pub(crate) change: Option<At>,
    /// How many changes are under way, shown or not.
    pub(crate) changing: usize,
    /// Whether the steps of the one that runs are shown.
    pub(crate) shown: bool,
    /// Why the address cannot be open.
    pub(crate) blocked: Option<Cause>,
    /// When that was found out.
    pub(crate) blocked_at: Option<OffsetDateTime>,
    /// What is wrong with an address that is open.
    pub(crate) fault: Option<Problem>,
    /// Why the origins of new addresses are missing.
    pub(crate) origins_fault: Option<Problem>,
    /// Why devices whose time is over are still paired.
    pub(crate) expiry_fault: Option<Problem>,
    /// When edge and certificate were last made to agree with the settings.
    pub(crate) served_at: Option<OffsetDateTime>,
    /// Since when the present address is served.
    pub(crate) serving_since: Option<OffsetDateTime>,
    /// Proofs.
    pub(crate) freshness: Freshness,
    /// When each address was last reached.
    pub(crate) reached: BTreeMap<String, OffsetDateTime>,
    /// The gateway.
    pub(crate) gateway: GatewayState,
    /// The devices, as last listed.
    pub(crate) devices: DeviceList,
    /// When they were last listed.
    pub(crate) devices_at: Option<OffsetDateTime>,
    /// What runs now.
    pub(crate) flight: Flight,
    /// When the core started.
    pub(crate) started: Option<OffsetDateTime>,
}

/// What is known of the gateway. The newest of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatewayState {
    pub(crate) found: Option<Gateway>,
    pub(crate) undiscovered: Option<ErrorEnvelope>,
    pub(crate) link: Option<Link>,
    pub(crate) boot: Option<String>,
    pub(crate) health: Option<GatewayHealth>,
    pub(crate) holder: Option<PortHolder>,
    pub(crate) pid: Option<u32>,
    pub(crate) child: Option<Child>,
    /// Who runs it.
    pub(crate) service: Option<Box<GatewayService>>,
    /// When that was looked at, and whether we were connected then.
    pub(crate) service_at: Option<(OffsetDateTime, bool)>,
    pub(crate) installing: Option<Text>,
    pub(crate) not_supervised: Option<Problem>,
    /// Whether it is one of our own, which we install and run.
    pub(crate) own: bool,
    pub(crate) outage: Outage,
}

/// What the parts say of themselves: read, never kept elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Collected {
    /// From the settings; `None` = off.
    pub(crate) open: Option<OpenRequest>,
    pub(crate) pause: Option<PauseSettings>,
    pub(crate) settings_problem: Option<Problem>,
    /// From the edge.
    pub(crate) listener: Option<ListenerSummary>,
    /// From the plan of addresses, without times.
    pub(crate) addresses: Vec<Address>,
    /// From the certificates.
    pub(crate) cert: Option<CertSummary>,
    /// What is wrong with rules about certificates of clients.
    pub(crate) client_problems: Vec<Problem>,
    /// A program here that passes requests on and is turned away.
    pub(crate) relay_problem: Option<Problem>,
    /// All certificates.
    pub(crate) certificates: Vec<Certificate>,
    /// The ends of certificate and authority.
    pub(crate) lives: Vec<Life>,
    /// Which apps remember which certificate.
    pub(crate) pins: Vec<Pin>,
    /// From when on the local certificate is replaced by itself.
    pub(crate) renewal: Option<OffsetDateTime>,
    /// When the next address of before is kept no longer.
    pub(crate) kept_until: Option<OffsetDateTime>,
    /// The router's port, where one is wanted.
    pub(crate) mapping: Option<PortMapping>,
    /// From the journal.
    pub(crate) last_change: Option<LastChange>,
    /// Where the gateway listens.
    pub(crate) gateway_address: Option<SocketAddr>,
    /// Where secrets are kept.
    pub(crate) secrets: String,
}

/// Work that is under way: at most one of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) discovery: bool,
    pub(crate) health: bool,
    pub(crate) service: bool,
    pub(crate) devices: bool,
    /// Something changed since the list began.
    pub(crate) devices_again: bool,
    pub(crate) serve: bool,
    /// Something changed since the serving began.
    pub(crate) serve_again: bool,
    pub(crate) probe: bool,
    pub(crate) origins: bool,
    /// Something changed since the covering began.
    pub(crate) origins_again: bool,
    pub(crate) open: bool,
    pub(crate) pause: bool,
}

impl State {
    /// What the user wants.
    pub(crate) fn desired(&self) -> Desired {
        match self.collected.open.as_ref().or(self.wanted.as_ref()) {
            Some(request) => Desired::from(request),
            None => Desired::Off,
        }
    }

    /// Whether the settings say that an address is open (not merely asked for at start).
    pub(crate) fn settled_open(&self) -> bool {
        self.collected.open.is_some()
    }

    /// Whether what is open already is all that was asked for at start. What the user added since stays.
    pub(crate) fn already_open(&self, wanted: &OpenRequest) -> bool {
        self.collected.open.as_ref().is_some_and(|open| {
            open.scope == wanted.scope
                && wanted.hosts.iter().all(|host| open.hosts.contains(host))
                && (wanted.port.is_none() || wanted.port == open.port)
                && (wanted.redirect_port.is_none() || wanted.redirect_port == open.redirect_port)
                && (wanted.map_port.is_none() || wanted.map_port == open.map_port)
                && (wanted.only.is_empty() || wanted.only == open.only)
        })
    }

    /// What was observed of the gateway.
    pub(crate) fn observed(&self) -> Observed<'_> {
        let gateway = &self.gateway;
        Observed {
            address: self
                .collected
                .gateway_address
                .unwrap_or_else(|| ([127, 0, 0, 1], crate::link::DEFAULT_PORT).into()),
            gateway: gateway.found.as_ref(),
            undiscovered: gateway.undiscovered.as_ref(),
            link: gateway.link.as_ref(),
            health: gateway.health.as_ref(),
            holder: gateway.holder.as_ref(),
            pid: gateway.pid,
            own: gateway.own,
            child: gateway.child.as_ref(),
            service: gateway.service.as_deref(),
            installing: gateway.installing.as_ref(),
        }
    }

    /// Whether our connection to the gateway is up.
    pub(crate) fn linked(&self) -> bool {
        matches!(self.gateway.link, Some(Link::Up { .. }))
    }

    /// Whether a pause holds now.
    pub(crate) fn paused(&self, now: OffsetDateTime) -> bool {
        self.collected.pause.is_some_and(|pause| pause.until.is_none_or(|until| now < until))
    }
}
