//! The service that runs the gateway: looked at, asked through OpenClaw's command line, mended.

use std::sync::Arc;

use gatehouse_api::{
    Code, ErrorEnvelope, GatewayAction, GatewayRepair, GatewayService, GatewayServiceState, GatewaySummary,
    Reply, say,
};
use gatehouse_host::jobs::JobError;
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::probe::health;
use gatehouse_openclaw::program::{Program, ServiceAction};
use gatehouse_openclaw::service_file::ServiceName;

use super::secrets;
use crate::controller::message::Fact;
use crate::errors::Explain;
use crate::requests::links::no_program;
use crate::requests::{Desk, blocking};
use crate::supervision::{self, Parts, Signals, Step, manager};

/// The gateway, with a fresh look at who runs it.
pub(in crate::requests) async fn status(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    let service = look(desk).await?;
    let gateway = desk.snapshots.borrow().gateway.clone();
    desk.tell(Fact::Service(Some(Box::new(service.clone())))).await;
    Ok(Reply::Gateway(GatewaySummary { service: Some(Box::new(service)), ..gateway }))
}

/// Who runs the gateway, now.
pub(crate) async fn look(desk: &Desk) -> Result<GatewayService, ErrorEnvelope> {
    Ok(supervision::told(&signals(desk).await?))
}

async fn signals(desk: &Desk) -> Result<Signals, ErrorEnvelope> {
    let address = desk.context.link.address();
    let running_version = desk.context.link.client().and_then(|client| match &*client.status().borrow() {
        Link::Up { hello } => Some(hello.version.clone()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    });
    let parts = Parts {
        environment: desk.context.environment.load().as_ref().clone(),
        gateway: desk.context.link.gateway().map(|gateway| gateway.as_ref().clone()),
        port: address.port(),
        health: health(address).await,
        running_version,
        own: desk.keeper.stage().is_some(),
    };
    let machine = Arc::clone(&desk.context.machine);
    blocking(move || Ok(supervision::gather(parts, machine.as_ref()))).await
}

fn program(desk: &Desk) -> Option<Program> {
    let gateway = desk.context.link.gateway()?;
    Program::of(&gateway, &desk.context.environment.load())
}

fn hidden(desk: &Desk) -> Vec<secrecy::SecretString> {
    desk.context.link.gateway().as_deref().map(secrets).unwrap_or_default()
}

/// Starts, stops or restarts the service: OpenClaw's own command line first, the service manager second.
pub(super) async fn run(desk: &Desk, action: GatewayAction) -> Result<(), ErrorEnvelope> {
    let wanted = match action {
        GatewayAction::Start | GatewayAction::Install => ServiceAction::Start,
        GatewayAction::Stop | GatewayAction::Uninstall => ServiceAction::Stop,
        GatewayAction::Restart => ServiceAction::Restart,
    };
    let Some(gateway) = desk.context.link.gateway() else {
        return Err(desk.context.link.connected().err().unwrap_or_else(super::gone));
    };
    let refused = match Program::of(&gateway, &desk.context.environment.load()) {
        Some(program) => match program.service(wanted, &hidden(desk)).await {
            Ok(said) => {
                tracing::info!(%said, "openclaw was asked");
                return Ok(());
            }
            Err(error) if wanted == ServiceAction::Start && is_under_way(desk).await => {
                tracing::info!(%error, "openclaw waits no longer; the service starts");
                return Ok(());
            }
            Err(error) => error.explain(),
        },
        None => no_program(),
    };
    tracing::info!(%refused, "openclaw did not do it; the service manager is asked");
    if by_manager(desk, wanted).await? {
        return Ok(());
    }
    let fix = || refused.clone().fix_with(say!("core.service.install-fix"), "gatehouse gateway install");
    Err(if wanted == ServiceAction::Stop { refused } else { fix() })
}

/// Whether the service starts its gateway although OpenClaw says that it failed: it gives a start 45 s, in which a slow or
/// busy machine does not always manage. We wait longer.
async fn is_under_way(desk: &Desk) -> bool {
    let state = look(desk).await.map(|service| service.state);
    matches!(state, Ok(GatewayServiceState::Starting | GatewayServiceState::Runs))
}

/// Through `launchctl` or `systemctl --user`. `false` = there is no such service here.
async fn by_manager(desk: &Desk, action: ServiceAction) -> Result<bool, ErrorEnvelope> {
    let environment = desk.context.environment.load_full();
    blocking(move || {
        let service = ServiceName::of(&environment, supervision::kind());
        let manager = manager();
        let known = match manager.job(&service.name) {
            Ok(known) => known,
            Err(JobError::NoManager { .. }) => return Ok(false),
            Err(error) => return Err(error.explain()),
        };
        let done = match (action, known) {
            (ServiceAction::Stop, Some(_)) => manager.stop(&service.name),
            (ServiceAction::Restart, Some(_)) => manager.restart(&service.name),
            (ServiceAction::Start, Some(job)) if !job.switched_off => manager.start(&service.name),
            (ServiceAction::Start | ServiceAction::Restart, _) if service.file.exists() => {
                manager.load(&service.name, &service.file)
            }
            _ => return Ok(false),
        };
        done.map(|()| true).map_err(|error| error.explain())
    })
    .await
}

/// Installs or removes the service, by OpenClaw's own installer only: the file is OpenClaw's.
pub(super) async fn change(desk: &Desk, action: GatewayAction) -> Result<Reply, ErrorEnvelope> {
    if desk.keeper.stage().is_some() {
        return Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.service.own"),
            say!("core.service.own-no-service"),
        ));
    }
    let program = program(desk).ok_or_else(no_program)?;
    let (wanted, text) = match action {
        GatewayAction::Uninstall | GatewayAction::Stop => {
            (ServiceAction::Uninstall, say!("core.progress.uninstall"))
        }
        GatewayAction::Install | GatewayAction::Start | GatewayAction::Restart => {
            (ServiceAction::Install, say!("core.progress.install"))
        }
    };
    let secrets = hidden(desk);
    let asked = async {
        match program.service(wanted, &secrets).await {
            Err(error) if wanted == ServiceAction::Install && is_under_way(desk).await => {
                Ok(error.to_string())
            }
            said => said.map_err(|error| error.explain()),
        }
    };
    let said = super::in_step(desk, 1, text, asked).await?;
    tracing::info!(%said, "openclaw was asked");
    if wanted == ServiceAction::Install {
        super::in_step(desk, 2, say!("core.progress.open"), super::open_to_clients(desk)).await?;
        super::in_step(desk, 3, say!("core.progress.let-in"), super::settled(desk, action)).await?;
    }
    status(desk).await
}

