//! HTTP/1.1 over the probe's TLS: one request for each connection.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::error::{Check, ProbeError};
use super::trust::{Trust, connect, within};
use crate::address_plan::PlannedAddress;

const BODY_LIMIT: usize = 64 * 1024;
const EDGE: &str = "x-gatehouse-error";

/// An answer, as far as probes look at it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The code of the edge, where the edge itself answered.
    pub(super) edge: Option<String>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// In a few words.
    pub(super) fn words(&self) -> String {
        match &self.edge {
            Some(code) => format!("{} by the edge ({code})", self.status.as_u16()),
            None => {
                let text: String = String::from_utf8_lossy(&self.body).chars().take(120).collect();
                format!("{} by the gateway: {text}", self.status.as_u16())
            }
        }
    }

    fn is_not_ready(&self) -> bool {
        matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY)
    }
}

/// The host of the URL with its port, as a browser sends it.
pub(super) fn authority(address: &PlannedAddress) -> &str {
    address.url.strip_prefix("https://").unwrap_or(&address.url)
}

/// `GET /healthz` all the way to the gateway.
pub(super) async fn health(address: &PlannedAddress, trust: &Trust) -> Result<(), ProbeError> {
    let answer = get(address, trust, Check::Reach, "/healthz", authority(address), &[]).await?;
    let url = address.url.clone();
    if answer.is_not_ready() {
        return Err(ProbeError::NotReady { url, what: answer.words() });
    }
    match answer.status == StatusCode::OK && answer.edge.is_none() && answer.json()["ok"] == true {
        true => Ok(()),
        false => Err(ProbeError::Unexpected {
            url,
            check: Check::Reach,
            expected: "the gateway's 200 for /healthz",
            got: answer.words(),
        }),
    }
}

/// While the gateway is stopped, the edge itself has to say so.
pub(super) async fn stopped(address: &PlannedAddress, trust: &Trust) -> Result<String, ProbeError> {
    let facts = super::tls(address, trust).await?;
    match trust.is_ours(address, &facts.leaf_sha256) {
        true => Ok(format!("{} with our certificate", facts.version)),
        false => Err(ProbeError::OtherCertificate { url: address.url.clone(), sha256: facts.leaf_sha256 }),
    }
}

/// Asks. `host` goes into the Host header.
pub(super) async fn get(
    address: &PlannedAddress,
    trust: &Trust,
    check: Check,
    path: &str,
    host: &str,
    headers: &[(&'static str, &'static str)],
) -> Result<Answer, ProbeError> {
    let url = || address.url.clone();
    let broken = |why: String| ProbeError::Broken { url: url(), check, why };
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = path.parse().map_err(|error| broken(format!("{error}")))?;
    let host = HeaderValue::from_str(host).map_err(|error| broken(error.to_string()))?;
    request.headers_mut().insert(header::HOST, host);
    add(request.headers_mut(), headers);
    let (stream, _) = connect(address, trust).await?;
    let exchange = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let driver = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| broken(error.to_string()))?;
        let status = response.status();
        let edge = response.headers().get(EDGE).and_then(|code| code.to_str().ok()).map(str::to_owned);
        let body = Limited::new(response.into_body(), BODY_LIMIT)
            .collect()
            .await
            .map_err(|error| broken(error.to_string()))?
            .to_bytes();
        driver.abort();
        Ok(Answer { status, edge, body })
    };
    within(address, check, exchange).await
}

fn add(to: &mut HeaderMap, headers: &[(&'static str, &'static str)]) {
    for (name, value) in headers {
        to.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
