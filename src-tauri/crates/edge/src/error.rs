//! Why the edge itself answered: a closed list, in words that help.
//!
//! The code of an error stands in the `x-gatehouse-error` header, in the access log and on the small page. Codes are a
//! contract: they are never renamed.

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

/// What is said about an error: code, status, what happened, what to do.
struct Facts(&'static str, StatusCode, &'static str, &'static str);

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
    pub const fn sentence(self) -> &'static str {
        self.facts().2
    }

    /// What to do about it: one plain sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        self.facts().3
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
            Self::BadTarget => Facts(
                "bad-target",
                StatusCode::BAD_REQUEST,
                "The address that was asked for is malformed.",
                "Check the link; special characters must be percent-encoded.",
            ),
            Self::MissingHost => Facts(
                "missing-host",
                StatusCode::BAD_REQUEST,
                "The request does not say which host it is for.",
                "Use a client that sends a Host header.",
            ),
            Self::DuplicateHost => Facts(
                "duplicate-host",
                StatusCode::BAD_REQUEST,
                "The request names its host more than once.",
                "Look for a proxy that adds a second Host header.",
            ),
            Self::BadHost => Facts(
                "bad-host",
                StatusCode::BAD_REQUEST,
                "The host that was asked for is neither a name nor an address.",
                "Check the link.",
            ),
            Self::HostMismatch => Facts(
                "host-mismatch",
                StatusCode::BAD_REQUEST,
                "The Host header and the address that was asked for differ.",
                "Look for a proxy that rewrites one of the two.",
            ),
            Self::BadHeader => Facts(
                "bad-header",
                StatusCode::BAD_REQUEST,
                "A header of the request is malformed.",
                "Look for a client or proxy that sends control characters or stray spaces in headers.",
            ),
            Self::DuplicateHeader => Facts(
                "duplicate-header",
                StatusCode::BAD_REQUEST,
                "A header that may be sent only once was sent twice.",
                "Look for a proxy that adds a second Authorization, Origin or Content-Type header.",
            ),
            Self::BadContentLength => Facts(
                "bad-content-length",
                StatusCode::BAD_REQUEST,
                "The length of the request body is malformed.",
                "Look for a client or proxy that sends Content-Length twice or not as a number.",
            ),
            Self::BadTransferEncoding => Facts(
                "bad-transfer-encoding",
                StatusCode::BAD_REQUEST,
                "The transfer encoding of the request is not supported.",
                "Send the body with Content-Length or as plain chunked.",
            ),
            Self::AmbiguousLength => Facts(
                "ambiguous-length",
                StatusCode::BAD_REQUEST,
                "The length of the request body is given in two ways.",
                "Send Content-Length or chunked, not both.",
            ),
            Self::BadConnection => Facts(
                "bad-connection",
                StatusCode::BAD_REQUEST,
                "The Connection header is malformed or names a header that must not be dropped.",
                "Look for a client or proxy that lists ordinary headers in Connection.",
            ),
            Self::UpgradeRefused => Facts(
                "upgrade-refused",
                StatusCode::BAD_REQUEST,
                "Only WebSocket upgrades are accepted here.",
                "Connect with a WebSocket client, or without asking for an upgrade.",
            ),
            Self::BadWebSocket => Facts(
                "bad-websocket",
                StatusCode::BAD_REQUEST,
                "The WebSocket handshake is incomplete or malformed.",
                "Look for a proxy in between that does not know WebSockets.",
            ),
            Self::WebSocketVersion => Facts(
                "websocket-version",
                StatusCode::BAD_REQUEST,
                "Only WebSocket version 13 is spoken here.",
                "Update the client.",
            ),
            Self::MethodRefused => Facts(
                "method-refused",
                StatusCode::METHOD_NOT_ALLOWED,
                "This request method is not accepted here.",
                "Use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.",
            ),
            Self::VersionRefused => Facts(
                "version-refused",
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "This HTTP version is not spoken here.",
                "Use HTTP/1.1 or HTTP/2.",
            ),
            Self::ExpectationRefused => Facts(
                "expectation-refused",
                StatusCode::EXPECTATION_FAILED,
                "The only expectation that can be met is 100-continue.",
                "Send the request without the Expect header.",
            ),
            Self::TargetTooLong => Facts(
                "target-too-long",
                StatusCode::URI_TOO_LONG,
                "The address that was asked for is too long.",
                "Send long parameters in the body.",
            ),
            Self::HeadersTooLarge => Facts(
                "headers-too-large",
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "The headers of the request are too many or too large.",
                "Clear the cookies of this site and try again.",
            ),
            Self::BodyTooLarge => Facts(
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body of the request is larger than Gatehouse accepts.",
                "Send less, or raise the limit in the settings of Gatehouse.",
            ),
            Self::BadBody => Facts(
                "bad-body",
                StatusCode::BAD_REQUEST,
                "The body of the request broke off or is malformed.",
                "Try again; if it repeats, look for a proxy that changes bodies.",
            ),
            Self::HeadersStalled => Facts(
                "headers-stalled",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long to arrive.",
                "Try again on a better connection.",
            ),
            Self::BodyStalled => Facts(
                "body-stalled",
                StatusCode::REQUEST_TIMEOUT,
                "The body of the request stopped arriving.",
                "Try again on a better connection.",
            ),
            Self::NotRouted => Facts(
                "not-routed",
                StatusCode::NOT_FOUND,
                "This name serves only certain paths, and not this one.",
                "Use the address that Gatehouse shows for the dashboard, or change the routes in Gatehouse.",
            ),
            Self::UnknownHost => Facts(
                "unknown-host",
                StatusCode::MISDIRECTED_REQUEST,
                "This name is not served here.",
                "Use one of the addresses that Gatehouse shows, or add this name in Gatehouse.",
            ),
            Self::NameMismatch => Facts(
                "name-mismatch",
                StatusCode::MISDIRECTED_REQUEST,
                "The connection was made for another name than this request asks for.",
                "Open the address again; a program must send the same name in TLS (SNI) and in Host.",
            ),
            Self::HttpsRequired => Facts(
                "https-required",
                StatusCode::BAD_REQUEST,
                "This address speaks HTTPS only.",
                "Use a link that starts with https://.",
            ),
            Self::ClientRefused => Facts(
                "client-refused",
                StatusCode::FORBIDDEN,
                "This address is not open to your network.",
                "Open Gatehouse on the gateway's computer to change who may connect.",
            ),
            Self::ClientCertificateRequired => Facts(
                "client-certificate-required",
                StatusCode::MISDIRECTED_REQUEST,
                "This name wants a certificate from your device, and the connection came without one.",
                "Install the certificate that the owner gave you, and open the address by this name.",
            ),
            Self::ClientCertificateRefused => Facts(
                "client-certificate-refused",
                StatusCode::FORBIDDEN,
                "The certificate of your device is not good for this name, or no longer.",
                "Ask the owner for a new certificate.",
            ),
            Self::ClientUnattributable => Facts(
                "client-unattributable",
                StatusCode::FORBIDDEN,
                "Gatehouse cannot tell which device this request comes from, so it was refused.",
                "Check in Gatehouse which proxy stands in front and in which header it names the client.",
            ),
            Self::TunnelUndeclared => Facts(
                "tunnel-undeclared",
                StatusCode::FORBIDDEN,
                "A tunnel or proxy on the gateway's computer passed this request on, and Gatehouse does not know it.",
                "Declare the tunnel or proxy in Gatehouse, or remove it.",
            ),
            Self::RateLimited => Facts(
                "rate-limited",
                StatusCode::TOO_MANY_REQUESTS,
                "Gatehouse received too many requests from your address.",
                "Wait a moment.",
            ),
            Self::TooManyConnections => Facts(
                "too-many-connections",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many connections are open.",
                "Close other tabs and apps that use this address, or wait a moment.",
            ),
            Self::TooManyWebSockets => Facts(
                "too-many-websockets",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many WebSockets are open from your address.",
                "Close other tabs and apps that use this address.",
            ),
            Self::Paused => Facts(
                "paused",
                StatusCode::SERVICE_UNAVAILABLE,
                "This address is paused.",
                "Resume it in Gatehouse on the gateway's computer.",
            ),
            Self::ShuttingDown => Facts(
                "shutting-down",
                StatusCode::SERVICE_UNAVAILABLE,
                "Gatehouse is shutting down or restarting.",
                "Try again in a moment.",
            ),
            Self::GatewayDown => Facts(
                "gateway-down",
                StatusCode::SERVICE_UNAVAILABLE,
                "The OpenClaw gateway is not running.",
                "Start it on its computer; Gatehouse there can do it.",
            ),
            Self::GatewayRestarting => Facts(
                "gateway-restarting",
                StatusCode::SERVICE_UNAVAILABLE,
                "The OpenClaw gateway is restarting.",
                "Wait a few seconds.",
            ),
            Self::GatewayTimeout => Facts(
                "gateway-timeout",
                StatusCode::GATEWAY_TIMEOUT,
                "The OpenClaw gateway did not answer in time.",
                "Try again; if it repeats, look at the gateway in Gatehouse.",
            ),
            Self::GatewayBroke => Facts(
                "gateway-broke",
                StatusCode::BAD_GATEWAY,
                "The OpenClaw gateway broke the connection before it had answered.",
                "Try again; if it repeats, look at the gateway in Gatehouse.",
            ),
            Self::GatewayBadUpgrade => Facts(
                "gateway-bad-upgrade",
                StatusCode::BAD_GATEWAY,
                "The OpenClaw gateway did not answer the WebSocket handshake properly.",
                "Check in Gatehouse that the port belongs to the gateway.",
            ),
            Self::Internal => Facts(
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Gatehouse made a mistake.",
                "Try again, and report it with the request id.",
            ),
        }
    }
}

impl std::fmt::Display for EdgeError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl std::error::Error for EdgeError {}

#[cfg(test)]
mod tests;
