//! How the ACME library speaks to an authority.
//!
//! Guarantees: every request has a time limit and every answer a size limit ([`crate::https`]); an error answer that is no
//! problem document (a load balancer's page) becomes one, so that its status is not lost; the last `Retry-After` is kept.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::problem::HTTP_PROBLEM;
use crate::https::Https;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("gatehouse/", env!("CARGO_PKG_VERSION")));
/// No authority closes a door for longer.
const LONGEST_WAIT: Duration = Duration::days(8);

/// One attempt's way to an authority.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    https: Https,
    retry_after: Arc<Mutex<Option<OffsetDateTime>>>,
}

impl Transport {
    pub(crate) fn new(https: Https) -> Self {
        Self { https, retry_after: Arc::default() }
    }

    /// What the last answer asked for, as a moment.
    pub(crate) fn retry_after(&self) -> Option<OffsetDateTime> {
        *self.retry_after.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let me = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            parts.headers.insert(USER_AGENT, AGENT);
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let answer = me
                .https
                .send(Request::from_parts(parts, body))
                .await
                .map_err(|error| Error::Other(Box::new(error)))?;
            let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let moment = wait.and_then(|text| moment(text, OffsetDateTime::now_utc()));
            *me.retry_after.lock().unwrap_or_else(PoisonError::into_inner) = moment;
            Ok(BytesResponse::from(readable(answer).map(Full::new)))
        })
    }
}

/// `Retry-After` (RFC 9110 §10.2.3), at most eight days ahead.
pub(crate) fn moment(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let text = text.trim();
    let latest = now + LONGEST_WAIT;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse::<i64>().unwrap_or(i64::MAX).min(LONGEST_WAIT.whole_seconds());
        return Some(now + Duration::seconds(seconds));
    }
    let date = text.strip_suffix("GMT").map(|date| format!("{date}+0000"))?;
    OffsetDateTime::parse(&date, &Rfc2822).ok().map(|date| date.clamp(now, latest))
}

/// An error answer always carries a problem document.
fn readable(answer: Response<Bytes>) -> Response<Bytes> {
    let status = answer.status();
    let problem = serde_json::from_slice::<instant_acme::Problem>(answer.body());
    if status.is_success() || problem.is_ok_and(|problem| problem.r#type.is_some()) {
        return answer;
    }
    let said = String::from_utf8_lossy(answer.body()).chars().take(120).collect::<String>();
    let detail = format!("the authority answered HTTP {status}: {said}");
    let problem = serde_json::json!({ "type": HTTP_PROBLEM, "status": status.as_u16(), "detail": detail });
    answer.map(|_| Bytes::from(problem.to_string()))
}

#[cfg(test)]
mod tests;
