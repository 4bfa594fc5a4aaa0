//! Why the edge itself answered: a closed list.
//!
//! The code of an error stands in the `x-gatehouse-error` header, in the access log and on the small page. Codes are a
//! contract: they are never renamed.

use gatehouse_words::Language;
use http::StatusCode;

/// A reason why the edge answered in the gateway's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EdgeError {
    /// The request target is not an absolute path or URL in plain characters.
    BadTarget,
    /// No Host.
    MissingHost,
    /// More than one Host.
    DuplicateHost,
    /// Host is neither a name nor an address with an optional port.
    BadHost,
    /// Host is not the authority of the request.
    HostMismatch,
    /// A header name or value is malformed.
    BadHeader,
    /// A header that may stand only once stands twice.
    DuplicateHeader,
    /// `Content-Length` is duplicated or no number.
    BadContentLength,
    /// `Transfer-Encoding` is not exactly one `chunked`.
    BadTransferEncoding,
    /// The length of the body is given in two ways.
    AmbiguousLength,
    /// `Connection` is malformed or names a header that must reach the gateway.
    BadConnection,
    /// An upgrade that is not offered.
    UpgradeRefused,
    /// An incomplete or malformed WebSocket handshake.
    BadWebSocket,
    /// A WebSocket version other than 13.
    WebSocketVersion,
    /// `CONNECT`, `TRACE` and the like.
    MethodRefused,
    /// An HTTP version that is not spoken here.
    VersionRefused,
    /// An `Expect` other than `100-continue`.
    ExpectationRefused,
    /// The request target is too long.
    TargetTooLong,
    /// Too many or too large headers.
    HeadersTooLarge,
    /// The body is too large.
    BodyTooLarge,
    /// The body's framing is broken.
    BadBody,
    /// The headers did not arrive in time.
    HeadersStalled,
    /// The body stopped arriving.
    BodyStalled,
    /// A name that is not served here.
    UnknownHost,
    /// A name that serves only certain paths, and not this one.
    NotRouted,
    /// A name other than the one for which the TLS connection was made.
    NameMismatch,
    /// Plain HTTP on the HTTPS port, or a request on the redirect port that may not be redirected.
    HttpsRequired,
    /// This client may not connect.
    ClientRefused,
    /// The name wants a certificate from its clients, and this connection came without one.
    ClientCertificateRequired,
    /// The certificate that the client showed is not good for this name, or no longer.
    ClientCertificateRefused,
    /// Nobody can say which client this is.
    ClientUnattributable,
    /// A proxy or tunnel on this machine that nobody declared.
    TunnelUndeclared,
    /// The client sends too many requests.
    RateLimited,
    /// The client, or everybody together, holds too many connections.
    TooManyConnections,
    /// The client holds too many WebSockets.
    TooManyWebSockets,
    /// The address is paused.
    Paused,
    /// The edge is shutting down.
    ShuttingDown,
    /// Nothing listens where the gateway should.
    GatewayDown,
    /// The gateway is starting.
    GatewayRestarting,
    /// The gateway took too long.
    GatewayTimeout,
    /// The gateway broke the connection or sent garbage.
    GatewayBroke,
    /// The gateway's answer to an upgrade is not a valid one.
    GatewayBadUpgrade,
    /// A defect of the edge.
    Internal,
}

