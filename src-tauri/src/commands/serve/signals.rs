//! The signals that end a foreground program.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// A signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) name: &'static str,
    pub(crate) number: i32,
}

/// Interrupt, termination and a terminal that closes.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Signals {
    /// Receives them from now on, in place of ending at once.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: unix::signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal { name: "SIGINT", number: 2 },
            _ = self.terminate.recv() => Signal { name: "SIGTERM", number: 15 },
            _ = self.hangup.recv() => Signal { name: "SIGHUP", number: 1 },
        }
    }
}
