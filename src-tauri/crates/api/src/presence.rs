//! Gatehouse's own place among the system's jobs.

use serde::{Deserialize, Serialize};

use crate::{Problem, Text};

/// For whom Gatehouse's job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PresenceScope {
    /// For one user, from that user's login on (or from the start of the machine, where systemd lingers).
    User,
    /// For the machine, from its start on, as that user.
    System,
}

/// One word for the state of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum PresenceState {
    /// There is none.
    NotInstalled,
    /// It runs.
    Running,
    /// It ended and is started again, or is on its way up.
    Restarting,
    /// It is there and does not run.
    Stopped,
    /// A person or a program switched it off.
    SwitchedOff,
    /// There is no service manager that could say.
    Unknown,
}

/// The job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Presence {
    /// For whom.
    pub scope: PresenceScope,
    /// As whom it runs: a login name.
    pub user: String,
    /// `launchd` or `systemd`.
    pub manager: String,
    /// A launchd label or a systemd unit.
    pub name: String,
    /// The file that describes it, whether or not it is there.
    pub file: String,
    /// One word.
    pub state: PresenceState,
    /// One sentence under the word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub detail: Option<Text>,
    /// The program that it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub program: Option<String>,
    /// The version that was installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub version: Option<String>,
    /// Its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub pid: Option<u32>,
    /// What needs attention, worst first.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// What an installation or a removal does, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresenceChange {
    /// Whether it was done, not only shown.
    pub done: bool,
    /// Its steps, a sentence each; empty = nothing is to do.
    pub steps: Vec<Text>,
    /// What stays.
    pub keeps: Vec<Text>,
    /// The job before (shown) or after (done).
    pub presence: Presence,
}
