//! Effects at work: slow, outside the controller's task, each ending with a fact.

use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, Problem, Proof, Request, say};
use gatehouse_openclaw::discovery::{Gateway, discover};
use gatehouse_openclaw::probe::{GatewayHealth, health};
use serde_json::{Value, json};

use super::message::{Effect, Fact};
use crate::errors::{self, Explain};
use crate::probe;
use crate::requests::{self, Desk, blocking};

/// Runs an effect to its end.
pub(super) async fn run(desk: Desk, effect: Effect) {
    let fact = match effect {
        Effect::Discover => Fact::Discovered(find(&desk).await),
        Effect::AskHealth => ask_health(&desk).await,
        Effect::AskPid => Fact::Pid(pid(&desk).await),
        Effect::LookAtService => Fact::Service(requests::look_at_service(&desk).await.ok().map(Box::new)),
        Effect::ListDevices => Fact::Devices(requests::listed(&desk).await),
        Effect::Serve => Fact::Served(desk.transactions.resume().await),
        Effect::Probe => Fact::Probed(probed(&desk).await),
        Effect::LookAgain(after) => {
            tokio::time::sleep(after.unsigned_abs()).await;
            Fact::LookAgain
        }
        Effect::CoverOrigins => {
            let addresses = desk.snapshots.borrow().addresses.clone();
            Fact::OriginsCovered(requests::cover(&desk, &addresses).await)
        }
        Effect::Open(request) => {
            let opened = requests::answer(&desk, Request::Open(request)).await;
            Fact::OpenedAtStart(opened.map(drop))
        }
        Effect::EndPause => {
            let ended = requests::end_pause(&desk).await;
            if let Err(error) = &ended {
                tracing::warn!(%error, "the end of a pause could not be saved");
            }
            Fact::PauseEnded
        }
        // These two are told by the controller itself, in order.
        Effect::TellDevices(_) | Effect::TellProgress(_) => return,
    };
    desk.tell(fact).await;
}

/// The connection moves with what was found.
async fn find(desk: &Desk) -> Result<Box<Gateway>, ErrorEnvelope> {
    let environment = desk.context.environment.load_full();
    let token = desk.context.token.clone();
    let found = blocking(move || {
        discover(&environment).map(|gateway| token.resolved(gateway)).map_err(|error| error.explain())
    })
    .await;
    match &found {
        Ok(gateway) => desk.context.link.update(Some(gateway.clone())),
        Err(error) if error.code == Code::GatewayNotFound => desk.context.link.update(None),
        // A file that is being written, or was broken by hand, does not cut the connection.
        Err(_) => {}
    }
    found.map(Box::new)
}

async fn ask_health(desk: &Desk) -> Fact {
    let address = desk.context.link.address();
    let answer = health(address).await;
    let foreign = matches!(answer, GatewayHealth::NotGateway { .. } | GatewayHealth::Silent);
    let holder = if foreign {
        let machine = Arc::clone(&desk.context.machine);
        blocking(move || Ok(machine.holder(address.port()))).await.ok().flatten()
    } else {
        None
    };
    Fact::Health(answer, holder)
}

async fn pid(desk: &Desk) -> Option<u32> {
    let client = desk.context.link.connected().ok()?;
    let info = client.call("system.info", json!({})).await.ok()?;
    info.get("pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok())
}

/// Every address is tried; the proof is of the best one that answered. One that fails is a problem of its own.
async fn probed(desk: &Desk) -> Result<Vec<Proof>, Problem> {
    let checked = probe::light(&desk.context).await;
    let all = checked.len();
    let mut proofs = Vec::new();
    let mut failures = Vec::new();
    for address in checked {
        match address.outcome {
            Ok(proof) => proofs.push(proof),
            Err(error) => failures.push((address.url, error)),
        }
    }
    let failed = failures.len();
    match failures.into_iter().next() {
        None if all > 0 => Ok(proofs),
        None => Err(errors::problem(ErrorEnvelope::new(
            Code::VerifyFailed,
            say!("core.check.none"),
            say!("core.check.nothing-served"),
        ))),
        Some((url, error)) => {
            let title = match failed {
                1 => say!("core.check.one-fails", url = url),
                _ => say!("core.check.some-fail", failed = failed, all = all),
            };
            Err(Problem { title, ..errors::problem(error) })
        }
    }
}
