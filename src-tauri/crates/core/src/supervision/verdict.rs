//! From the signals to one word: pure.

use gatehouse_api::GatewayServiceState as State;
use gatehouse_host::jobs::{Activity, Job};
use gatehouse_openclaw::probe::GatewayHealth;

use super::signals::{JobSignal, Owner, Signals};

/// After so many starts a job that does not run is in a loop, not on its way up.
const LOOP: u32 = 2;

/// The verdict.
pub(crate) fn verdict(signals: &Signals) -> State {
    if signals.own {
        return if service_runs(signals) { State::Duplicate } else { State::Own };
    }
    if !signals.rivals.is_empty() {
        return State::TwoServices;
    }
    match &signals.job {
        JobSignal::NoManager { .. } => without_service(signals, State::NoManager),
        JobSignal::Absent { without_screen: true } if signals.file.is_some() => {
            without_service(signals, State::NoSession)
        }
        JobSignal::Absent { .. } => without_service(
            signals,
            if signals.file.is_some() { State::NotLoaded } else { State::NotInstalled },
        ),
        JobSignal::Known(job) if job.switched_off && job.pid.is_none() => {
            without_service(signals, State::SwitchedOff)
        }
        JobSignal::Known(job) => of_job(signals, job),
    }
}

fn of_job(signals: &Signals, job: &Job) -> State {
    match job.activity {
        Activity::Running => running(signals),
        Activity::Starting => match is_loop(job) {
            true => looping(signals),
            false => others(signals).unwrap_or(State::Starting),
        },
        Activity::Waiting | Activity::Failed => looping(signals),
        Activity::Stopping | Activity::Stopped | Activity::Other(_) => {
            without_service(signals, State::Stopped)
        }
    }
}

/// The service's process is there.
fn running(signals: &Signals) -> State {
    match (&signals.owner, &signals.health) {
        (Owner::Other(_), GatewayHealth::NotGateway { .. }) => State::PortTaken,
        // A holder that we are not told the process of may be the service's own.
        (Owner::Other(holder), _) if holder.pid.is_some() => State::Duplicate,
        (_, GatewayHealth::Ready) if drifted(signals) => State::VersionDrift,
        (_, GatewayHealth::Ready) => State::Runs,
        (_, GatewayHealth::NotGateway { .. }) => State::PortTaken,
        (Owner::Nobody, GatewayHealth::Refused) if port_drifted(signals) => State::PortDrift,
        (_, GatewayHealth::Live | GatewayHealth::Silent | GatewayHealth::Refused) => State::Starting,
    }
}

/// The service's process ends again and again: because somebody else has its port, or for a reason of its own.
fn looping(signals: &Signals) -> State {
    // What answers meanwhile is the service's newest process: the manager is only behind.
    let answers = matches!(signals.health, GatewayHealth::Ready | GatewayHealth::Live);
    others(signals).unwrap_or(if answers { State::Starting } else { State::CrashLoop })
}

/// Whoever has the port, where it is not the service.
fn others(signals: &Signals) -> Option<State> {
    match signals.health {
        GatewayHealth::NotGateway { .. } => Some(State::PortTaken),
        GatewayHealth::Ready | GatewayHealth::Live if signals.owner != Owner::Service => {
            Some(State::Duplicate)
        }
        GatewayHealth::Ready | GatewayHealth::Live | GatewayHealth::Silent | GatewayHealth::Refused => None,
    }
}

/// No service runs it: it was started by hand, or not at all.
fn without_service(signals: &Signals, otherwise: State) -> State {
    match signals.health {
        GatewayHealth::Ready | GatewayHealth::Live => State::HandStarted,
        GatewayHealth::NotGateway { .. } => State::PortTaken,
        // Something holds the port and does not answer: a gateway that somebody starts, or a program that hangs.
        GatewayHealth::Silent if matches!(signals.owner, Owner::Other(_)) => State::HandStarted,
        GatewayHealth::Silent | GatewayHealth::Refused => otherwise,
    }
}

fn service_runs(signals: &Signals) -> bool {
    matches!(&signals.job, JobSignal::Known(job) if job.pid.is_some())
}

fn is_loop(job: &Job) -> bool {
    job.starts.is_some_and(|starts| starts > LOOP) && job.last_exit.is_some()
}

/// The file of the service names another port than the configuration.
pub(super) fn port_drifted(signals: &Signals) -> bool {
    signals.file.as_ref().and_then(|file| file.port).is_some_and(|port| port != signals.port)
}

/// What runs is not what is installed. Where either is not known, nothing is claimed.
pub(super) fn drifted(signals: &Signals) -> bool {
    match (&signals.running_version, &signals.installed_version) {
        (Some(running), Some(installed)) => running != installed,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