/// Mends it: what the verdict's repairs say, step by step, or only shows them.
pub(in crate::requests) async fn repair(desk: &Desk, dry_run: bool) -> Result<Reply, ErrorEnvelope> {
    let turn = desk.transactions.hold()?;
    let signals = signals(desk).await?;
    let before = supervision::told(&signals);
    let steps = supervision::steps(before.state, &signals);
    if dry_run || steps.is_empty() {
        let plan = GatewayRepair { done: false, steps: before.repairs.clone(), service: before };
        return Ok(Reply::GatewayRepair(Box::new(plan)));
    }
    let program = program(desk);
    let secrets = hidden(desk);
    for (step, shown) in steps.iter().zip(&before.repairs) {
        let work = async {
            match supervision::perform(step, program.as_ref(), &secrets).await {
                Err(refused) if *step == Step::Ask(ServiceAction::Start) && is_under_way(desk).await => {
                    tracing::info!(%refused, "openclaw waits no longer; the service starts");
                    Ok(())
                }
                done => done,
            }
        };
        super::in_step(desk, 1, shown.text.clone(), work).await?;
    }
    super::in_step(desk, 2, say!("core.progress.open"), super::open_to_clients(desk)).await?;
    super::in_step(desk, 3, say!("core.progress.let-in"), super::settled(desk, GatewayAction::Start)).await?;
    drop(turn);
    let service = look(desk).await?;
    desk.tell(Fact::Service(Some(Box::new(service.clone())))).await;
    Ok(Reply::GatewayRepair(Box::new(GatewayRepair { done: true, steps: before.repairs, service })))
}
