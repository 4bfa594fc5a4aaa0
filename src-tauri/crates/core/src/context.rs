//! What the steps of a transaction work on.
//!
//! Everything that a test wants to replace is a field here: the clock, the machine, the gateway. Steps reach the world
//! through this and nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::settings::SettingsStore;

/// Where and on what transactions work. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Folder of the journal.
    pub journal: PathBuf,
    /// What outlives a restart.
    pub settings: Arc<SettingsStore>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Called at every boundary of the journal.
    pub checkpoint: Arc<dyn Checkpoint>,
}

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The time now, UTC.
    fn now(&self) -> OffsetDateTime;
}

/// A place in a transaction where a crash leaves a state of its own. Tests stop the process there.
pub trait Checkpoint: Send + Sync {
    /// `step` is a [`gatehouse_api::StepId`] in kebab-case, `point` is `before-journal`, `after-journal` or
    /// `after-apply`.
    fn reached(&self, step: &str, point: &str);
}

/// The real clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// Passes every checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pass;

impl Checkpoint for Pass {
    fn reached(&self, _step: &str, _point: &str) {}
}
