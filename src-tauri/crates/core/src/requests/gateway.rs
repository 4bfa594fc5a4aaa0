//! The gateway's process: start, stop, restart, its service, log, and the installation of one of our own.

mod log;
mod service;

use std::time::Duration;

use gatehouse_api::{
    Code, ErrorEnvelope, GatewayAction, GatewayVerdict, Progress, Reply, StepId, StepState, Text, say,
};
use gatehouse_openclaw::client::{GatewayClient, Link, accepts};
use gatehouse_openclaw::discovery::{Auth, Gateway, discover};
use gatehouse_openclaw::probe::health;
use secrecy::SecretString;

pub(super) use self::log::log;
pub(crate) use self::service::look;
pub(super) use self::service::{repair, status};
use super::{Desk, blocking};
use crate::controller::message::Fact;
use crate::errors::Explain;
use crate::own::{self, Order, Stage};
use crate::transaction::{request_restart, restarted};

/// How long a gateway may take to come up: ten seconds usually, more on a busy machine.
const UP: Duration = Duration::from_secs(90);
/// How long one may take to go: twenty seconds, then it is killed.
const GONE: Duration = Duration::from_secs(40);
/// How long an installation may take: 790 MB over a slow line.
const INSTALLED: Duration = Duration::from_secs(45 * 60);
/// How long an order may take to be heard.
const BEGINS: Duration = Duration::from_secs(10);
/// How often a gateway that comes up is asked whether it accepts connections.
const LOOK: Duration = Duration::from_millis(500);
/// Asked, up, open to clients.
const STEPS: u8 = 3;

/// Starts, stops or restarts it, and waits until that is done; or has a service run it. No change is made meanwhile.
pub(super) async fn control(desk: &Desk, action: GatewayAction) -> Result<Reply, ErrorEnvelope> {
    let _turn = desk.transactions.hold()?;
    if matches!(action, GatewayAction::Install | GatewayAction::Uninstall) {
        return service::change(desk, action).await;
    }
    let gateway = desk.snapshots.borrow().gateway.clone();
    match (action, gateway.verdict) {
        (GatewayAction::Start, GatewayVerdict::Running) | (GatewayAction::Stop, GatewayVerdict::Stopped)
            if desk.keeper.stage().is_none() =>
        {
            return Ok(Reply::Gateway(gateway));
        }
        _ => {}
    }
    let asking = match action {
        GatewayAction::Start | GatewayAction::Install => say!("core.progress.start"),
        GatewayAction::Stop | GatewayAction::Uninstall => say!("core.progress.stop"),
        GatewayAction::Restart => say!("core.progress.restart"),
    };
    let told = in_step(desk, 1, asking, async {
        match desk.keeper.stage() {
            Some(stage) if desk.keeper.order(order(action)) => ordered(stage, action).await,
            Some(_) => Err(gone()),
            None => elsewhere(desk, action).await,
        }
    });
    told.await?;
    tracing::info!(?action, "the gateway was told");
    if action == GatewayAction::Stop {
        return in_step(desk, STEPS, say!("core.progress.gone"), settled(desk, action)).await;
    }
    in_step(desk, 2, say!("core.progress.open"), open_to_clients(desk)).await?;
    in_step(desk, STEPS, say!("core.progress.let-in"), settled(desk, action)).await
}

/// Tells the views of a step on the way of `gateway`, before and after.
async fn in_step<T>(
    desk: &Desk,
    number: u8,
    text: Text,
    work: impl Future<Output = Result<T, ErrorEnvelope>>,
) -> Result<T, ErrorEnvelope> {
    let progress = |state| Progress {
        change: "gateway".to_owned(),
        step: StepId::FindGateway,
        number,
        of: STEPS,
        state,
        text: text.clone(),
    };
    desk.tell(Fact::GatewayStep(progress(StepState::Running))).await;
    let result = work.await;
    let state = if result.is_ok() { StepState::Done } else { StepState::Failed };
    desk.tell(Fact::GatewayStep(progress(state))).await;
    result
}

