//! The task behind a supervisor: watches one life after the other.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::child::{self, Process};
use super::{Command, Leader, Recipe, State, Timing, log, orphan};
use crate::probe::{self, GatewayHealth};
use crate::process;

const LOG_CHECK: Duration = Duration::from_secs(30);
const OUTPUT_LINES: usize = 20;

pub(super) struct Task {
    pub(super) recipe: Recipe,
    pub(super) timing: Timing,
    pub(super) state: watch::Sender<State>,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) leader: Leader,
}

/// Why a life ended.
enum End {
    Itself(String),
    Restart,
    Stop,
}

impl Task {
    pub(super) async fn run(mut self, first: Process) {
        let mut next = Some(first);
        let mut short_lives = 0_u32;
        loop {
            let born = Instant::now();
            let log_start = next.as_ref().map_or(0, Process::log_start);
            let because = match next.take() {
                Some(process) => match self.life(process).await {
                    End::Stop => break,
                    End::Restart => {
                        short_lives = 0;
                        next = self.spawn().await;
                        continue;
                    }
                    End::Itself(because) => because,
                },
                None => "it could not be started".to_owned(),
            };
            short_lives = if born.elapsed() < self.timing.short_life { short_lives + 1 } else { 0 };
            let go_on = if short_lives >= self.timing.short_lives {
                let output = log::tail(&self.recipe.log, log_start, OUTPUT_LINES);
                self.state.send_replace(State::CrashLoop { exits: short_lives, because, output });
                short_lives = 0;
                self.commanded().await
            } else {
                let wait = self.wait_after(short_lives);
                self.state.send_replace(State::Restarting { at: Instant::now() + wait, because });
                tokio::select! {
                    () = sleep(wait) => true,
                    go_on = Self::command(&mut self.commands) => go_on,
                }
            };
            if !go_on {
                break;
            }
            next = self.spawn().await;
        }
        self.leader.clear();
        orphan::forget(&self.recipe);
        self.state.send_replace(State::Stopped);
    }

    async fn spawn(&self) -> Option<Process> {
        match child::spawn(&self.recipe).await {
            Ok(process) => {
                self.leader.set(process.pid());
                self.state.send_replace(State::Starting { pid: process.pid() });
                Some(process)
            }
            Err(error) => {
                tracing::warn!(%error, "the gateway could not be started");
                None
            }
        }
    }

    /// Watches one process to its end. Whatever it started is gone when this returns.
    async fn life(&mut self, mut process: Process) -> End {
        let pid = process.pid();
        let mut health = interval(self.timing.poll);
        let mut log_check = interval(LOG_CHECK);
        for ticks in [&mut health, &mut log_check] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut ready = false;
        let end = loop {
            tokio::select! {
                because = process.ended() => break End::Itself(because),
                command = self.commands.recv() => match command {
                    Some(Command::Restart) => {
                        process.stop(self.timing.grace).await;
                        break End::Restart;
                    }
                    Some(Command::Stop { grace }) => {
                        process.stop(grace).await;
                        break End::Stop;
                    }
                    None => {
                        process.stop(self.timing.grace).await;
                        break End::Stop;
                    }
                },
                _ = health.tick(), if !ready => {
                    if probe::health(self.recipe.address()).await == GatewayHealth::Ready {
                        ready = true;
                        self.state.send_replace(State::Running { pid });
                    }
                }
                _ = log_check.tick() => {
                    if let Err(error) = log::rotate(&self.recipe.log) {
                        tracing::warn!(%error, "the gateway's log could not be rotated");
                    }
                }
            }
        };
        self.leader.clear();
        process::kill_group(pid);
        end
    }

    fn wait_after(&self, short_lives: u32) -> Duration {
        let doubled =
            self.timing.first_wait.saturating_mul(2_u32.saturating_pow(short_lives.saturating_sub(1)));
        doubled.min(self.timing.longest_wait)
    }

    async fn commanded(&mut self) -> bool {
        Self::command(&mut self.commands).await
    }

    /// Whether to go on.
    async fn command(commands: &mut mpsc::UnboundedReceiver<Command>) -> bool {
        match commands.recv().await {
            Some(Command::Restart) => true,
            Some(Command::Stop { .. }) | None => false,
        }
    }
}
