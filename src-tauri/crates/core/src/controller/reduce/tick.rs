//! Every five seconds: what changes without telling.

use time::{Duration, OffsetDateTime};

use super::super::message::Effect;
use super::super::state::State;
use super::{gateway, serving};

/// Device requests expire without an event, and removals raise only a hint of one.
const DEVICES: Duration = Duration::seconds(15);

pub(super) fn ticked(state: &mut State, now: OffsetDateTime) -> Vec<Effect> {
    let mut effects = Vec::new();
    effects.extend(gateway::discover(state));
    if !state.linked() {
        effects.extend(gateway::ask_health(state));
    }
    let stale = state.devices_at.is_none_or(|at| now < at || now - at >= DEVICES);
    if state.linked() && stale {
        effects.extend(gateway::list_devices(state));
    }
    effects.extend(serving::serve_if_due(state, now));
    effects
}
