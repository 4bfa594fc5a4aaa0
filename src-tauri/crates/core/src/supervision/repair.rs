//! What a repair does: decided from the verdict, shown, and then done as it was shown.

use std::time::Duration;

use gatehouse_api::{ErrorEnvelope, GatewayServiceState as State, RepairStep, say};
use gatehouse_host::process::is_alive;
use gatehouse_openclaw::program::{Program, ServiceAction};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::SecretString;

use super::signals::{JobSignal, Owner, Signals, manager};
use crate::errors::Explain;
use crate::requests::blocking;

/// How long a gateway that is asked to end may take: it drains for twenty seconds.
const GONE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(250);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask a gateway that somebody started by hand to end.
    End(u32),
    /// Keep another service from running.
    SwitchOff(String),
    /// Let OpenClaw do something with its service.
    Ask(ServiceAction),
}

/// What would mend this verdict; empty where nothing that we may do would.
pub(crate) fn steps(state: State, signals: &Signals) -> Vec<Step> {
    let stale = signals.file.as_ref().is_some_and(|file| {
        !file.entry_exists && file.entry.is_some()
            || file.version.is_some() && file.version != signals.installed_version
    });
    match state {
        State::Duplicate if signals.own => Vec::new(),
        State::Duplicate => match &signals.owner {
            Owner::Other(holder) => holder
                .pid
                .map(|pid| vec![Step::End(pid), Step::Ask(ServiceAction::Restart)])
                .unwrap_or_default(),
            Owner::Nobody | Owner::Service => Vec::new(),
        },
        State::TwoServices => {
            let mut steps: Vec<Step> = signals.rivals.iter().cloned().map(Step::SwitchOff).collect();
            if matches!(signals.job, JobSignal::Known(_)) {
                steps.push(Step::Ask(ServiceAction::Restart));
            }
            steps
        }
        // A program that is gone ends at once, every time.
        State::CrashLoop if stale => vec![Step::Ask(ServiceAction::Reinstall)],
        State::SwitchedOff | State::NotLoaded | State::Stopped if stale => {
            vec![Step::Ask(ServiceAction::Reinstall), Step::Ask(ServiceAction::Start)]
        }
        State::SwitchedOff | State::NotLoaded | State::Stopped => vec![Step::Ask(ServiceAction::Start)],
        State::PortDrift => vec![Step::Ask(ServiceAction::Reinstall), Step::Ask(ServiceAction::Restart)],
        State::VersionDrift if stale => {
            vec![Step::Ask(ServiceAction::Reinstall), Step::Ask(ServiceAction::Restart)]
        }
        State::VersionDrift => vec![Step::Ask(ServiceAction::Restart)],
        State::Runs
        | State::Starting
        | State::Own
        | State::HandStarted
        | State::CrashLoop
        | State::NoSession
        | State::NoManager
        | State::PortTaken
        | State::NotInstalled => Vec::new(),
    }
}

impl Step {
    /// As a person reads it.
    pub(crate) fn shown(&self) -> RepairStep {
        let (text, command) = match self {
            Self::End(pid) => (say!("core.repair.end", pid = pid), format!("kill {pid}")),
            Self::SwitchOff(name) => {
                let command = if cfg!(target_os = "macos") {
                    let uid = gatehouse_host::process::uid();
                    format!("launchctl disable gui/{uid}/{name} && launchctl bootout gui/{uid}/{name}")
                } else {
                    format!("systemctl --user disable --now {name}")
                };
                (say!("core.repair.switch-off", name = name), command)
            }
            Self::Ask(action) => {
                let text = match action {
                    ServiceAction::Start => say!("core.repair.start"),
                    ServiceAction::Stop => say!("core.repair.stop"),
                    ServiceAction::Restart => say!("core.repair.restart"),
                    ServiceAction::Install | ServiceAction::Reinstall => say!("core.repair.reinstall"),
                    ServiceAction::Uninstall => say!("core.repair.uninstall"),
                };
                (text, action.command())
            }
        };
        RepairStep { text, command }
    }
}

/// Does one step, and waits until it is done.
pub(crate) async fn perform(
    step: &Step,
    program: Option<&Program>,
    secrets: &[SecretString],
) -> Result<(), ErrorEnvelope> {
    match step {
        Step::End(pid) => end(*pid).await,
        Step::SwitchOff(name) => {
            let name = name.clone();
            blocking(move || manager().switch_off(&name).map_err(|error| error.explain())).await
        }
        Step::Ask(action) => {
            let program = program.ok_or_else(crate::requests::no_program)?;
            let said = program.service(*action, secrets).await.map_err(|error| error.explain())?;
            tracing::info!(?action, %said, "openclaw was asked");
            Ok(())
        }
    }
}

/// SIGTERM, as a service manager would; never more: what does not end is told.
async fn end(pid: u32) -> Result<(), ErrorEnvelope> {
    let refused = |error: std::io::Error| {
        gatehouse_api::ErrorEnvelope::new(
            gatehouse_api::Code::Permission,
            say!("core.repair.not-ended", pid = pid),
            say!("core.jobs.said", said = error),
        )
    };
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| refused(std::io::ErrorKind::NotFound.into()))?;
    kill_process(id, Signal::TERM).map_err(|error| refused(error.into()))?;
    let gone = async {
        while is_alive(pid) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(GONE, gone).await.map_err(|_| refused(std::io::ErrorKind::TimedOut.into()))
}
