//! Browser origins: what a browser sends, and which of them the gateway lets in.

/// Which rule lets an origin in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The list contains it.
    Listed,
    /// The list contains `*`.
    Wildcard,
    /// A private address or name that equals the Host needs no entry.
    PrivateSameOrigin,
    /// The gateway is set to accept any origin that equals the Host.
    HostHeaderFallback,
    /// Nothing.
    Refused,
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{because}")]
pub struct NotAnOrigin {
    /// Why, as a sentence.
    pub because: String,
}

/// What a browser sends for an address as people type it: scheme and host in lower case, default port dropped, no path.
///
/// # Errors
/// [`NotAnOrigin`].
pub fn canonical(text: &str) -> Result<String, NotAnOrigin> {
    Err(NotAnOrigin { because: text.to_owned() })
}

/// Why an entry of the gateway's list can never match what a browser sends; `None` = it can.
#[must_use]
pub fn never_matches(_entry: &str) -> Option<String> {
    None
}

/// Which rule of the gateway lets a browser in that comes through a proxy: `list` as in the configuration, `origin` and
/// `host` (with its port) as the gateway receives them.
#[must_use]
pub fn match_rule(_list: &[String], _origin: &str, _host: &str, _host_header_fallback: bool) -> Match {
    Match::Refused
}
