//! Whether the address stays reachable by itself: through the night, after a logout, after a power cut.

use serde::{Deserialize, Serialize};

use crate::{Fix, Presence, Text};

/// Whether the machine is kept awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum AwakeState {
    /// Nothing is open, so nothing needs it.
    #[default]
    NotNeeded,
    /// It is kept awake.
    Held,
    /// It may sleep, because the settings say so.
    SwitchedOff,
    /// It may sleep, because it lives on its battery.
    OnBattery,
    /// The system does not take such a wish.
    Refused,
}

/// How one point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ReadinessState {
    /// As it should be.
    Ready,
    /// Something will end the service one day.
    Attention,
    /// It could not be learnt.
    Unknown,
}

/// One point that decides whether the address stays reachable by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReadinessPoint {
    /// Which: `service`, `awake`, `sleep`, `login`, `disk`, `power-cut`, `linger`, `lid`, `updates`, `firewall`.
    pub id: String,
    /// How it stands.
    pub state: ReadinessState,
    /// One sentence: what is so.
    pub title: Text,
    /// What that means.
    pub because: Text,
    /// What a person may do. Gatehouse never does it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Fix>,
}

/// Everything about that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AlwaysOn {
    /// Gatehouse's own jobs, as far as there are any.
    pub services: Vec<Presence>,
    /// Whether the machine is kept awake now.
    pub awake: AwakeState,
    /// The points, what needs attention first.
    pub points: Vec<ReadinessPoint>,
}
