//! What is remembered of one certificate between attempts and across restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::backoff::again;
use crate::acme::{Cause, Failure, Window};

/// Lines of its log that are kept.
const LOG_LINES: usize = 50;

/// One certificate's memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who issued the certificate that is served, and how it is called there.
    #[serde(default)]
    pub live: Option<Live>,
    /// What its authority suggests.
    #[serde(default)]
    pub suggested: Option<Suggested>,
    /// When to ask the authority again.
    #[serde(default, with = "time::serde::timestamp::option")]
    pub ask_again: Option<OffsetDateTime>,
    /// What went wrong last with each authority; gone after a success.
    #[serde(default)]
    pub setbacks: BTreeMap<String, Setback>,
    /// The last attempts, the newest last.
    #[serde(default)]
    pub log: Vec<LogLine>,
}

/// The issuer of the certificate that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Directory of the authority.
    pub directory: String,
    /// Its identifier in renewal information (RFC 9773 §4.1).
    pub id: Option<String>,
    /// SHA-256 of the leaf, as [`crate::fingerprint`] writes it.
    pub sha256: String,
}

/// A moment drawn from an authority's window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggested {
    /// The window.
    pub window: Window,
    /// The moment.
    #[serde(with = "time::serde::timestamp")]
    pub pick: OffsetDateTime,
    /// A page about the reason.
    #[serde(default)]
    pub explanation: Option<String>,
}

/// Failures in a row with one authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// How many.
    pub in_row: u32,
    /// When the last one was.
    #[serde(with = "time::serde::timestamp")]
    pub at: OffsetDateTime,
    /// Nothing is tried before.
    #[serde(with = "time::serde::timestamp")]
    pub not_before: OffsetDateTime,
    /// What kind.
    pub cause: Cause,
    /// What was said.
    pub detail: String,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it ended.
    #[serde(with = "time::serde::timestamp")]
    pub at: OffsetDateTime,
    /// With whom.
    pub directory: String,
    /// What went wrong; `None` = it gave a certificate.
    pub failure: Option<(Cause, String)>,
}

impl Record {
    /// Keeps a failure and decides when to try again.
    pub(crate) fn failed(&mut self, directory: &str, failure: &Failure, now: OffsetDateTime, draw: f64) {
        let in_row = self.setbacks.get(directory).map_or(0, |one| one.in_row).saturating_add(1);
        let not_before = again(failure, in_row, now, draw);
        let (cause, detail) = (failure.cause, failure.detail.clone());
        self.line(now, directory, Some((cause, detail.clone())));
        self.setbacks.insert(directory.to_owned(), Setback { in_row, at: now, not_before, cause, detail });
    }

    /// Keeps a success: what went wrong before, and what was suggested for the old certificate, is over.
    pub(crate) fn issued(&mut self, live: Live, now: OffsetDateTime) {
        self.line(now, &live.directory, None);
        *self = Self { live: Some(live), log: std::mem::take(&mut self.log), ..Self::default() };
    }

    /// Lets every authority be tried at once: its owner changed something, or asks for it.
    pub(crate) fn forgive(&mut self) {
        for setback in self.setbacks.values_mut() {
            if setback.cause != Cause::RateLimited {
                setback.not_before = setback.at;
            }
        }
    }

    /// Keeps the length of every wait where the clock was set back.
    pub(crate) fn believe(&mut self, now: OffsetDateTime) {
        for setback in self.setbacks.values_mut().filter(|setback| setback.at > now) {
            setback.not_before = now + (setback.not_before - setback.at);
            setback.at = now;
        }
        if self.ask_again.is_some_and(|at| at > now + Duration::days(1)) {
            self.ask_again = Some(now);
        }
    }

    fn line(&mut self, at: OffsetDateTime, directory: &str, failure: Option<(Cause, String)>) {
        if self.log.len() >= LOG_LINES {
            self.log.remove(0);
        }
        self.log.push(LogLine { at, directory: directory.to_owned(), failure });
    }
}
