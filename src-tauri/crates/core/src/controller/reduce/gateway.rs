//! Facts about the gateway and its devices.

use gatehouse_api::{DeviceList, ErrorEnvelope, GatewayService, GatewayVerdict, Progress, StepId, StepState};
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::discovery::Gateway;
use gatehouse_openclaw::events::GatewayEvent;
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::State as Child;
use time::{Duration, OffsetDateTime};

use super::super::message::{Effect, Installing};
use super::super::state::State;
use super::serving::cover_origins;
use crate::errors;
use crate::exposure::gateway::summary;
use crate::own::INSTALL_STEPS;

pub(super) fn discovered(state: &mut State, found: Result<Box<Gateway>, ErrorEnvelope>) -> Vec<Effect> {
    state.flight.discovery = false;
    match found {
        Ok(gateway) => {
            state.gateway.undiscovered = None;
            let moved = state.gateway.found.as_ref().is_some_and(|old| old.port != gateway.port);
            state.gateway.found = Some(*gateway);
            if moved {
                state.gateway.health = None;
                return serve_again(state);
            }
            Vec::new()
        }
        Err(error) => {
            state.gateway.found = None;
            state.gateway.undiscovered = Some(error);
            Vec::new()
        }
    }
}

pub(super) fn linked(state: &mut State, link: Option<Link>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let was_up = state.linked();
    if let Some(Link::Up { hello }) = &link {
        if state.gateway.boot.as_deref() != Some(&hello.boot_id) {
            state.gateway.boot = Some(hello.boot_id.clone());
            state.freshness.invalidate();
        }
        state.gateway.link = link;
        if !was_up {
            state.wanted_failed = None;
            effects.push(Effect::AskPid);
            effects.extend(list_devices(state));
            if state.origins_fault.is_some() {
                effects.extend(cover_origins(state));
            }
        }
        return effects;
    }
    state.gateway.link = link;
    if was_up {
        state.gateway.health = None;
        // The next one has another, and tells it.
        state.gateway.pid = None;
        effects.extend(ask_health(state));
        effects.extend(discover(state));
    }
    effects
}

pub(super) fn answered(state: &mut State, health: GatewayHealth, holder: Option<PortHolder>) -> Vec<Effect> {
    state.flight.health = false;
    state.gateway.health = Some(health);
    state.gateway.holder = holder;
    Vec::new()
}

pub(super) fn told_pid(state: &mut State, pid: Option<u32>) -> Vec<Effect> {
    state.gateway.pid = pid;
    Vec::new()
}

pub(super) fn announced(state: &mut State, event: &GatewayEvent) -> Vec<Effect> {
    match event {
        GatewayEvent::PairRequested(_)
        | GatewayEvent::PairResolved { .. }
        | GatewayEvent::PairChanged
        | GatewayEvent::Presence => list_devices(state),
        GatewayEvent::ConfigChanged { .. } => discover(state),
        _ => Vec::new(),
    }
}

pub(super) fn listed(
    state: &mut State,
    listed: Result<DeviceList, ErrorEnvelope>,
    now: OffsetDateTime,
) -> Vec<Effect> {
    state.flight.devices = false;
    let mut effects = Vec::new();
    state.devices_at = Some(now);
    if let Some(devices) = listed.ok().filter(|devices| *devices != state.devices) {
        effects.push(Effect::TellDevices(Box::new(devices.clone())));
        state.devices = devices;
    }
    if std::mem::take(&mut state.flight.devices_again) {
        effects.extend(list_devices(state));
    }
    effects
}

/// A gateway that was looked for elsewhere is looked for in our folder from now on.
pub(super) fn own(state: &mut State) -> Vec<Effect> {
    state.gateway.own = true;
    state.gateway.undiscovered = None;
    let mut effects = discover(state);
    effects.extend(ask_health(state));
    effects
}

/// Told as the progress of a change that has no journal: what is installed is not taken back.
pub(super) fn installing(state: &mut State, step: Installing) -> Vec<Effect> {
    let progress = Progress {
        change: "install".to_owned(),
        step: StepId::FindGateway,
        number: step.number,
        of: INSTALL_STEPS,
        state: StepState::Running,
        text: step.text.clone(),
    };
    state.gateway.installing = Some(step.text);
    state.gateway.not_supervised = None;
    vec![Effect::TellProgress(progress)]
}

pub(super) fn not_supervised(state: &mut State, error: ErrorEnvelope) -> Vec<Effect> {
    state.gateway.installing = None;
    state.gateway.not_supervised = Some(errors::problem(error));
    Vec::new()
}

pub(super) fn child(state: &mut State, child: Child) -> Vec<Effect> {
    state.gateway.installing = None;
    state.gateway.child = Some(child);
    let mut effects = discover(state);
    if !state.linked() {
        effects.extend(ask_health(state));
    }
    effects
}

/// How old the look at who runs the gateway may be while it runs, and while it does not.
const SERVICE: (Duration, Duration) = (Duration::minutes(5), Duration::seconds(15));

pub(super) fn service(
    state: &mut State,
    service: Option<Box<GatewayService>>,
    now: OffsetDateTime,
) -> Vec<Effect> {
    state.flight.service = false;
    state.gateway.service = service;
    state.gateway.service_at = Some((now, state.linked()));
    Vec::new()
}

/// A gateway that comes or goes is a reason to look at once.
pub(super) fn look_at_service_if_due(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    // What runs it is asked about only once it is known where it listens and whether it does.
    if state.gateway.health.is_none() && !state.linked() {
        return Vec::new();
    }
    let linked = state.linked();
    let wait = if linked { SERVICE.0 } else { SERVICE.1 };
    let due =
        state.gateway.service_at.is_none_or(|(at, then)| then != linked || now < at || now - at >= wait);
    if due { once(&mut state.flight.service, Effect::LookAtService) } else { Vec::new() }
}

/// Follows outages. A gateway that came back is worth a probe.
pub(super) fn observe(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    let running = summary(&state.observed()).verdict == GatewayVerdict::Running;
    if state.gateway.outage.observe(running, now) {
        state.freshness.invalidate();
    }
    Vec::new()
}

pub(super) fn discover(state: &mut State) -> Vec<Effect> {
    once(&mut state.flight.discovery, Effect::Discover)
}

pub(super) fn ask_health(state: &mut State) -> Vec<Effect> {
    once(&mut state.flight.health, Effect::AskHealth)
}

pub(super) fn list_devices(state: &mut State) -> Vec<Effect> {
    if state.flight.devices {
        state.flight.devices_again = true;
    }
    once(&mut state.flight.devices, Effect::ListDevices)
}

/// Makes edge and certificate agree with the settings, now or when the present attempt is over.
pub(super) fn serve_again(state: &mut State) -> Vec<Effect> {
    if !state.settled_open() {
        return Vec::new();
    }
    if state.flight.serve {
        state.flight.serve_again = true;
    }
    once(&mut state.flight.serve, Effect::Serve)
}

fn once(flag: &mut bool, effect: Effect) -> Vec<Effect> {
    if std::mem::replace(flag, true) { Vec::new() } else { vec![effect] }
}
