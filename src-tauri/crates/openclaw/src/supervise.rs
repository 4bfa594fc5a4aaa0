//! Running a gateway as our child, in a process group of its own.
//!
//! It is started again when it ends, later each time, and no more once it ends five times in a row within a minute of its
//! start. Nothing of it outlives us: [`Supervisor::stop`] ends it gracefully, dropping the supervisor kills it, and what
//! survives our own `kill -9` is found again by its pid file, which names the moment of its birth, so that no other
//! process is ever mistaken for it.

mod child;
mod log;
mod orphan;
mod task;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use self::child::Process;
use self::task::Task;
use crate::install::Installed;
use crate::probe::{self, GatewayHealth};
use crate::process;

/// What to run.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The program.
    pub installed: Installed,
    /// `OPENCLAW_STATE_DIR`.
    pub state_dir: PathBuf,
    /// `OPENCLAW_CONFIG_PATH`.
    pub config_path: PathBuf,
    /// The port.
    pub port: u16,
    /// Where its output goes; at 4 MiB the file is moved to `<name>.1`.
    pub log: PathBuf,
    /// Where its process id is kept.
    pub pid_file: PathBuf,
    /// More environment variables.
    pub variables: Vec<(String, String)>,
}

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Started, not ready yet.
    Starting {
        /// Its process.
        pid: u32,
    },
    /// Ready.
    Running {
        /// Its process.
        pid: u32,
    },
    /// It ended and is started again.
    Restarting {
        /// When.
        at: Instant,
        /// Why it ended.
        because: String,
    },
    /// It ended too often in a short time; it is started again only when asked.
    CrashLoop {
        /// How often.
        exits: u32,
        /// Why it ended the last time.
        because: String,
        /// The end of its output.
        output: Vec<String>,
    },
    /// Stopped.
    Stopped,
}

/// Why it was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuperviseError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another program listens on the port.
    #[error("port {port} is taken by another program")]
    PortTaken {
        /// The port.
        port: u16,
    },
}

/// A gateway that we run. Dropping it kills the gateway's process group at once; prefer [`Supervisor::stop`].
#[derive(Debug)]
pub struct Supervisor {
    state: watch::Receiver<State>,
    commands: mpsc::UnboundedSender<Command>,
    leader: Leader,
    task: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the gateway. One that an earlier run of ours left behind is taken over if it is healthy and fits the recipe,
    /// else stopped first.
    ///
    /// # Errors
    /// [`SuperviseError::PortTaken`] when anything else listens on the port; [`SuperviseError::Io`].
    pub async fn start(recipe: Recipe) -> Result<Self, SuperviseError> {
        Self::start_with(recipe, Timing::default()).await
    }

    async fn start_with(recipe: Recipe, timing: Timing) -> Result<Self, SuperviseError> {
        let adopted = orphan::settle(&recipe).await;
        if adopted.is_none() && probe::health(recipe.address()).await != GatewayHealth::Refused {
            return Err(SuperviseError::PortTaken { port: recipe.port });
        }
        let leader = Leader::default();
        let first = match adopted {
            Some(pid) => Process::Adopted(pid),
            None => child::spawn(&recipe).await?,
        };
        leader.set(first.pid());
        let (state_changes, state) = watch::channel(State::Starting { pid: first.pid() });
        let (commands, command_queue) = mpsc::unbounded_channel();
        let task =
            Task { recipe, timing, state: state_changes, commands: command_queue, leader: leader.clone() };
        let task = Some(tokio::spawn(task.run(first)));
        Ok(Self { state, commands, leader, task })
    }

    /// How it is, and its changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Stops it and starts it again, also after a crash loop.
    pub fn restart(&self) {
        let _ = self.commands.send(Command::Restart);
    }

    /// Stops it: SIGTERM, then after `grace` SIGKILL for the whole process group. Nothing is left when this returns.
    pub async fn stop(mut self, grace: Duration) {
        let _ = self.commands.send(Command::Stop { grace });
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            if let Some(pid) = self.leader.get() {
                process::kill_group(pid);
            }
        }
    }
}

impl Recipe {
    fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

/// The process group that must not outlive us.
#[derive(Debug, Clone, Default)]
struct Leader(Arc<AtomicU32>);

impl Leader {
    fn set(&self, pid: u32) {
        self.0.store(pid, Ordering::SeqCst);
    }

    fn clear(&self) {
        self.set(0);
    }

    fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }
}

#[derive(Debug)]
enum Command {
    Restart,
    Stop { grace: Duration },
}

/// Tests shorten these.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// A gateway that lived shorter than this crashed at once.
    short_life: Duration,
    /// So many short lives in a row are a crash loop.
    short_lives: u32,
    /// The wait after the first short life; it doubles up to `longest_wait`.
    first_wait: Duration,
    longest_wait: Duration,
    /// How often health is asked while starting.
    poll: Duration,
    /// How long a restart waits for the old process.
    grace: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            short_life: Duration::from_secs(60),
            short_lives: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            poll: Duration::from_millis(250),
            grace: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests;
