//! A gateway of our own: when there is to be one, how it is installed, run and told about.
//!
//! It exists only where the user asked for it and has none: no `openclaw` program, and nothing that answers like a
//! gateway. Its installation, configuration and state are in our state folder; the user's files are never touched.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_host::home::Home;
use gatehouse_openclaw::discovery::{DiscoveryError, Environment, Gateway};
use gatehouse_openclaw::install::{self, InstallError, OwnGateway, Progress};
use gatehouse_openclaw::probe::GatewayHealth;
use gatehouse_openclaw::supervise::{Recipe, State as Child, Supervisor};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::controller::message::{Fact, Installing, Message};
use crate::errors::Explain;

/// How long the gateway may take to stop by itself.
const GRACE: Duration = Duration::from_secs(10);
/// Free ports are looked for from OpenClaw's own on.
const PORTS_TRIED: u16 = 20;
/// How many steps there are from nothing to a gateway that runs.
pub(crate) const INSTALL_STEPS: u8 = 4;

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
    let environment = around(home, environment);
    Ok((own, environment))
}

/// The environment in which it is found.
pub(crate) fn around(home: &Home, environment: &Environment) -> Environment {
    let state_dir = home.gateway().join("state");
    let mut variables = environment.variables.clone();
    variables.remove("OPENCLAW_PROFILE");
    variables.remove("OPENCLAW_GATEWAY_PORT");
    variables.insert("OPENCLAW_STATE_DIR".to_owned(), text(&state_dir));
    variables.insert("OPENCLAW_CONFIG_PATH".to_owned(), text(&state_dir.join("openclaw.json")));
    Environment { variables, home: environment.home.clone(), own_install: Some(home.gateway()) }
}

/// What is to become of a gateway of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Run it; a failed installation is tried again.
    Start,
    /// Stop it until [`Order::Start`].
    Stop,
    /// Stop it and run it again.
    Restart,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// Being installed or started.
    Working,
    /// Ready.
    Ready,
    /// Stopped as ordered.
    Stopped,
    /// It could not be installed or started; it is tried again when ordered.
    Failed(ErrorEnvelope),
}

/// Keeps the gateway of our own, where there is one. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keeper {
    home: Home,
    running: Arc<Mutex<Option<Running>>>,
}

impl Keeper {
    pub(crate) fn new(home: Home) -> Self {
        Self { home, running: Arc::default() }
    }

    /// The state folder.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// Where its output goes.
    pub(crate) fn log(&self) -> PathBuf {
        self.home.logs().join("gateway.log")
    }

    /// How far it is, and its changes; `None` = there is none.
    pub(crate) fn stage(&self) -> Option<watch::Receiver<Stage>> {
        self.lock().as_ref().map(|running| running.stage.clone())
    }

    /// Gives an order. `false` = there is none.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.lock().as_ref().is_some_and(|running| running.orders.send(order).is_ok())
    }

    /// Installs, starts and follows one, where there is none yet. `false` = there is one.
    pub(crate) fn take(
        &self,
        environment: Environment,
        own: OwnGateway,
        messages: mpsc::Sender<Message>,
    ) -> bool {
        let mut running = self.lock();
        let vacant = running.is_none();
        if vacant {
            *running = Some(Running::spawn(self.home.clone(), environment, own, messages));
        }
        vacant
    }

    /// Stops it for good, and waits for that.
    pub(crate) async fn stop(&self) {
        let running = self.lock().take();
        if let Some(running) = running {
            running.stop().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gateway of our own, being installed, running or stopped.
struct Running {
    orders: mpsc::UnboundedSender<Order>,
    stage: watch::Receiver<Stage>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Installs, starts and follows it, in a task of its own.
    fn spawn(home: Home, environment: Environment, own: OwnGateway, messages: mpsc::Sender<Message>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (orders, order_queue) = mpsc::unbounded_channel();
        let (stage_changes, stage) = watch::channel(Stage::Working);
        let life = Life { home, environment, own, messages, orders: order_queue, stage: stage_changes };
        let task = tokio::spawn(life.run(stopped));
        Self { orders, stage, stop, task }
    }

    /// Stops the installation or the gateway, and waits for that.
    async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task of our own gateway failed");
        }
    }
}

/// The task behind it.
struct Life {
    home: Home,
    environment: Environment,
    own: OwnGateway,
    messages: mpsc::Sender<Message>,
    orders: mpsc::UnboundedReceiver<Order>,
    stage: watch::Sender<Stage>,
}

