//! The verdict in sentences: what, why, what next, and the three signals that it was made of.

use gatehouse_api::{Fix, GatewayService, GatewayServiceState as State, Text, say};
use gatehouse_host::jobs::{Activity, Exit, Job};
use gatehouse_host::ports::PortHolder;
use gatehouse_openclaw::probe::GatewayHealth;

use super::repair::{Step, steps};
use super::signals::{JobSignal, Owner, Signals};
use super::verdict::{port_drifted, verdict};

const REPAIR: &str = "gatehouse gateway repair";

/// The signals and what follows from them, as views show it.
pub(crate) fn told(signals: &Signals) -> GatewayService {
    let state = verdict(signals);
    let repairs: Vec<_> = steps(state, signals).iter().map(Step::shown).collect();
    let (title, because) = sentences(state, signals);
    GatewayService {
        state,
        title,
        because,
        fix: fix(state, signals, !repairs.is_empty()),
        manager: if cfg!(target_os = "macos") { "launchd" } else { "systemd" }.to_owned(),
        name: signals.name.clone(),
        file: signals.file.as_ref().map(|_| signals.path.display().to_string()),
        job: job(&signals.job),
        port: port(signals),
        health: health(&signals.health),
        installed_version: signals.installed_version.clone(),
        repairs,
    }
}

fn sentences(state: State, signals: &Signals) -> (Text, Text) {
    let (name, port) = (&signals.name, signals.port);
    let job = || job(&signals.job);
    match state {
        State::Runs => (say!("core.service.runs"), say!("core.service.runs-because", name = name)),
        State::Starting => {
            (say!("core.service.starting"), say!("core.service.starting-because", name = name, port = port))
        }
        State::Own => (say!("core.service.own"), say!("core.service.own-because")),
        State::HandStarted => {
            (say!("core.service.hand"), say!("core.service.hand-because", holder = self::port(signals)))
        }
        State::Duplicate if signals.own => {
            (say!("core.service.two"), say!("core.service.own-and-service", name = name))
        }
        State::Duplicate => (
            say!("core.service.two"),
            say!("core.service.two-because", name = name, holder = self::port(signals)),
        ),
        State::TwoServices => {
            let rivals = signals.rivals.join(", ");
            (say!("core.service.rivals"), say!("core.service.rivals-because", port = port, rivals = rivals))
        }
        State::CrashLoop => (say!("core.service.loop"), say!("core.service.loop-because", job = job())),
        State::SwitchedOff => (say!("core.service.off"), say!("core.service.off-because", name = name)),
        State::NotLoaded => {
            let file = signals.path.display();
            (say!("core.service.not-loaded"), say!("core.service.not-loaded-because", file = file))
        }
        State::Stopped => (say!("core.service.stopped"), job()),
        State::NoSession => (say!("core.service.no-session"), say!("core.service.no-session-because")),
        State::NoManager => (say!("core.jobs.no-manager"), job()),
        State::PortDrift => {
            let other = signals.file.as_ref().and_then(|file| file.port).unwrap_or(port);
            let because = say!("core.service.port-drift-because", other = other, port = port);
            (say!("core.service.port-drift"), because)
        }
        State::VersionDrift => {
            let known = |version: &Option<String>| version.clone().unwrap_or_default();
            let running = known(&signals.running_version);
            let installed = known(&signals.installed_version);
            let because = say!("core.service.version-because", running = running, installed = installed);
            (say!("core.service.version"), because)
        }
        State::PortTaken => (
            say!("core.gateway.port-taken"),
            say!("core.both", title = self::port(signals), because = health(&signals.health)),
        ),
        State::NotInstalled => (say!("core.service.none"), say!("core.service.none-because", name = name)),
    }
}

