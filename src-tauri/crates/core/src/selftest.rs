//! Proves on a real machine what Gatehouse rests on, without touching the user's gateway or state.
//!
//! Guarantees: everything is made in a folder of its own and taken away again, also after an interruption (the next run
//! finds what a killed one left, by its name); nothing needs root; a check that cannot tell says why and what would let it;
//! the report holds no secret, and no name or address of this machine unless it is asked for.

mod addresses;
mod awake;
mod clock;
mod descriptors;
mod edge;
mod files;
mod notifications;
mod port_ownership;
mod redact;
mod report;
mod room;
mod secrets;
mod service;
mod standard_port;
mod trust;
mod upstream;

use std::time::Instant;

use gatehouse_api::{ErrorEnvelope, Text, say};
use gatehouse_host::machine::About;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::watch;

use redact::Redactor;
use room::Room;

pub use notifications::Notifications;

/// What is wished for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Names and addresses of this machine stay in the report.
    pub full: bool,
    /// What the system says of our notifications, where only the app can ask it (macOS).
    pub notifications: Option<Notifications>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It works.
    Passed,
    /// It does not.
    Failed,
    /// It cannot be said here.
    Unknown,
}

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// Atomic replacement, fsync, private modes, the control socket, the lock.
    Files,
    /// The limit of open files can be raised, and so many can be opened.
    Descriptors,
    /// The clock is plausible and does not jump.
    Clock,
    /// Addresses and names are found.
    Addresses,
    /// The proof that a port is ours tells ours from another's.
    PortOwnership,
    /// Port 443 on the wildcard address.
    Port443,
    /// Port 80 on the wildcard address.
    Port80,
    /// A certificate of our own authority, served by the edge, reached by every address.
    Edge,
    /// The system's trust store can be read, and refuses a stranger.
    TrustStore,
    /// Keychain or Secret Service.
    Secrets,
    /// launchd or systemd.
    Service,
    /// The machine can be kept awake.
    Awake,
    /// Notifications.
    Notifications,
}

/// Every check, in the order in which they are made.
const ALL: [CheckId; 13] = [
    CheckId::Files,
    CheckId::Descriptors,
    CheckId::Clock,
    CheckId::Addresses,
    CheckId::PortOwnership,
    CheckId::Port443,
    CheckId::Port80,
    CheckId::Edge,
    CheckId::TrustStore,
    CheckId::Secrets,
    CheckId::Service,
    CheckId::Awake,
    CheckId::Notifications,
];

/// One check as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// What it proves.
    pub title: Text,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What was seen.
    pub saw: Vec<Text>,
    /// Why it failed or cannot be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Text>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Text>,
}

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version of this program.
    pub version: &'static str,
    /// What it runs on.
    pub system: About,
    /// When it began, UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whether names and addresses are left out.
    pub redacted: bool,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// Of how many it cannot be said.
    pub unknown: usize,
    /// Whether an earlier run had been killed, and what it left was taken away.
    pub cleaned: bool,
    /// The checks.
    pub checks: Vec<Check>,
}

/// What a check found.
struct Finding {
    outcome: Outcome,
    saw: Vec<Text>,
    because: Option<Text>,
    fix: Option<Text>,
}

impl Finding {
    fn passed(saw: impl IntoIterator<Item = Text>) -> Self {
        Self { outcome: Outcome::Passed, saw: saw.into_iter().collect(), because: None, fix: None }
    }

    fn failed(because: impl Into<Text>, fix: Text) -> Self {
        Self { outcome: Outcome::Failed, saw: Vec::new(), because: Some(because.into()), fix: Some(fix) }
    }

    fn unknown(because: impl Into<Text>, fix: Text) -> Self {
        Self { outcome: Outcome::Unknown, ..Self::failed(because, fix) }
    }

    fn having_seen(mut self, saw: impl IntoIterator<Item = Text>) -> Self {
        self.saw.extend(saw);
        self
    }
}

