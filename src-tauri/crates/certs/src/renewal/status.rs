//! What people are shown of one public certificate.

use std::sync::Arc;

use time::OffsetDateTime;

use super::plan::Next;
use super::record::{Record, Setback};
use super::schedule::Nearness;
use crate::LeafFacts;
use crate::acme::{Identifier, Stage};

/// One public certificate, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// What it is called: the same for the same names.
    pub name: String,
    /// What it is for.
    pub identifiers: Vec<Identifier>,
    /// The certificate that is served.
    pub facts: Option<Arc<LeafFacts>>,
    /// How near its end is.
    pub nearness: Option<Nearness>,
    /// How far the order is that is on its way.
    pub stage: Option<Stage>,
    /// What comes next.
    pub next: Next,
    /// Everything that is remembered.
    pub record: Record,
}

impl Status {
    /// When something is tried next; `None` where nothing will be until somebody changes something.
    pub fn next_attempt(&self) -> Option<OffsetDateTime> {
        match &self.next {
            Next::Wait { until } => Some(*until),
            Next::Attempt { .. } | Next::ClockWrong | Next::NoAuthority | Next::NoWay => None,
        }
    }

    /// The last failure since the last success.
    pub fn last_setback(&self) -> Option<(&str, &Setback)> {
        let setbacks = self.record.setbacks.iter();
        setbacks.max_by_key(|(_, one)| one.at).map(|(directory, one)| (directory.as_str(), one))
    }
}