/// Code and status. What happened and what to do is in the catalogue: `edge.CODE` and `edge.CODE.advice`.
struct Facts(&'static str, StatusCode);

impl EdgeError {
    /// Every error, for tables and golden files.
    pub const ALL: [Self; 43] = [
        Self::BadTarget,
        Self::MissingHost,
        Self::DuplicateHost,
        Self::BadHost,
        Self::HostMismatch,
        Self::BadHeader,
        Self::DuplicateHeader,
        Self::BadContentLength,
        Self::BadTransferEncoding,
        Self::AmbiguousLength,
        Self::BadConnection,
        Self::UpgradeRefused,
        Self::BadWebSocket,
        Self::WebSocketVersion,
        Self::MethodRefused,
        Self::VersionRefused,
        Self::ExpectationRefused,
        Self::TargetTooLong,
        Self::HeadersTooLarge,
        Self::BodyTooLarge,
        Self::BadBody,
        Self::HeadersStalled,
        Self::BodyStalled,
        Self::UnknownHost,
        Self::NotRouted,
        Self::NameMismatch,
        Self::HttpsRequired,
        Self::ClientRefused,
        Self::ClientCertificateRequired,
        Self::ClientCertificateRefused,
        Self::ClientUnattributable,
        Self::TunnelUndeclared,
        Self::RateLimited,
        Self::TooManyConnections,
        Self::TooManyWebSockets,
        Self::Paused,
        Self::ShuttingDown,
        Self::GatewayDown,
        Self::GatewayRestarting,
        Self::GatewayTimeout,
        Self::GatewayBroke,
        Self::GatewayBadUpgrade,
        Self::Internal,
    ];

    /// The code: kebab-case, stable.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// What happened: one plain sentence.
    #[must_use]
    pub fn sentence(self, language: Language) -> String {
        language.text(&format!("edge.{}", self.code()), &[])
    }

    /// What to do about it: one plain sentence.
    #[must_use]
    pub fn advice(self, language: Language) -> String {
        language.text(&format!("edge.{}.advice", self.code()), &[])
    }

    /// After how many seconds it makes sense to try again, where it does.
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::RateLimited => Some(1),
            Self::GatewayRestarting | Self::ShuttingDown => Some(2),
            Self::GatewayDown | Self::TooManyConnections | Self::TooManyWebSockets => Some(5),
            Self::Paused => Some(60),
            _ => None,
        }
    }

    /// Whether nobody can be sure where this request ends: an HTTP/1 connection must not be used again.
    #[must_use]
    pub const fn closes(self) -> bool {
        self.status().as_u16() == 400
            || matches!(
                self,
                Self::MethodRefused
                    | Self::VersionRefused
                    | Self::ExpectationRefused
                    | Self::TargetTooLong
                    | Self::HeadersTooLarge
                    | Self::BodyTooLarge
                    | Self::HeadersStalled
                    | Self::BodyStalled
                    | Self::HttpsRequired
                    | Self::ClientRefused
                    | Self::ClientCertificateRequired
                    | Self::ClientCertificateRefused
                    | Self::TooManyConnections
                    | Self::ShuttingDown
                    | Self::Internal
            )
    }

    const fn facts(self) -> Facts {
        match self {
            Self::BadTarget => Facts("bad-target", StatusCode::BAD_REQUEST),
            Self::MissingHost => Facts("missing-host", StatusCode::BAD_REQUEST),
            Self::DuplicateHost => Facts("duplicate-host", StatusCode::BAD_REQUEST),
            Self::BadHost => Facts("bad-host", StatusCode::BAD_REQUEST),
            Self::HostMismatch => Facts("host-mismatch", StatusCode::BAD_REQUEST),
            Self::BadHeader => Facts("bad-header", StatusCode::BAD_REQUEST),
            Self::DuplicateHeader => Facts("duplicate-header", StatusCode::BAD_REQUEST),
            Self::BadContentLength => Facts("bad-content-length", StatusCode::BAD_REQUEST),
            Self::BadTransferEncoding => Facts("bad-transfer-encoding", StatusCode::BAD_REQUEST),
            Self::AmbiguousLength => Facts("ambiguous-length", StatusCode::BAD_REQUEST),
            Self::BadConnection => Facts("bad-connection", StatusCode::BAD_REQUEST),
            Self::UpgradeRefused => Facts("upgrade-refused", StatusCode::BAD_REQUEST),
            Self::BadWebSocket => Facts("bad-websocket", StatusCode::BAD_REQUEST),
            Self::WebSocketVersion => Facts("websocket-version", StatusCode::BAD_REQUEST),
            Self::MethodRefused => Facts("method-refused", StatusCode::METHOD_NOT_ALLOWED),
            Self::VersionRefused => Facts("version-refused", StatusCode::HTTP_VERSION_NOT_SUPPORTED),
            Self::ExpectationRefused => Facts("expectation-refused", StatusCode::EXPECTATION_FAILED),
            Self::TargetTooLong => Facts("target-too-long", StatusCode::URI_TOO_LONG),
            Self::HeadersTooLarge => Facts("headers-too-large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::BodyTooLarge => Facts("body-too-large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::BadBody => Facts("bad-body", StatusCode::BAD_REQUEST),
            Self::HeadersStalled => Facts("headers-stalled", StatusCode::REQUEST_TIMEOUT),
            Self::BodyStalled => Facts("body-stalled", StatusCode::REQUEST_TIMEOUT),
            Self::NotRouted => Facts("not-routed", StatusCode::NOT_FOUND),
            Self::UnknownHost => Facts("unknown-host", StatusCode::MISDIRECTED_REQUEST),
            Self::NameMismatch => Facts("name-mismatch", StatusCode::MISDIRECTED_REQUEST),
            Self::HttpsRequired => Facts("https-required", StatusCode::BAD_REQUEST),
            Self::ClientRefused => Facts("client-refused", StatusCode::FORBIDDEN),
            Self::ClientCertificateRequired => {
                Facts("client-certificate-required", StatusCode::MISDIRECTED_REQUEST)
            }
            Self::ClientCertificateRefused => Facts("client-certificate-refused", StatusCode::FORBIDDEN),
            Self::ClientUnattributable => Facts("client-unattributable", StatusCode::FORBIDDEN),
            Self::TunnelUndeclared => Facts("tunnel-undeclared", StatusCode::FORBIDDEN),
            Self::RateLimited => Facts("rate-limited", StatusCode::TOO_MANY_REQUESTS),
            Self::TooManyConnections => Facts("too-many-connections", StatusCode::SERVICE_UNAVAILABLE),
            Self::TooManyWebSockets => Facts("too-many-websockets", StatusCode::TOO_MANY_REQUESTS),
            Self::Paused => Facts("paused", StatusCode::SERVICE_UNAVAILABLE),
            Self::ShuttingDown => Facts("shutting-down", StatusCode::SERVICE_UNAVAILABLE),
            Self::GatewayDown => Facts("gateway-down", StatusCode::SERVICE_UNAVAILABLE),
            Self::GatewayRestarting => Facts("gateway-restarting", StatusCode::SERVICE_UNAVAILABLE),
            Self::GatewayTimeout => Facts("gateway-timeout", StatusCode::GATEWAY_TIMEOUT),
            Self::GatewayBroke => Facts("gateway-broke", StatusCode::BAD_GATEWAY),
            Self::GatewayBadUpgrade => Facts("gateway-bad-upgrade", StatusCode::BAD_GATEWAY),
            Self::Internal => Facts("internal", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl std::fmt::Display for EdgeError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.sentence(Language::English))
    }
}

impl std::error::Error for EdgeError {}

#[cfg(test)]
mod tests;
