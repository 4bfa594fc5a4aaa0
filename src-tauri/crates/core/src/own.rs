//! A gateway of our own: when there is to be one, how it is installed, run and told about.
//!
//! It exists only where the user asked for it and has none: no `openclaw` program, and nothing that answers like a
//! gateway. Its installation, configuration and state are in our state folder; the user's files are never touched.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use gatehouse_api::ErrorEnvelope;
use gatehouse_host::home::Home;
use gatehouse_openclaw::discovery::{DiscoveryError, Environment, Gateway};
use gatehouse_openclaw::install::{self, InstallError, OwnGateway, Progress};
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::{Recipe, Supervisor};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::controller::message::{Fact, Message};
use crate::errors::Explain;

/// How long the gateway may take to stop by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Whether a gateway of our own is to run. `exists` = one was set up here before.
pub(crate) fn wanted(
    allowed: bool,
    found: &Result<Gateway, DiscoveryError>,
    health: &GatewayHealth,
    exists: bool,
) -> bool {
    let none_installed = match found {
        Ok(gateway) => gateway.program.is_none(),
        Err(DiscoveryError::NotFound { .. }) => true,
        // A configuration that cannot be read is somebody's configuration.
        Err(_) => false,
    };
    let answers = matches!(health, GatewayHealth::Ready | GatewayHealth::Live);
    // A gateway that answers may be ours, left behind by a crash: the supervisor takes it over.
    allowed && none_installed && (exists || !answers)
}

/// Makes its configuration, and the environment in which it is found. An existing configuration is kept.
pub(crate) fn prepare(
    home: &Home,
    environment: &Environment,
    port: u16,
) -> Result<(OwnGateway, Environment), InstallError> {
    let own = install::own_gateway(&home.gateway(), port)?;
    let mut variables = environment.variables.clone();
    variables.remove("OPENCLAW_PROFILE");
    variables.remove("OPENCLAW_GATEWAY_PORT");
    variables.insert("OPENCLAW_STATE_DIR".to_owned(), text(&own.state_dir));
    variables.insert("OPENCLAW_CONFIG_PATH".to_owned(), text(&own.config_path));
    let environment =
        Environment { variables, home: environment.home.clone(), own_install: Some(home.gateway()) };
    Ok((own, environment))
}

/// A gateway of our own, being installed, running or stopped.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Installs, starts and follows it, in a task of its own.
    pub(crate) fn spawn(
        home: Home,
        environment: Environment,
        own: OwnGateway,
        messages: mpsc::Sender<Message>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let tell = |fact| {
                let messages = messages.clone();
                async move { messages.send(Message::Fact(fact)).await.is_ok() }
            };
            let steps = |what: &'static str| {
                // The channel is long, and a step that is not told is told by the next one.
                let _ = messages.try_send(Message::Fact(Fact::Installing(Some(what.to_owned()))));
            };
            tokio::pin!(stopped);
            let started = tokio::select! {
                started = start(&home, &environment, &own, steps) => started,
                _ = &mut stopped => return,
            };
            match started {
                Ok(supervisor) => follow(supervisor, stopped, tell).await,
                Err(error) => {
                    tell(Fact::NotSupervised(error)).await;
                }
            }
        });
        Self { stop, task }
    }

    /// Stops the installation or the gateway, and waits for that.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task of our own gateway failed");
        }
    }
}

async fn follow<F: Future<Output = bool>>(
    supervisor: Supervisor,
    mut stopped: Pin<&mut oneshot::Receiver<()>>,
    tell: impl Fn(Fact) -> F,
) {
    let mut state = supervisor.state();
    loop {
        let now = state.borrow_and_update().clone();
        if !tell(Fact::Child(now)).await {
            break;
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { break },
            _ = &mut stopped => break,
        }
    }
    supervisor.stop(GRACE).await;
}

/// Installs and starts it. `tell` hears what is being done.
async fn start(
    home: &Home,
    environment: &Environment,
    own: &OwnGateway,
    tell: impl Fn(&'static str) + Send + Sync,
) -> Result<Supervisor, ErrorEnvelope> {
    let report = |progress: Progress| {
        tell(match progress {
            Progress::InstallingNode => "Installing Node.js (1 of 3)",
            Progress::InstallingOpenClaw => "Installing OpenClaw, about 790 MB (2 of 3)",
            Progress::Checking => "Checking the installation (3 of 3)",
        });
    };
    let installed =
        install::ensure(&home.gateway(), environment, report).await.map_err(|error| error.explain())?;
    tell("Starting the gateway, about ten seconds");
    let recipe = Recipe {
        installed,
        state_dir: own.state_dir.clone(),
        config_path: own.config_path.clone(),
        port: own.address.port(),
        log: home.logs().join("gateway.log"),
        pid_file: home.gateway().join("gateway.pid"),
        variables: Vec::new(),
    };
    Supervisor::start(recipe).await.map_err(|error| error.explain())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