/// Why a gateway is no longer followed.
enum End {
    /// Everything ends.
    Stop,
    /// It is to wait for an order.
    Wait,
}

impl Life {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            self.stage.send_replace(Stage::Working);
            let messages = self.messages.clone();
            let steps = |number, what: Text| {
                // The channel is long, and a step that is not told is told by the next one.
                let step = Installing { number, text: what };
                let _ = messages.try_send(Message::Fact(Fact::Installing(step)));
            };
            let started = tokio::select! {
                started = start(&self.home, &self.environment, &self.own, steps) => started,
                _ = &mut stopped => return,
            };
            let end = match started {
                Ok(supervisor) => self.follow(supervisor, &mut stopped).await,
                Err(error) => {
                    self.stage.send_replace(Stage::Failed(error.clone()));
                    self.tell(Fact::NotSupervised(error)).await;
                    End::Wait
                }
            };
            if matches!(end, End::Stop) || !self.ordered(&mut stopped).await {
                return;
            }
        }
    }

    /// Waits until it is to run. `false` = never.
    async fn ordered(&mut self, stopped: &mut oneshot::Receiver<()>) -> bool {
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Start | Order::Restart) => return true,
                    Some(Order::Stop) => {}
                    None => return false,
                },
                _ = &mut *stopped => return false,
            }
        }
    }

    async fn follow(&mut self, supervisor: Supervisor, stopped: &mut oneshot::Receiver<()>) -> End {
        let mut state = supervisor.state();
        let end = loop {
            let now = state.borrow_and_update().clone();
            self.stage.send_replace(stage(&now));
            if !self.tell(Fact::Child(now.clone())).await {
                break End::Stop;
            }
            tokio::select! {
                changed = state.changed() => if changed.is_err() { break End::Stop },
                order = self.orders.recv() => match order {
                    Some(Order::Restart) => {
                        self.stage.send_replace(Stage::Working);
                        supervisor.restart();
                        if state.changed().await.is_err() { break End::Stop }
                    }
                    Some(Order::Start) if matches!(now, Child::CrashLoop { .. } | Child::Restarting { .. }) => {
                        self.stage.send_replace(Stage::Working);
                        supervisor.restart();
                        if state.changed().await.is_err() { break End::Stop }
                    }
                    Some(Order::Start) => {}
                    Some(Order::Stop) => break End::Wait,
                    None => break End::Stop,
                },
                _ = &mut *stopped => break End::Stop,
            }
        };
        supervisor.stop(GRACE).await;
        if matches!(end, End::Wait) {
            self.stage.send_replace(Stage::Stopped);
            self.tell(Fact::Child(Child::Stopped)).await;
        }
        end
    }

    async fn tell(&self, fact: Fact) -> bool {
        self.messages.send(Message::Fact(fact)).await.is_ok()
    }
}

fn stage(child: &Child) -> Stage {
    match child {
        Child::Starting { .. } | Child::Restarting { .. } => Stage::Working,
        Child::Running { .. } => Stage::Ready,
        Child::Stopped => Stage::Stopped,
        Child::CrashLoop { exits, because, output } => {
            let mut error = ErrorEnvelope::new(
                Code::GatewayUnreachable,
                say!("core.own.title"),
                say!("core.own.because", count = exits, because = because),
            );
            error.evidence.extend(output.iter().rev().take(5).rev().map(Text::from));
            Stage::Failed(error.fix_with(say!("core.look.log"), "gatehouse gateway log"))
        }
    }
}

/// The first port from `first` on that is free on loopback. Used only where no configuration names one yet.
pub(crate) fn free_port(first: u16) -> u16 {
    let free = |port: &u16| gatehouse_host::ports::try_bind(([127, 0, 0, 1], *port).into()).is_ok();
    (first..first.saturating_add(PORTS_TRIED)).find(free).unwrap_or(first)
}

/// Installs and starts it. `tell` hears what is being done.
async fn start(
    home: &Home,
    environment: &Environment,
    own: &OwnGateway,
    tell: impl Fn(u8, Text) + Send + Sync,
) -> Result<Supervisor, ErrorEnvelope> {
    let report = |progress: Progress| match progress {
        Progress::InstallingNode => tell(1, say!("core.own.node")),
        Progress::InstallingOpenClaw => tell(2, say!("core.own.openclaw")),
        Progress::Checking => tell(3, say!("core.own.check")),
    };
    let installed =
        install::ensure(&home.gateway(), environment, report).await.map_err(|error| error.explain())?;
    tell(INSTALL_STEPS, say!("core.own.start"));
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