/// Waits until WebSocket connections are accepted: the challenge of the gateway arrives through its port.
async fn open_to_clients(desk: &Desk) -> Result<(), ErrorEnvelope> {
    let open = async {
        while !accepts(desk.context.link.address()).await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(UP, open).await.map_err(|_| too_slow(GatewayAction::Start))
}

fn order(action: GatewayAction) -> Order {
    match action {
        GatewayAction::Start | GatewayAction::Install => Order::Start,
        GatewayAction::Stop | GatewayAction::Uninstall => Order::Stop,
        GatewayAction::Restart => Order::Restart,
    }
}

/// Waits until our own gateway did what it was told.
async fn ordered(
    mut stage: tokio::sync::watch::Receiver<Stage>,
    action: GatewayAction,
) -> Result<(), ErrorEnvelope> {
    if action == GatewayAction::Start && *stage.borrow() == Stage::Ready {
        return Ok(());
    }
    if action == GatewayAction::Stop && *stage.borrow() == Stage::Stopped {
        return Ok(());
    }
    // What is there now was before the order.
    stage.mark_unchanged();
    let done = async {
        while stage.changed().await.is_ok() {
            match (&*stage.borrow_and_update(), action) {
                (Stage::Stopped, GatewayAction::Stop) => return Ok(()),
                (Stage::Ready, GatewayAction::Start | GatewayAction::Restart) => return Ok(()),
                (Stage::Failed(error), GatewayAction::Start | GatewayAction::Restart) => {
                    return Err(error.clone());
                }
                _ => {}
            }
        }
        Err(gone())
    };
    tokio::time::timeout(UP, done).await.unwrap_or_else(|_| Err(too_slow(action)))
}

/// A gateway that somebody else runs: through itself where it can do it, else through OpenClaw's command line, else
/// through the service manager.
async fn elsewhere(desk: &Desk, action: GatewayAction) -> Result<(), ErrorEnvelope> {
    if action == GatewayAction::Restart
        && let Ok(client) = desk.context.link.reached().await
    {
        let before = boot(&client);
        request_restart(&client).await?;
        return restarted(&client, before.as_deref()).await;
    }
    service::run(desk, action).await
}

fn boot(client: &GatewayClient) -> Option<String> {
    match &*client.status().borrow() {
        Link::Up { hello } => Some(hello.boot_id.clone()),
        Link::Down { .. } | Link::Connecting | Link::Starting | Link::Refused { .. } => None,
    }
}

/// Waits until the state says so, too.
async fn settled(desk: &Desk, action: GatewayAction) -> Result<Reply, ErrorEnvelope> {
    let mut snapshots = desk.snapshots.clone();
    let there = |verdict| match action {
        GatewayAction::Start | GatewayAction::Restart | GatewayAction::Install => {
            matches!(verdict, GatewayVerdict::Running | GatewayVerdict::AuthRefused)
        }
        GatewayAction::Stop | GatewayAction::Uninstall => {
            matches!(verdict, GatewayVerdict::Stopped | GatewayVerdict::NotFound | GatewayVerdict::PortTaken)
        }
    };
    let limit = if action == GatewayAction::Stop { GONE } else { UP };
    let steady = snapshots.wait_for(|snapshot| there(snapshot.gateway.verdict));
    match tokio::time::timeout(limit, steady).await {
        Ok(Ok(snapshot)) => Ok(Reply::Gateway(snapshot.gateway.clone())),
        Ok(Err(_)) => Err(gone()),
        Err(_) => Err(too_slow(action)),
    }
}

/// Installs OpenClaw into our folder and runs it, now and with every start. Answers when it runs.
pub(super) async fn install(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    if desk.keeper.stage().is_none() {
        begin(desk).await?;
    } else {
        // An order is only queued: what it failed with before is no answer to this one.
        let failed = desk.keeper.stage().filter(|stage| matches!(*stage.borrow(), Stage::Failed(_)));
        desk.keeper.order(Order::Start);
        if let Some(mut stage) = failed {
            stage.mark_unchanged();
            let _ = tokio::time::timeout(BEGINS, stage.changed()).await;
        }
    }
    let Some(mut stage) = desk.keeper.stage() else { return Err(gone()) };
    let ready = stage.wait_for(|stage| !matches!(stage, Stage::Working));
    match tokio::time::timeout(INSTALLED, ready).await {
        Ok(Ok(stage)) => match &*stage {
            Stage::Failed(error) => return Err(error.clone()),
            Stage::Working | Stage::Ready | Stage::Stopped => {}
        },
        Ok(Err(_)) => return Err(gone()),
        Err(_) => return Err(too_slow(GatewayAction::Start)),
    }
    settled(desk, GatewayAction::Start).await
}

async fn begin(desk: &Desk) -> Result<(), ErrorEnvelope> {
    let _turn = desk.transactions.hold()?;
    let environment = desk.context.environment.load_full();
    let looked = environment.clone();
    let found = blocking(move || Ok(discover(&looked))).await?;
    let asked = environment.get("OPENCLAW_GATEWAY_PORT").and_then(|port| port.parse().ok());
    let port = found.as_ref().map_or(asked.unwrap_or(crate::link::DEFAULT_PORT), |gateway| gateway.port);
    let answer = health(([127, 0, 0, 1], port).into()).await;
    let home = desk.keeper.home().clone();
    if !own::wanted(true, &found, &answer, home.gateway().exists()) {
        return Err(match found {
            Ok(_) | Err(gatehouse_openclaw::discovery::DiscoveryError::NotFound { .. }) => here_already(port),
            Err(error) => error.explain(),
        });
    }
    let settings = desk.context.settings.clone();
    let (own, environment) = blocking(move || {
        let prepared =
            own::prepare(&home, &environment, own::free_port(port)).map_err(|error| error.explain())?;
        settings.update(|settings| settings.own_gateway = true).map_err(|error| error.explain())?;
        Ok(prepared)
    })
    .await?;
    let (looked, token) = (environment.clone(), desk.context.token.clone());
    let look = move || discover(&looked).map(|found| token.resolved(found)).map_err(|error| error.explain());
    let found = blocking(look).await?;
    desk.context.environment.store(environment.clone().into());
    desk.context.link.update(Some(found));
    tracing::info!("OpenClaw is installed into Gatehouse's folder, as the user asked");
    desk.keeper.take(environment, own, desk.messages.clone());
    desk.tell(Fact::OwnGateway).await;
    Ok(())
}

/// What is never shown of a gateway.
fn secrets(gateway: &Gateway) -> Vec<SecretString> {
    match &gateway.auth {
        Auth::Token(secret) | Auth::Password(secret) => vec![secret.clone()],
        Auth::TrustedProxy { password } => password.iter().cloned().collect(),
        Auth::None | Auth::Missing | Auth::Unresolvable { .. } => Vec::new(),
    }
}

fn here_already(port: u16) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, say!("core.installed.title"), say!("core.installed.because", port = port))
        .fix_with(say!("core.installed.fix"), "gatehouse gateway start")
}

