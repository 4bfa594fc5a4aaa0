//! Facts about changes: begun, moved on, ended; and the opening that was asked for at start.

use gatehouse_api::{ErrorEnvelope, Progress};
use gatehouse_openclaw::client::Link;
use time::{Duration, OffsetDateTime};

use super::super::message::{Effect, Ended};
use super::super::state::State;
use super::gateway::{discover, list_devices};
use super::serving::cover_origins;
use crate::errors;
use crate::exposure::actual::At;

/// How long an opening at start waits for a gateway that is not there yet, unless it is one of our own.
const PATIENCE: Duration = Duration::seconds(20);

pub(super) fn began(state: &mut State, shown: bool) -> Vec<Effect> {
    state.changing += 1;
    state.shown |= shown;
    Vec::new()
}

/// Only steps that concern the address are shown as a state; origins come and go without one.
pub(super) fn progress(state: &mut State, progress: Progress) -> Vec<Effect> {
    if state.shown {
        state.change = Some(At { step: progress.step, number: progress.number, of: progress.of });
    }
    vec![Effect::TellProgress(progress)]
}

pub(super) fn ended(state: &mut State, ended: Ended, now: OffsetDateTime) -> Vec<Effect> {
    state.changing = state.changing.saturating_sub(1);
    if state.changing == 0 {
        state.change = None;
        state.shown = false;
    }
    if ended == Ended::OtherAddress {
        state.blocked = None;
        state.blocked_at = None;
        state.fault = None;
        state.origins_fault = None;
        state.wanted = None;
        state.wanted_failed = None;
        state.reached.clear();
        state.freshness.forget();
        state.serving_since = state.settled_open().then_some(now);
        state.served_at = state.serving_since;
    } else {
        state.freshness.invalidate();
    }
    let mut effects = discover(state);
    if state.linked() {
        effects.extend(list_devices(state));
    }
    if state.origins_fault.is_some() && state.changing == 0 && !state.flight.origins {
        effects.extend(cover_origins(state));
    }
    effects
}

pub(super) fn opened_at_start(state: &mut State, result: Result<(), ErrorEnvelope>) -> Vec<Effect> {
    state.flight.open = false;
    match result {
        Ok(()) => {
            state.wanted = None;
            state.wanted_failed = None;
        }
        Err(error) => state.wanted_failed = Some(errors::cause(&error)),
    }
    Vec::new()
}

/// Opens what was asked for at start, as soon as the gateway is there or waiting is pointless. What failed is tried
/// again when the gateway comes up or the addresses change.
pub(super) fn open_what_was_wanted(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    let Some(wanted) = state.wanted.clone() else { return Vec::new() };
    if state.flight.open || state.flight.serve || state.changing > 0 {
        return Vec::new();
    }
    if state.already_open(&wanted) {
        state.wanted = None;
        return Vec::new();
    }
    if state.wanted_failed.is_some() {
        return Vec::new();
    }
    let up = state.linked();
    let since = state.started.unwrap_or(now);
    let refused = matches!(state.gateway.link, Some(Link::Refused { .. }));
    let ours = state.gateway.own && state.gateway.not_supervised.is_none();
    let looked = state.gateway.found.is_some() || state.gateway.undiscovered.is_some();
    let patience_over = looked && !ours && (refused || now - since >= PATIENCE);
    if !up && !patience_over {
        return Vec::new();
    }
    state.flight.open = true;
    vec![Effect::Open(wanted)]
}
