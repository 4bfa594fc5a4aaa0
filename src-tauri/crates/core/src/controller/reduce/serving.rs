//! Facts about the address itself: served or not, proven or not, its origins.

use gatehouse_api::{ErrorEnvelope, Problem, Proof};
use time::{Duration, OffsetDateTime};

use super::super::message::Effect;
use super::super::state::State;
use super::gateway::serve_again;
use crate::errors;
use crate::exposure::gateway::{running, summary};
use crate::exposure::proof;

/// How often the certificate is looked at; it is renewed long before it ends.
const RENEWAL: Duration = Duration::hours(6);
/// How soon an address that could not be served is tried again.
const RETRY: Duration = Duration::seconds(30);

pub(super) fn addresses_changed(state: &mut State) -> Vec<Effect> {
    state.freshness.invalidate();
    if state.wanted_failed.is_some() {
        state.wanted_failed = None;
    }
    serve_again(state)
}

/// What the edge tells browsers follows from the certificates, and a proof was of the old one.
pub(super) fn certificates_changed(state: &mut State) -> Vec<Effect> {
    state.freshness.invalidate();
    serve_again(state)
}

pub(super) fn served(
    state: &mut State,
    result: Result<(), ErrorEnvelope>,
    now: OffsetDateTime,
) -> Vec<Effect> {
    state.flight.serve = false;
    state.served_at = Some(now);
    let mut effects = Vec::new();
    match result {
        Ok(()) => {
            state.blocked = None;
            state.blocked_at = None;
            state.fault = None;
            state.freshness.invalidate();
            state.serving_since.get_or_insert(now);
            effects.extend(cover_origins(state));
        }
        Err(error) if state.collected.listener.is_some() => {
            state.blocked_at = Some(now);
            state.fault = Some(errors::problem(error));
        }
        Err(error) => {
            state.blocked_at = Some(now);
            state.blocked = Some(errors::cause(&error));
        }
    }
    if std::mem::take(&mut state.flight.serve_again) {
        effects.extend(serve_again(state));
    }
    effects
}

/// What could not be served is tried again soon; what is served is looked at now and then, because certificates end.
pub(super) fn serve_if_due(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    let past = |at: OffsetDateTime, wait| now < at || now - at >= wait;
    let blocked = state.blocked_at.is_some_and(|at| past(at, RETRY));
    let old = state.served_at.is_some_and(|at| past(at, RENEWAL));
    let over = state.collected.kept_until.is_some_and(|until| until <= now);
    let forget = over && state.served_at.is_none_or(|at| past(at, RETRY));
    if (blocked || old || forget) && state.changing == 0 { serve_again(state) } else { Vec::new() }
}

/// A probe that failed while the gateway was away says nothing about the address.
pub(super) fn probed(
    state: &mut State,
    result: Result<Vec<Proof>, Problem>,
    now: OffsetDateTime,
) -> Vec<Effect> {
    state.flight.probe = false;
    match result {
        Ok(proofs) => {
            for proof in &proofs {
                state.reached.insert(proof.url.clone(), proof.at);
            }
            if let Some(proof) = proofs.into_iter().next() {
                state.freshness.succeeded(proof);
            }
        }
        Err(_) if state.gateway.outage.under_way() => state.freshness.invalidate(),
        Err(problem) => {
            state.freshness.failed(problem, now);
            return vec![Effect::LookAgain(proof::RETRY)];
        }
    }
    Vec::new()
}

pub(super) fn origins_covered(state: &mut State, result: Result<(), ErrorEnvelope>) -> Vec<Effect> {
    state.flight.origins = false;
    state.origins_fault = result.err().map(errors::problem);
    if std::mem::take(&mut state.flight.origins_again) { cover_origins(state) } else { Vec::new() }
}

/// Adds new addresses to the gateway's origins, now or when the present attempt is over.
pub(super) fn cover_origins(state: &mut State) -> Vec<Effect> {
    if !state.settled_open() {
        return Vec::new();
    }
    if std::mem::replace(&mut state.flight.origins, true) {
        state.flight.origins_again = true;
        return Vec::new();
    }
    vec![Effect::CoverOrigins]
}

/// A pause began or was ended. Its end is looked at when it comes; ticks see to clocks that are set meanwhile.
pub(super) fn pause_changed(state: &State, now: OffsetDateTime) -> Vec<Effect> {
    let end = state.collected.pause.and_then(|pause| pause.until);
    end.filter(|until| *until > now).map(|until| Effect::LookAgain(until - now)).into_iter().collect()
}

/// Ends a pause whose time is over.
pub(super) fn end_pause(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    if state.collected.pause.is_none()
        || state.paused(now)
        || std::mem::replace(&mut state.flight.pause, true)
    {
        return Vec::new();
    }
    vec![Effect::EndPause]
}

/// The address is probed only while a probe can succeed.
pub(super) fn probe_if_due(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    let ready = state.settled_open()
        && state.collected.listener.is_some()
        && state.changing == 0
        && !state.paused(now)
        && !state.flight.probe
        && !state.flight.serve
        && running(summary(&state.observed()).verdict);
    if !ready || !state.freshness.due(now) {
        return Vec::new();
    }
    state.flight.probe = true;
    vec![Effect::Probe]
}
