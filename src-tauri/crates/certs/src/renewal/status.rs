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

    /// Whether the certificate that is served has this fingerprint.
    pub fn is(&self, sha256: &str) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.sha256 == sha256)
    }

    /// When the certificate that is served was got; authorities date their certificates back.
    pub fn issued(&self) -> Option<OffsetDateTime> {
        let got = self.record.log.iter().rev().find(|line| line.failure.is_none()).map(|line| line.at);
        got.or_else(|| self.facts.as_ref().map(|facts| facts.not_before))
    }

    /// The last failure since the last success.
    pub fn last_setback(&self) -> Option<(&str, &Setback)> {
        let setbacks = self.record.setbacks.iter();
        setbacks.max_by_key(|(_, one)| one.at).map(|(directory, one)| (directory.as_str(), one))
    }
}
