//! When an authority wants a certificate renewed (ARI, RFC 9773).
//!
//! Guarantees: one moment is drawn per window and kept, so that a restart does not draw again; a window in the past means
//! now; nonsense (end before start, a window beyond the certificate's end, a body that is no answer) moves nothing; the
//! next question comes after one minute at the earliest and one day at the latest.

use bytes::Bytes;
use http::Request;
use http::header::RETRY_AFTER;
use instant_acme::CertificateIdentifier;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::problem::{Cause, Failure};
use super::transport::moment;
use crate::https::Https;

const SOONEST: Duration = Duration::minutes(1);
const LATEST: Duration = Duration::days(1);
/// What Let's Encrypt asks for; used where an authority says nothing.
pub(crate) const USUAL: Duration = Duration::hours(6);

/// The window that an authority suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its first moment.
    #[serde(with = "time::serde::rfc3339")]
    pub start: OffsetDateTime,
    /// Its last moment.
    #[serde(with = "time::serde::rfc3339")]
    pub end: OffsetDateTime,
}

/// What an authority said about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) window: Window,
    /// Why, where the authority has a page about it.
    pub(crate) explanation: Option<String>,
    /// When to ask again.
    pub(crate) ask_again: OffsetDateTime,
}

/// The identifier of a certificate in ARI (RFC 9773 §4.1); `None` where the certificate has no authority key identifier.
pub(crate) fn certificate_id(leaf: &CertificateDer<'_>) -> Option<String> {
    CertificateIdentifier::try_from(leaf).ok().map(|id| id.to_string())
}

/// Takes an identifier apart again, to name it in an order.
pub(crate) fn parse_id(id: &str) -> Option<CertificateIdentifier<'_>> {
    let (authority, serial) = id.split_once('.')?;
    Some(CertificateIdentifier { authority_key_identifier: authority.into(), serial: serial.into() })
}

/// Asks the authority.
///
/// # Errors
/// It cannot be reached, does not know the certificate, or its answer is none.
pub(crate) async fn ask(
    https: &Https,
    renewal_info: &str,
    certificate: &str,
    now: OffsetDateTime,
) -> Result<Suggestion, Failure> {
    let url = format!("{}/{certificate}", renewal_info.trim_end_matches('/'));
    let request =
        Request::get(&url).body(Bytes::new()).map_err(|error| Failure::new(Cause::Server, error))?;
    let answer = https.send(request).await.map_err(|error| Failure::new(Cause::Unreachable, error))?;
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let ask_again = next_question(wait.and_then(|text| moment(text, now)), now);
    if !answer.status().is_success() {
        let detail = format!("the authority answers HTTP {} about renewal", answer.status());
        return Err(Failure { retry_after: Some(ask_again), ..Failure::new(Cause::Server, detail) });
    }
    let said: Said = serde_json::from_slice(answer.body()).map_err(|error| {
        let detail = format!("what the authority says about renewal cannot be read: {error}");
        Failure { retry_after: Some(ask_again), ..Failure::new(Cause::Server, detail) }
    })?;
    Ok(Suggestion { window: said.suggested_window, explanation: said.explanation_url, ask_again })
}

/// When to ask again, whatever the authority wishes.
pub(crate) fn next_question(wished: Option<OffsetDateTime>, now: OffsetDateTime) -> OffsetDateTime {
    wished.unwrap_or(now + USUAL).clamp(now + SOONEST, now + LATEST)
}

/// The moment to renew: `kept` while it lies in the window, else one drawn from it; `draw` is in `0.0..1.0`. `None` for a
/// window that no authority can mean: it ends before it begins, or begins after the certificate is over.
pub fn pick(
    window: Window,
    kept: Option<OffsetDateTime>,
    not_after: OffsetDateTime,
    draw: f64,
) -> Option<OffsetDateTime> {
    if window.end < window.start || window.start >= not_after {
        return None;
    }
    if let Some(kept) = kept.filter(|kept| *kept >= window.start && *kept <= window.end) {
        return Some(kept);
    }
    let share = draw.clamp(0.0, 1.0);
    Some(window.start + (window.end - window.start) * share)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    suggested_window: Window,
    #[serde(default, rename = "explanationURL")]
    explanation_url: Option<String>,
}

#[cfg(test)]
mod tests;
