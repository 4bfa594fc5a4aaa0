//! The snapshot as a pure function of the state and the time. Nothing is decided in it that is not in the state.

use gatehouse_api::{Address, CertificateKind, DeviceCounts, Expiring, Problem, SCHEMA, Snapshot};
use time::{Duration, OffsetDateTime};

use super::state::State;
use crate::exposure::actual::{self, Facts};
use crate::exposure::expiring::Due;
use crate::exposure::proof::Standing;
use crate::exposure::{expiring, gateway};

/// How long after the start of serving the first check is shown as a step.
const FIRST_CHECK: Duration = Duration::seconds(30);

/// The snapshot.
pub(crate) fn view(state: &State, now: OffsetDateTime) -> Snapshot {
    let desired = state.desired();
    let gateway = gateway::summary(&state.observed());
    let standing = state.freshness.standing(now);
    // A restart is no news. Where nothing was proven yet there is nothing that could flap.
    let restart = state.gateway.outage.under_way() && !state.gateway.outage.settled(now);
    let news = !restart || (standing == Standing::Never && !gateway::may_come(gateway.verdict));
    let gateway_problem = gateway::problem(&gateway).filter(|_| news);
    let away = gateway_problem.clone().filter(|_| !gateway::running(gateway.verdict));
    let pending = state
        .serving_since
        .is_some_and(|since| now >= since && now - since < FIRST_CHECK && !state.freshness.refuted());
    let mapping = state.collected.mapping.as_ref().and_then(|mapping| mapping.problem.as_deref());
    let faults: Vec<Problem> =
        state.fault.iter().chain(&state.origins_fault).chain(mapping).cloned().collect();
    let blocked = if state.settled_open() { state.blocked.as_ref() } else { state.wanted_failed.as_ref() };
    let (actual, mut problems) = actual::actual(Facts {
        now,
        desired: &desired,
        change: state.change.or_else(|| waiting(state)),
        blocked,
        listening: state.collected.listener.is_some(),
        pause: state.collected.pause.map(|pause| pause.until),
        gateway_away: away,
        standing,
        first_probe_pending: pending,
        faults: &faults,
    });
    let open = state.settled_open();
    let expiring: Vec<Expiring> = state
        .collected
        .lives
        .iter()
        .filter_map(|life| expiring::expiring(life, now))
        .filter(|_| open)
        .collect();
    let pins = expiring::pins(&state.collected.pins, &due(state), now).filter(|_| open);
    let notices = expiring.iter().map(expiring::problem).chain([
        pins,
        gateway_problem,
        gateway::service_problem(&gateway).filter(|_| gateway::running(gateway.verdict)),
        state.expiry_fault.clone(),
        state.gateway.not_supervised.clone(),
        state.collected.settings_problem.clone(),
        state.collected.relay_problem.clone().filter(|_| open),
    ]);
    let certificates = state.collected.certificates.iter().filter_map(|one| one.problem.clone());
    let certificates = certificates.chain(state.collected.client_problems.iter().cloned());
    for notice in notices.flatten().chain(certificates) {
        if !problems.contains(&notice) {
            problems.push(notice);
        }
    }
    Snapshot {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        desired,
        actual,
        addresses: addresses(state),
        cert: state.collected.cert.clone(),
        certificates: state.collected.certificates.clone(),
        gateway,
        devices: DeviceCounts { pending: state.devices.pending.len(), paired: state.devices.paired.len() },
        last_change: state.collected.last_change.clone(),
        listener: state.collected.listener.clone(),
        mapping: state.collected.mapping.clone(),
        problems,
        expiring,
        secrets: state.collected.secrets.clone(),
        pid: std::process::id(),
    }
}

/// What was asked for at start waits for its gateway.
fn waiting(state: &State) -> Option<actual::At> {
    let waits = state.wanted.is_some() && !state.settled_open() && state.wanted_failed.is_none();
    waits.then_some(actual::At { step: gatehouse_api::StepId::FindGateway, number: 1, of: 8 })
}

/// What is replaced by itself, and when.
fn due(state: &State) -> Vec<Due> {
    let local = state.collected.cert.as_ref().zip(state.collected.renewal).map(|(cert, at)| Due {
        sha256: cert.sha256.clone(),
        life: cert.not_after - cert.not_before,
        at,
    });
    let public = state.collected.certificates.iter().filter(|one| one.kind == CertificateKind::Acme);
    let public = public.filter_map(|one| {
        let life = one.not_after? - one.not_before?;
        Some(Due { sha256: one.sha256.clone()?, life, at: one.next_attempt? })
    });
    local.into_iter().chain(public).collect()
}

fn addresses(state: &State) -> Vec<Address> {
    let verified = |address: &Address| Address {
        verified_at: state.reached.get(&address.url).copied(),
        ..address.clone()
    };
    state.collected.addresses.iter().map(verified).collect()
}

#[cfg(test)]
mod tests;
