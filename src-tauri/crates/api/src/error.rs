//! One error envelope for the control socket, the command line and the window.

use serde::{Deserialize, Serialize};

use crate::Text;

/// The closed list of things that can go wrong, as a consumer tells them apart.
///
/// A variant is added only when some view acts differently on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The words of the request are wrong: a flag, a name, an address.
    Usage,
    /// Something failed that fits no other code; the chain is in the log.
    Failed,
    /// No OpenClaw gateway is installed or configured here.
    GatewayNotFound,
    /// The gateway is installed but does not answer.
    GatewayUnreachable,
    /// The gateway answered and refused our credentials.
    GatewayAuth,
    /// The gateway refused a request for a reason of its own.
    GatewayRefused,
    /// The gateway's configuration has a shape that we must not edit (`$include`, unreadable, invalid).
    ConfigUnsupported,
    /// The gateway's configuration changed while we worked on it.
    ConfigConflict,
    /// A port is taken by another program, which the message names.
    PortTaken,
    /// The operating system refused access to a file, port or secret.
    Permission,
    /// The disk is full or a file could not be written.
    Storage,
    /// No address of this machine fits the request.
    NoAddress,
    /// A certificate could not be made, read or used.
    Certificate,
    /// The address was opened but did not prove itself from outside; everything was rolled back.
    VerifyFailed,
    /// A step failed and everything was rolled back.
    RolledBack,
    /// Somebody asked to stop it before it was done; what had been changed was put back.
    Cancelled,
    /// Somebody changed a value that we own since we wrote it.
    Drift,
    /// The change needs a yes first.
    NeedsConfirmation,
    /// Another change is under way.
    Busy,
    /// Nothing with that name: origin, device, change.
    NotFound,
    /// A waiting device asks for more than what was shown.
    Widened,
    /// No core is running: neither the app nor `gatehouse serve`.
    NotRunning,
    /// Another core already owns this state folder.
    AlreadyRunning,
    /// The core and this program are of different versions and do not understand each other.
    Version,
}

impl Code {
    /// The exit status of the command line for this error (`design.md` §7).
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NeedsConfirmation | Self::Widened => 4,
            Self::GatewayNotFound | Self::GatewayUnreachable | Self::GatewayAuth | Self::NotRunning => 5,
            Self::ConfigConflict
            | Self::ConfigUnsupported
            | Self::Drift
            | Self::Busy
            | Self::PortTaken
            | Self::AlreadyRunning => 6,
            Self::Permission => 7,
            Self::RolledBack | Self::VerifyFailed | Self::Cancelled => 8,
            Self::Failed
            | Self::GatewayRefused
            | Self::Storage
            | Self::NoAddress
            | Self::Certificate
            | Self::NotFound
            | Self::Version => 1,
        }
    }
}

/// What went wrong, for a person and for a program. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{title}: {because}")]
pub struct ErrorEnvelope {
    /// The closed code.
    pub code: Code,
    /// One sentence: what happened.
    pub title: Text,
    /// One or two sentences: why.
    pub because: Text,
    /// What was measured, a line each.
    #[serde(default)]
    pub evidence: Vec<Text>,
    /// What to do next. In a box: an error travels through many a `Result` whose good side is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub fix: Option<Box<Fix>>,
}

/// The next step that cures an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Fix {
    /// What a person does, as a sentence.
    pub text: Text,
    /// The same as a command line, where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub command: Option<String>,
}

impl ErrorEnvelope {
    /// An error with its code, its title and its reason.
    pub fn new(code: Code, title: impl Into<Text>, because: impl Into<Text>) -> Self {
        Self { code, title: title.into(), because: because.into(), evidence: Vec::new(), fix: None }
    }

    /// Adds a line of evidence.
    #[must_use]
    pub fn evidence(mut self, line: impl Into<Text>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn fix(mut self, text: impl Into<Text>) -> Self {
        self.fix = Some(Box::new(Fix { text: text.into(), command: None }));
        self
    }

    /// Says what to do next, with the command that does it.
    #[must_use]
    pub fn fix_with(mut self, text: impl Into<Text>, command: impl Into<String>) -> Self {
        self.fix = Some(Box::new(Fix { text: text.into(), command: Some(command.into()) }));
        self
    }
}