fn fix(state: State, signals: &Signals, repairable: bool) -> Option<Fix> {
    let with = |text: Text, command: &str| Some(Fix { text, command: Some(command.to_owned()) });
    let plain = |text: Text| Some(Fix { text, command: None });
    if repairable {
        return with(say!("core.service.repair"), REPAIR);
    }
    match state {
        State::Runs | State::Own | State::Starting => None,
        State::HandStarted => with(say!("core.service.hand-fix"), "gatehouse gateway install"),
        State::Duplicate if signals.own => with(say!("core.service.own-fix"), "openclaw gateway stop"),
        State::Duplicate | State::TwoServices => plain(say!("core.service.two-fix")),
        State::CrashLoop if exit_status(signals) == Some(78) => {
            with(say!("core.service.config-fix"), "openclaw config validate")
        }
        State::CrashLoop => with(say!("core.service.loop-fix"), "gatehouse gateway log"),
        State::NoSession => plain(say!("core.service.no-session-fix")),
        State::NoManager => with(say!("core.service.no-manager-fix"), "openclaw gateway run"),
        State::PortTaken => plain(say!("core.gateway.port-taken-fix")),
        State::NotInstalled => with(say!("core.service.install-fix"), "gatehouse gateway install"),
        State::SwitchedOff | State::NotLoaded | State::Stopped | State::PortDrift | State::VersionDrift => {
            with(say!("core.service.repair"), REPAIR)
        }
    }
}

/// What the service manager says, as a sentence.
fn job(signal: &JobSignal) -> Text {
    match signal {
        JobSignal::NoManager { said } => say!("core.jobs.no-manager-because", said = said),
        JobSignal::Absent { without_screen: true } => say!("core.signal.no-session"),
        JobSignal::Absent { without_screen: false } => say!("core.signal.absent"),
        JobSignal::Known(job) => known(job),
    }
}

fn known(job: &Job) -> Text {
    let state = match (&job.activity, job.pid) {
        (Activity::Running, Some(pid)) => say!("core.signal.runs", pid = pid),
        (Activity::Running, None) => say!("core.signal.active"),
        (Activity::Starting, _) => say!("core.signal.starting"),
        (Activity::Stopping, _) => say!("core.signal.stopping"),
        (Activity::Waiting, _) => say!("core.signal.waiting"),
        (Activity::Stopped, _) => say!("core.signal.stopped"),
        (Activity::Failed, _) => say!("core.signal.failed"),
        (Activity::Other(word), _) => say!("core.signal.state", word = word),
    };
    let state = match job.starts {
        Some(starts) if starts > 1 => say!("core.signal.with-starts", state = state, count = starts),
        _ => state,
    };
    let ended = match &job.last_exit {
        _ if job.pid.is_some() => return state,
        None => return state,
        Some(Exit::Status(status)) => say!("core.jobs.ended-status", status = status),
        Some(Exit::Signal(signal)) => say!("core.jobs.ended-signal", signal = signal),
    };
    say!("core.both-sentences", first = state, second = ended)
}

fn exit_status(signals: &Signals) -> Option<i32> {
    match &signals.job {
        JobSignal::Known(Job { last_exit: Some(Exit::Status(status)), .. }) => Some(*status),
        JobSignal::Known(_) | JobSignal::NoManager { .. } | JobSignal::Absent { .. } => None,
    }
}

/// Who has the port, as a sentence.
fn port(signals: &Signals) -> Text {
    let port = signals.port;
    let text = match &signals.owner {
        Owner::Nobody => say!("core.signal.port-free", port = port),
        Owner::Service => say!("core.signal.port-service", port = port),
        Owner::Other(holder) => say!("core.signal.port-other", port = port, holder = named(holder)),
    };
    match signals.file.as_ref().and_then(|file| file.port) {
        Some(other) if port_drifted(signals) => {
            say!("core.both-sentences", first = text, second = say!("core.signal.port-file", port = other))
        }
        _ => text,
    }
}

fn named(holder: &PortHolder) -> Text {
    let name = holder.program.as_deref().map_or_else(|| say!("core.another-program-lower"), Text::from);
    match holder.pid {
        Some(pid) => say!("core.holder.pid", program = name, pid = pid),
        None => name,
    }
}

/// What the port answers, as a sentence.
fn health(health: &GatewayHealth) -> Text {
    match health {
        GatewayHealth::Ready => say!("core.signal.ready"),
        GatewayHealth::Live => say!("core.signal.live"),
        GatewayHealth::Refused => say!("core.signal.refused"),
        GatewayHealth::Silent => say!("core.signal.silent"),
        GatewayHealth::NotGateway { what } => say!("core.signal.not-gateway", what = what),
    }
}
