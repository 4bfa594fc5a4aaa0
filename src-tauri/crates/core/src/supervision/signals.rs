//! What is observed. Blocks and starts short-lived programs: off the async threads.

use std::path::PathBuf;

use gatehouse_host::jobs::{self, Job, JobError, Reach, Scope, ServiceManager};
use gatehouse_host::ports::PortHolder;
use gatehouse_host::process;
use gatehouse_openclaw::discovery::{Environment, Gateway};
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::service_file::{Kind, ServiceFile, ServiceName, version_of};

use crate::context::Machine;

/// What the service manager says of the gateway's service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobSignal {
    /// There is no manager, or not for this user here.
    NoManager {
        /// Its words.
        said: String,
    },
    /// It does not know the service.
    Absent {
        /// Whether it would have to be in a session on the screen that does not exist.
        without_screen: bool,
    },
    /// It knows it.
    Known(Job),
}

/// Who has the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody that we can see.
    Nobody,
    /// The service's own process.
    Service,
    /// Another process.
    Other(PortHolder),
}

/// Everything that the verdict is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signals {
    /// The label or unit.
    pub(crate) name: String,
    /// Where its file is, or belongs.
    pub(crate) path: PathBuf,
    /// What the file says, where there is one.
    pub(crate) file: Option<ServiceFile>,
    /// What the manager says.
    pub(crate) job: JobSignal,
    /// Other services of a gateway that run and want the same port.
    pub(crate) rivals: Vec<String>,
    /// The port of the configuration.
    pub(crate) port: u16,
    /// Who has it.
    pub(crate) owner: Owner,
    /// What it answers.
    pub(crate) health: GatewayHealth,
    /// The version that the gateway told us.
    pub(crate) running_version: Option<String>,
    /// The version of the `openclaw` that is installed.
    pub(crate) installed_version: Option<String>,
    /// Whether it is one of our own.
    pub(crate) own: bool,
}

/// What the controller knows already.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) environment: Environment,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) port: u16,
    pub(crate) health: GatewayHealth,
    pub(crate) running_version: Option<String>,
    pub(crate) own: bool,
}

/// The kind of file that this system's manager reads.
pub(crate) fn kind() -> Kind {
    if cfg!(target_os = "macos") { Kind::PropertyList } else { Kind::Unit }
}

/// The manager of this user's jobs.
pub(crate) fn manager() -> Box<dyn ServiceManager + Send> {
    jobs::manager(Scope::User, process::uid())
}

/// Observes.
pub(crate) fn gather(parts: Parts, machine: &dyn Machine) -> Signals {
    let manager = manager();
    let service = ServiceName::of(&parts.environment, kind());
    let file = service.read().unwrap_or_else(|error| {
        tracing::debug!(%error, file = %service.file.display(), "the gateway's service file could not be read");
        None
    });
    let job = job(manager.as_ref(), &service.name);
    let owner = owner(machine, parts.port, &job);
    let rivals = match job {
        JobSignal::NoManager { .. } => Vec::new(),
        JobSignal::Absent { .. } | JobSignal::Known(_) => {
            rivals(manager.as_ref(), &parts.environment, &service, parts.port)
        }
    };
    let program = parts.gateway.as_ref().and_then(|gateway| gateway.program.as_deref());
    Signals {
        name: service.name,
        path: service.file,
        file,
        job,
        rivals,
        port: parts.port,
        owner,
        health: parts.health,
        running_version: parts.running_version,
        installed_version: program.and_then(version_of),
        own: parts.own,
    }
}

fn job(manager: &dyn ServiceManager, name: &str) -> JobSignal {
    match manager.job(name) {
        Ok(Some(job)) => JobSignal::Known(job),
        Ok(None) => match manager.reach() {
            Ok(reach) => JobSignal::Absent { without_screen: reach == Reach::WithoutScreen },
            Err(error) => JobSignal::NoManager { said: said(error) },
        },
        Err(error) => JobSignal::NoManager { said: said(error) },
    }
}

fn said(error: JobError) -> String {
    match error {
        JobError::NoManager { said } => said,
        other => other.to_string(),
    }
}

fn owner(machine: &dyn Machine, port: u16, job: &JobSignal) -> Owner {
    let Some(holder) = machine.holder(port) else { return Owner::Nobody };
    let service = match job {
        JobSignal::Known(job) => job.pid,
        JobSignal::NoManager { .. } | JobSignal::Absent { .. } => None,
    };
    match (holder.pid, service) {
        (Some(pid), Some(service)) if process::comes_from(pid, service) => Owner::Service,
        _ => Owner::Other(holder),
    }
}

/// Other services that are loaded and name the same port, or are of an older name and name none.
fn rivals(
    manager: &dyn ServiceManager,
    environment: &Environment,
    service: &ServiceName,
    port: u16,
) -> Vec<String> {
    let wants_it = |other: &ServiceName| {
        let file = other.read().ok().flatten().unwrap_or_default();
        file.port.map_or_else(
            || other.name.contains("clawdbot") || other.name.contains("moltbot"),
            |it| it == port,
        )
    };
    ServiceName::all(environment, kind())
        .into_iter()
        .filter(|other| other.name != service.name && wants_it(other))
        .filter(|other| {
            manager.job(&other.name).ok().flatten().is_some_and(|job| {
                use gatehouse_host::jobs::Activity;
                matches!(job.activity, Activity::Running | Activity::Starting | Activity::Waiting)
            })
        })
        .map(|other| other.name)
        .collect()
}
