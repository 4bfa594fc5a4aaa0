//! What a probe tries, and how it can come out wrong.

use std::fmt;

use gatehouse_api::{Code, ErrorEnvelope, Text, say};

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// TCP, TLS with our certificate, `/healthz` of the gateway, WebSocket up to its challenge.
    Reach,
    /// The edge says that the gateway does not run.
    Stopped,
    /// A name that is not served is refused.
    UnknownHost,
    /// Forged forwarding headers make nobody local.
    ForgedHeaders,
    /// A browser with an origin that is not allowed is refused.
    WrongOrigin,
    /// A browser with the origin of the address is not refused for it.
    RightOrigin,
}

impl Check {
    /// Whether it is about something that must be refused.
    #[must_use]
    pub fn is_negative(self) -> bool {
        match self {
            Self::UnknownHost | Self::ForgedHeaders | Self::WrongOrigin => true,
            Self::Reach | Self::Stopped | Self::RightOrigin => false,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.text())
    }
}

impl Check {
    /// What is tried, in words.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::Reach => say!("core.probe.try-gateway"),
            Self::Stopped => say!("core.probe.try-stopped"),
            Self::UnknownHost => say!("core.probe.try-name"),
            Self::ForgedHeaders => say!("core.probe.try-headers"),
            Self::WrongOrigin => say!("core.probe.try-foreign"),
            Self::RightOrigin => say!("core.probe.try-own"),
        }
    }
}

/// Why an address did not prove itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// There is no certificate to expect.
    #[error("there is no certificate yet")]
    NoCertificate,
    /// No certificate is served for this address yet.
    #[error("{url}: there is no certificate for it yet")]
    NoCertificateFor {
        /// The address.
        url: String,
    },
    /// No TCP connection.
    #[error("{url}: no connection to {to}: {why}")]
    Connect {
        /// The address.
        url: String,
        /// Where to.
        to: String,
        /// What the system said.
        why: String,
    },
    /// The TLS handshake failed.
    #[error("{url}: the TLS handshake failed: {why}")]
    Tls {
        /// The address.
        url: String,
        /// What TLS said.
        why: String,
    },
    /// The certificate is valid and not the one that is served now, or not ours at all.
    #[error("{url}: another certificate than ours was presented (SHA-256 {sha256})")]
    OtherCertificate {
        /// The address.
        url: String,
        /// Of what was presented; empty where it was no certificate of our authority.
        sha256: String,
    },
    /// No answer in time.
    #[error("{url}: no answer within {seconds} s while trying to {check}")]
    Silent {
        /// The address.
        url: String,
        /// What was tried.
        check: Check,
        /// The limit.
        seconds: u64,
    },
    /// The connection broke.
    #[error("{url}: the connection broke while trying to {check}: {why}")]
    Broken {
        /// The address.
        url: String,
        /// What was tried.
        check: Check,
        /// What the library said.
        why: String,
    },
    /// The gateway, or the edge for it, says that it is not ready.
    #[error("{url}: the gateway is not ready: {what}")]
    NotReady {
        /// The address.
        url: String,
        /// What was answered.
        what: String,
    },
    /// The answer is not what it must be.
    #[error("{url}: tried to {check}, expected {expected}, got {got}")]
    Unexpected {
        /// The address.
        url: String,
        /// What was tried.
        check: Check,
        /// What must come.
        expected: &'static str,
        /// What came.
        got: String,
    },
}

impl ProbeError {
    /// Whether trying again soon may help: the gateway is starting.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NotReady { .. } | Self::Silent { .. } | Self::Broken { .. } => true,
            Self::NoCertificate
            | Self::NoCertificateFor { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::OtherCertificate { .. }
            | Self::Unexpected { .. } => false,
        }
    }

    /// What it means to a person.
    #[must_use]
    pub fn explain(&self) -> ErrorEnvelope {
        let error = |title: Text| ErrorEnvelope::new(Code::VerifyFailed, title, self.to_string());
        match self {
            Self::NoCertificate => {
                ErrorEnvelope::new(Code::Certificate, say!("core.probe.no-certificate"), self.to_string())
            }
            Self::NoCertificateFor { .. } => {
                ErrorEnvelope::new(Code::Certificate, say!("core.probe.no-certificate"), self.to_string())
                    .fix_with(say!("core.acme.look"), "gatehouse cert acme status")
            }
            Self::Connect { .. } | Self::Silent { .. } | Self::Broken { .. } => {
                error(say!("core.probe.no-answer")).fix(say!("core.probe.firewall"))
            }
            Self::Tls { .. } => error(say!("core.probe.tls")),
            Self::OtherCertificate { .. } => {
                error(say!("core.probe.other-certificate")).fix(say!("core.probe.other-certificate-fix"))
            }
            Self::NotReady { .. } => error(say!("core.probe.not-ready"))
                .fix_with(say!("core.look.gateway"), "openclaw gateway status"),
            Self::Unexpected { check: Check::ForgedHeaders | Check::UnknownHost, .. } => {
                error(say!("core.probe.not-refused")).fix(say!("core.probe.not-refused-fix"))
            }
            Self::Unexpected { .. } => error(say!("core.probe.wrong")),
        }
    }
}