/// Makes every check, one after the other, and tells of each as it ends. Once `stopping` is true, the check under way ends
/// and takes its things away, and no other begins.
///
/// # Errors
/// The folder for the trial cannot be made, or another run has it.
pub async fn run(
    options: &Options,
    stopping: watch::Receiver<bool>,
    mut tell: impl FnMut(&Check),
) -> Result<Report, ErrorEnvelope> {
    let at = OffsetDateTime::now_utc();
    let room = Room::enter().await?;
    let redactor = if options.full { Redactor::nothing() } else { Redactor::of_this_machine().await };
    let mut checks = Vec::new();
    for id in ALL {
        let begun = Instant::now();
        let finding = match *stopping.borrow() {
            true => Finding::unknown(say!("core.selftest.interrupted"), say!("core.selftest.again")),
            false => check(id, &room, options).await,
        };
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let check = redactor.check(Check {
            id,
            title: title(id),
            outcome: finding.outcome,
            ms,
            saw: finding.saw,
            because: finding.because,
            fix: finding.fix,
        });
        tell(&check);
        checks.push(check);
    }
    let count = |outcome| checks.iter().filter(|check: &&Check| check.outcome == outcome).count();
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        system: room.about.clone(),
        at,
        redacted: !options.full,
        passed: count(Outcome::Passed),
        failed: count(Outcome::Failed),
        unknown: count(Outcome::Unknown),
        cleaned: room.cleaned,
        checks,
    })
}

async fn check(id: CheckId, room: &Room, options: &Options) -> Finding {
    match id {
        CheckId::Files => files::check(room).await,
        CheckId::Descriptors => blocking(descriptors::check).await,
        CheckId::Clock => blocking(clock::check).await,
        CheckId::Addresses => blocking(addresses::check).await,
        CheckId::PortOwnership => blocking(port_ownership::check).await,
        CheckId::Port443 => blocking(|| standard_port::check(443)).await,
        CheckId::Port80 => blocking(|| standard_port::check(80)).await,
        CheckId::Edge => edge::check(room).await,
        CheckId::TrustStore => trust::check(room).await,
        CheckId::Secrets => blocking(secrets::check).await,
        CheckId::Service => service::check(room).await,
        CheckId::Awake => blocking(awake::check).await,
        CheckId::Notifications => notifications::check(options.notifications.clone()).await,
    }
}

fn title(id: CheckId) -> Text {
    match id {
        CheckId::Files => say!("core.selftest.files.title"),
        CheckId::Descriptors => say!("core.selftest.descriptors.title"),
        CheckId::Clock => say!("core.selftest.clock.title"),
        CheckId::Addresses => say!("core.selftest.addresses.title"),
        CheckId::PortOwnership => say!("core.selftest.ownership.title"),
        CheckId::Port443 => say!("core.selftest.port.title", port = 443_u16),
        CheckId::Port80 => say!("core.selftest.port.title", port = 80_u16),
        CheckId::Edge => say!("core.selftest.edge.title"),
        CheckId::TrustStore => say!("core.selftest.trust.title"),
        CheckId::Secrets => say!("core.selftest.secrets.title"),
        CheckId::Service => say!("core.selftest.service.title"),
        CheckId::Awake => say!("core.selftest.awake.title"),
        CheckId::Notifications => say!("core.selftest.notifications.title"),
    }
}

/// Off the async threads.
async fn blocking(check: impl FnOnce() -> Finding + Send + 'static) -> Finding {
    tokio::task::spawn_blocking(check).await.unwrap_or_else(|error| defect(&error))
}

/// A check that panicked proves nothing and is to be told to us.
fn defect(error: &dyn std::fmt::Display) -> Finding {
    Finding::failed(say!("core.selftest.defect", error = error.to_string()), say!("core.report"))
}

#[cfg(test)]
mod tests;
