//! What the core tells its viewers without being asked.

use serde::{Deserialize, Serialize};

use crate::{DeviceList, Snapshot, StepId, StepState, Text, TrafficRecord};

/// A step of a running change moved on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Progress {
    /// The change.
    pub change: String,
    /// The step.
    pub step: StepId,
    /// Its number, from 1.
    pub number: u8,
    /// How many steps there are.
    pub of: u8,
    /// How far it got.
    pub state: StepState,
    /// What it did or why it failed, as a sentence.
    pub text: Text,
}

/// An event. A viewer that is too slow misses events and gets [`Event::Lagged`] instead; it then asks anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// The state changed. Sent once at the start of every stream.
    Snapshot(Box<Snapshot>),
    /// A change moved on.
    Progress(Progress),
    /// The devices changed.
    Devices(Box<DeviceList>),
    /// A request ended.
    Traffic(Box<TrafficRecord>),
    /// Events were missed.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// The core is going away.
    Stopping,
}
