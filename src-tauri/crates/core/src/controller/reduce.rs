//! What a fact does to the state, and what it sets going: pure, one file per concern.

mod change;
mod gateway;
mod serving;
mod tick;

use time::OffsetDateTime;

use super::message::{Effect, Fact};
use super::state::State;

/// Takes a fact into the state; answers what it sets going.
pub(crate) fn reduce(state: &mut State, fact: Fact, now: OffsetDateTime) -> Vec<Effect> {
    let mut effects = match fact {
        Fact::Tick => tick::ticked(state, now),
        Fact::Discovered(found) => gateway::discovered(state, found),
        Fact::Link(link) => gateway::linked(state, link),
        Fact::Health(health, holder) => gateway::answered(state, health, holder),
        Fact::Pid(pid) => gateway::told_pid(state, pid),
        Fact::Service(service) => gateway::service(state, service, now),
        Fact::GatewayStep(progress) => vec![Effect::TellProgress(progress)],
        Fact::Announced(event) => gateway::announced(state, &event),
        Fact::Devices(listed) => gateway::listed(state, listed, now),
        Fact::DevicesTouched => gateway::list_devices(state),
        Fact::Expiry(problem) => {
            state.expiry_fault = problem;
            Vec::new()
        }
        Fact::OwnGateway => gateway::own(state),
        Fact::Installing(step) => gateway::installing(state, step),
        Fact::NotSupervised(error) => gateway::not_supervised(state, error),
        Fact::Child(child) => gateway::child(state, child),
        Fact::Addresses => serving::addresses_changed(state),
        Fact::Woke => woke(state),
        Fact::Certificates => serving::certificates_changed(state),
        Fact::Served(result) => serving::served(state, result, now),
        Fact::Probed(result) => serving::probed(state, result, now),
        Fact::OriginsCovered(result) => serving::origins_covered(state, result),
        Fact::LookAgain => Vec::new(),
        Fact::Settings => serving::pause_changed(state, now),
        Fact::PauseEnded => {
            state.flight.pause = false;
            return Vec::new();
        }
        Fact::ChangeBegan { shown } => change::began(state, shown),
        Fact::Progress(progress) => change::progress(state, progress),
        Fact::ChangeEnded(ended) => change::ended(state, ended, now),
        Fact::OpenedAtStart(result) => change::opened_at_start(state, result),
    };
    effects.extend(gateway::observe(state, now));
    effects.extend(gateway::look_at_service_if_due(state, now));
    effects.extend(change::open_what_was_wanted(state, now));
    effects.extend(serving::end_pause(state, now));
    effects.extend(serving::probe_if_due(state, now));
    effects
}

/// Everything may be another: addresses, the gateway behind its half-dead connection, who waits.
fn woke(state: &mut State) -> Vec<Effect> {
    state.gateway.service_at = None;
    let mut effects = serving::addresses_changed(state);
    effects.extend(gateway::discover(state));
    effects.extend(gateway::ask_health(state));
    if state.linked() {
        effects.extend(gateway::list_devices(state));
    }
    effects
}

#[cfg(test)]
mod tests;