fn gone() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::NotRunning, say!("core.stopping.title"), say!("core.stopping.because"))
}

fn too_slow(action: GatewayAction) -> ErrorEnvelope {
    let (title, because) = match action {
        GatewayAction::Stop | GatewayAction::Uninstall => {
            (say!("core.gateway.did-not-stop"), say!("core.gateway.still-answers"))
        }
        GatewayAction::Start | GatewayAction::Restart | GatewayAction::Install => {
            (say!("core.gateway.not-up"), say!("core.gateway.not-up-because"))
        }
    };
    ErrorEnvelope::new(Code::GatewayUnreachable, title, because)
        .fix_with(say!("core.look.says"), "gatehouse gateway log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_order_is_waited_for_until_it_is_carried_out_or_has_failed() {
        let error = gone();
        for (action, stages, expected) in [
            (GatewayAction::Stop, vec![Stage::Stopped], Ok(())),
            (GatewayAction::Restart, vec![Stage::Working, Stage::Ready], Ok(())),
            (GatewayAction::Start, vec![Stage::Failed(error.clone())], Err(Code::NotRunning)),
            (GatewayAction::Restart, vec![Stage::Working], Err(Code::NotRunning)),
        ] {
            let (changes, stage) = tokio::sync::watch::channel(Stage::Working);
            let waiting = tokio::spawn(ordered(stage, action));
            for stage in stages {
                tokio::task::yield_now().await;
                changes.send_replace(stage);
            }
            tokio::task::yield_now().await;
            drop(changes);
            assert_eq!(waiting.await.unwrap().map_err(|error| error.code), expected, "{action:?}");
        }
        let (_changes, stage) = tokio::sync::watch::channel(Stage::Working);
        let slow = ordered(stage, GatewayAction::Start).await.unwrap_err();
        assert_eq!(slow.code, Code::GatewayUnreachable);
    }
}
