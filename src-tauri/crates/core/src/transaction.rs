//! Every change is a transaction: plan, journal, apply, verify, commit, or roll back everything.

use gatehouse_api::{Change, Code, ErrorEnvelope, HistoryEntry, LastChange, OpenRequest, Plan, Progress};
use time::OffsetDateTime;
use tokio::sync::broadcast;

use crate::context::Context;

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "intent", rename_all = "kebab-case")]
pub enum Intent {
    /// Open an address, or open it differently.
    Open(OpenRequest),
    /// Close the address and take back what was added to the gateway's configuration.
    Close {
        /// Also forget certificates and the certificate authority. This cannot be undone.
        purge: bool,
    },
    /// Allow a browser origin.
    AddOrigin {
        /// As a user types it.
        origin: String,
    },
    /// Stop allowing a browser origin.
    RemoveOrigin {
        /// As it stands in the list.
        origin: String,
    },
}

/// The one place where changes are made. Cheap to clone; one change runs at a time, and it runs to its end also when
/// the caller goes away.
#[derive(Clone)]
pub struct Transactions {
    context: Context,
    progress: broadcast::Sender<Progress>,
}

impl Transactions {
    /// Reads the journal. Repairs nothing: call [`Self::recover`] once the parts are up.
    ///
    /// # Errors
    /// `storage` where the journal folder cannot be read.
    pub fn new(context: Context) -> Result<Self, ErrorEnvelope> {
        Ok(Self { context, progress: broadcast::channel(64).0 })
    }

    /// What the intent would do. Changes nothing.
    ///
    /// # Errors
    /// What would stop the first step that cannot go on.
    pub async fn plan(&self, intent: &Intent) -> Result<Plan, ErrorEnvelope> {
        let _ = intent;
        Err(unfinished())
    }

    /// Makes the change. Ends when it is committed and, for [`Intent::Open`], proven from outside.
    ///
    /// # Errors
    /// `busy`; `needs-confirmation` while another change waits for its confirmation; otherwise the cause, after
    /// everything was rolled back.
    pub async fn run(&self, intent: Intent) -> Result<Change, ErrorEnvelope> {
        let _ = intent;
        Err(unfinished())
    }

    /// Stops the running change; it rolls back. `false` = none was running.
    pub fn cancel(&self) -> bool {
        false
    }

    /// Rolls back whatever a crash left open, reverts what was not confirmed in time, and retries what could not be
    /// rolled back. Call it once at start, after discovery and before anything listens; then call [`Self::resume`].
    pub async fn recover(&self) -> Vec<Change> {
        Vec::new()
    }

    /// Makes edge and certificate agree with the settings: at start after [`Self::recover`], and when addresses
    /// changed. Not a change of its own: what it does follows from what was committed.
    ///
    /// # Errors
    /// `port-taken`, `permission`, `no-address`, `certificate`.
    pub async fn resume(&self) -> Result<(), ErrorEnvelope> {
        Ok(())
    }

    /// What [`Self::undo`] would do.
    ///
    /// # Errors
    /// `not-found`, and `drift` where a newer change stands on it.
    pub async fn plan_undo(&self, id: Option<&str>) -> Result<Plan, ErrorEnvelope> {
        let _ = id;
        Err(unfinished())
    }

    /// Undoes a committed change; `None` = the newest. A value that somebody else changed meanwhile is named in the
    /// warnings and left alone, unless `force_drift`.
    ///
    /// # Errors
    /// `busy`, `not-found`, `drift` where a newer change stands on it, or what stopped it.
    pub async fn undo(&self, id: Option<&str>, force_drift: bool) -> Result<Change, ErrorEnvelope> {
        let _ = (id, force_drift);
        Err(unfinished())
    }

    /// Keeps the change that waits for confirmation.
    ///
    /// # Errors
    /// `not-found` where none waits.
    pub async fn confirm(&self) -> Result<Change, ErrorEnvelope> {
        Err(unfinished())
    }

    /// Waits for the deadline of the change that waits for confirmation and reverts it then; waits for ever while none
    /// does. Each call ends with one reverted change: call it in a loop.
    pub async fn expired(&self) -> Result<Change, ErrorEnvelope> {
        std::future::pending().await
    }

    /// The change that waits for confirmation, and until when.
    #[must_use]
    pub fn awaiting(&self) -> Option<(String, OffsetDateTime)> {
        None
    }

    /// What was done, newest first.
    #[must_use]
    pub fn history(&self, limit: usize) -> Vec<HistoryEntry> {
        let _ = limit;
        Vec::new()
    }

    /// The newest change that can be undone.
    #[must_use]
    pub fn last_change(&self) -> Option<LastChange> {
        None
    }

    /// Origins in the gateway's list that Gatehouse put there.
    #[must_use]
    pub fn owned_origins(&self) -> Vec<String> {
        Vec::new()
    }

    /// Steps as they move on.
    #[must_use]
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.progress.subscribe()
    }
}

fn unfinished() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Failed, "Nothing was changed", "This change is not built into this program.")
}
