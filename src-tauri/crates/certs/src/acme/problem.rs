//! Why an authority gave no certificate, and what a person can do about it.
//!
//! Guarantees: every problem type of RFC 8555 §6.7, RFC 9773 and of profiles has a [`Cause`]; what is not known has one,
//! too; each cause says whether the attempt counted against the authority's limits. What a person can do about it is said
//! by whoever speaks to people.

use instant_acme::{Error, Problem};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::https::HttpsError;

const PREFIX: &str = "urn:ietf:params:acme:error:";
/// Type of the problem that [`super::transport`] makes of an error without one.
pub(crate) const HTTP_PROBLEM: &str = "urn:gatehouse:http";
/// Longest text of an authority that is kept and shown.
const LONGEST_DETAIL: usize = 600;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The authority cannot be reached: no network, no DNS, or it is down.
    Unreachable,
    /// It does not answer in time, or the order takes longer than we wait; the order is taken up again.
    Slow,
    /// It failed by itself (5xx, or an answer that is no ACME).
    Server,
    /// Too many orders, certificates, failures or requests.
    RateLimited,
    /// It could not connect to this machine.
    Connection,
    /// It connected, and somebody else or something else answered.
    WrongAnswer,
    /// TLS to this machine failed.
    Tls,
    /// The name cannot be looked up.
    Dns,
    /// The domain's CAA records name other authorities.
    Caa,
    /// It never vouches for this name.
    Rejected,
    /// The request for the certificate was refused: a defect of ours.
    BadRequest,
    /// It does not know the profile (any more).
    Profile,
    /// The certificate was already renewed by another order.
    AlreadyReplaced,
    /// Its owner must do something on a page of the authority.
    UserAction,
    /// It gives accounts only to those who have one on its web site.
    ExternalAccount,
    /// The user has not agreed to its terms.
    Terms,
    /// It does not know our account (any more).
    AccountLost,
    /// It does not know our order (any more).
    OrderLost,
    /// It refuses the contact address.
    Contact,
    /// Its answers were mixed up again and again (bad nonces).
    BadNonce,
    /// None of the ways to prove the name can be used here.
    NoChallenge,
    /// The DNS provider or the user's program failed.
    DnsProvider,
    /// This machine failed: disk, clock, or keychain.
    Local,
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// What kind.
    pub cause: Cause,
    /// What the authority, or the system, said. Shortened; never a secret.
    pub detail: String,
    /// The authority asks not to come back before.
    pub retry_after: Option<OffsetDateTime>,
}

impl Cause {
    /// Whether the authority counted it as a failed authorization of the name.
    pub fn counts(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::WrongAnswer | Self::Tls | Self::Dns | Self::Caa | Self::Rejected
        )
    }

    /// Whether trying again with the same authority soon is free: nothing was counted and nothing must change.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Slow
                | Self::BadNonce
                | Self::Profile
                | Self::AlreadyReplaced
                | Self::AccountLost
                | Self::OrderLost
        )
    }

    fn of_type(kind: &str) -> Option<Self> {
        Some(match kind.strip_prefix(PREFIX)? {
            "accountDoesNotExist" => Self::AccountLost,
            "alreadyReplaced" => Self::AlreadyReplaced,
            "badCSR"
            | "badPublicKey"
            | "badSignatureAlgorithm"
            | "malformed"
            | "badRevocationReason"
            | "alreadyRevoked" => Self::BadRequest,
            "badNonce" => Self::BadNonce,
            "caa" => Self::Caa,
            "connection" => Self::Connection,
            "dns" => Self::Dns,
            "externalAccountRequired" => Self::ExternalAccount,
            "incorrectResponse" | "unauthorized" => Self::WrongAnswer,
            "invalidContact" | "unsupportedContact" => Self::Contact,
            "invalidProfile" => Self::Profile,
            "orderNotReady" | "serverInternal" => Self::Server,
            "rateLimited" => Self::RateLimited,
            "rejectedIdentifier" | "unsupportedIdentifier" => Self::Rejected,
            "tls" => Self::Tls,
            "userActionRequired" => Self::UserAction,
            _ => return None,
        })
    }
}

impl Failure {
    /// A failure that was found out here, without the authority.
    pub fn new(cause: Cause, detail: impl std::fmt::Display) -> Self {
        Self { cause, detail: shortened(&detail.to_string()), retry_after: None }
    }

    /// Reads what the ACME library says; `retry_after` is what the last answer's header said.
    pub(crate) fn of(error: &Error, retry_after: Option<OffsetDateTime>) -> Self {
        match error {
            Error::Api(problem) => Self { retry_after, ..Self::of_problem(problem) },
            Error::Other(inner) => match inner.downcast_ref::<HttpsError>() {
                Some(HttpsError::TooSlow { .. }) => Self::new(Cause::Slow, inner),
                Some(HttpsError::Unreadable { .. }) => Self::new(Cause::Server, inner),
                Some(_) => Self::new(Cause::Unreachable, inner),
                None => Self::new(Cause::Server, inner),
            },
            Error::Timeout(_) => {
                Self::new(Cause::Slow, "the order takes longer than Gatehouse waits at a time")
            }
            Error::Json(_) | Error::Str(_) | Error::Unsupported(_) => {
                Self { retry_after, ..Self::new(Cause::Server, error) }
            }
            Error::Http(_) | Error::InvalidUri(_) => Self::new(Cause::Server, error),
            Error::Crypto | Error::KeyRejected => Self::new(Cause::Local, error),
            _ => Self::new(Cause::Server, error),
        }
    }

    /// Reads what an authority found when it looked for the answer to a challenge: always about this machine or its name.
    pub(crate) fn of_challenge(problem: &Problem) -> Self {
        let failure = Self::of_problem(problem);
        let cause = match failure.cause {
            Cause::BadRequest | Cause::AccountLost if failure.detail.contains("resolve") => Cause::Dns,
            Cause::BadRequest | Cause::AccountLost => Cause::WrongAnswer,
            cause => cause,
        };
        Self { cause, ..failure }
    }

    /// Reads one problem document (RFC 7807).
    pub(crate) fn of_problem(problem: &Problem) -> Self {
        let kind = problem.r#type.as_deref().unwrap_or_default();
        let status = problem.status.unwrap_or_default();
        let detail = match problem.subproblems.as_slice() {
            [] => problem.detail.clone().unwrap_or_default(),
            parts => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                format!("{} {}", problem.detail.as_deref().unwrap_or_default(), parts.join("; "))
            }
        };
        let detail = if detail.trim().is_empty() { format!("{kind} (HTTP {status})") } else { detail };
        let cause = Cause::of_type(kind).unwrap_or(match status {
            429 => Cause::RateLimited,
            _ => Cause::Server,
        });
        // A signature that the authority cannot check means that it has another key for the account.
        let lost = cause == Cause::BadRequest
            && ["signature", "JWS verification", "unable to find account", "Account"]
                .iter()
                .any(|word| detail.contains(word))
            && kind.ends_with("malformed");
        Self::new(if lost { Cause::AccountLost } else { cause }, detail)
    }
}

/// What an authority writes may be shown on a terminal: one line, without control characters.
fn shortened(text: &str) -> String {
    let mut line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((at, _)) = line.char_indices().nth(LONGEST_DETAIL) {
        line.truncate(at);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
