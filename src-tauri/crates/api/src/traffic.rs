//! What passes through the edge: metadata only, never a query, a header value or a body.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Who made a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Answerer {
    /// The edge itself; the record then names its error code.
    Edge,
    /// The gateway.
    Gateway,
}

/// What was agreed for the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TlsFacts {
    /// `1.3` or `1.2`.
    pub version: String,
    /// Name of the cipher suite.
    pub cipher: String,
}

/// What is known of a WebSocket when it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WebSocketFacts {
    /// The close code that was sent first; `None` = the connection ended without one.
    pub close_code: Option<u16>,
    /// Who ended it: `client`, `gateway`, `edge`.
    pub closed_by: String,
    /// How long it lived, in milliseconds.
    pub duration_ms: u64,
}

/// One request, as the access log and `tail` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrafficRecord {
    /// When the response began (for a WebSocket: when it ended).
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, ts(type = "string"))]
    pub time: OffsetDateTime,
    /// The request id, also sent to the gateway and back to the client.
    pub id: String,
    /// The client, as attributed.
    pub client: String,
    /// What the client is called by the certificate that it proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub client_certificate: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Host with its port, as asked for.
    pub host: String,
    /// Path without the query.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// Who answered.
    pub answered_by: Answerer,
    /// The edge's error code, where the edge answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<String>,
    /// Bytes of body (or tunnel) from the client.
    pub bytes_in: u64,
    /// Bytes of body (or tunnel) to the client.
    pub bytes_out: u64,
    /// From request to the end of the response, in milliseconds.
    pub ms: u64,
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: String,
    /// TLS facts; `None` on the redirect port.
    pub tls: Option<TlsFacts>,
    /// For WebSockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub websocket: Option<WebSocketFacts>,
}

/// Which records a viewer wants.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrafficFilter {
    /// A status such as `404` or a class such as `4xx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub status: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub who: Option<Answerer>,
    /// An address or a CIDR block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub client: Option<String>,
    /// Only WebSockets.
    #[serde(default)]
    pub websockets: bool,
}
