//! The families of header names that decide who somebody is and where a message ends.
//!
//! A name counts in every spelling that some server folds into it: `X_Forwarded_For` is `X-Forwarded-For`.

use http::HeaderName;

/// Whether the header says, or claims to say, where a request came from or who sent it: only proxies add these. On a
/// connection from this machine it is the evidence of a tunnel.
#[must_use]
pub fn forwarding(name: &HeaderName) -> bool {
    folded(name, is_forwarding)
}

/// Whether `Connection` may not have the header removed: it authenticates, attributes, routes or frames, or changes what
/// the request means.
#[must_use]
pub fn protected(name: &HeaderName) -> bool {
    folded(name, is_protected)
}

/// Whether a client's header never reaches the gateway: everything that forwards or identifies, what only the edge may
/// say, and underscore twins of anything that matters.
pub(super) fn stripped(name: &HeaderName) -> bool {
    let twin = name.as_str().contains('_');
    folded(name, |name| {
        is_forwarding(name) || is_ours(name) || (twin && (is_protected(name) || is_hop_by_hop(name)))
    })
}

/// Whether the header is about one connection only (RFC 9110 §7.6.1).
pub(super) fn hop_by_hop(name: &HeaderName) -> bool {
    is_hop_by_hop(name.as_str())
}

/// Whether two names are one to a server that reads `_` as `-`.
pub(super) fn twins(left: &HeaderName, right: &HeaderName) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte };
    let (left, right) = (left.as_str(), right.as_str());
    left.len() == right.len() && left.bytes().map(fold).eq(right.bytes().map(fold))
}

/// Asks about the name with `_` read as `-`. Header names are lower-case already.
fn folded(name: &HeaderName, ask: impl Fn(&str) -> bool) -> bool {
    let text = name.as_str();
    if !text.contains('_') {
        return ask(text);
    }
    // Longer than every exact name below; prefixes are decided by its beginning.
    let mut buffer = [0_u8; 64];
    let mut length = 0;
    for (slot, byte) in buffer.iter_mut().zip(text.bytes()) {
        *slot = if byte == b'_' { b'-' } else { byte };
        length += 1;
    }
    std::str::from_utf8(&buffer[..length]).is_ok_and(ask)
}

fn is_forwarding(name: &str) -> bool {
    match name.as_bytes().first() {
        Some(b'x') => {
            const PREFIXES: [&str; 15] = [
                // Without a dash at its end: no reader is asked to be that exact.
                "x-forwarded",
                "x-real-",
                "x-auth-request-",
                "x-authenticated-",
                "x-authentik-",
                "x-remote-",
                "x-webauth-",
                "x-azure-",
                "x-envoy-",
                "x-vercel-",
                "x-amzn-oidc-",
                "x-goog-authenticated-",
                "x-goog-iap-",
                "x-ms-client-principal",
                "x-nf-client-",
            ];
            PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                || matches!(
                    name,
                    "x-appengine-user-ip"
                        | "x-client-ip"
                        | "x-cluster-client-ip"
                        | "x-coming-from"
                        | "x-host"
                        | "x-ms-forwarded-client-ip"
                        | "x-original-forwarded-for"
                        | "x-original-host"
                        | "x-original-url"
                        | "x-originating-ip"
                        | "x-proxy-user"
                        | "x-proxyuser-ip"
                        | "x-rewrite-url"
                        | "x-scheme"
                        | "x-sucuri-clientip"
                        | "x-url-scheme"
                )
        }
        Some(b't') => name == "true-client-ip" || name.starts_with("tailscale-"),
        Some(b'c') => {
            matches!(name, "client-ip" | "cdn-loop")
                || name.starts_with("cf-")
                || name.starts_with("cloudfront-")
        }
        Some(b'f') => {
            matches!(name, "forwarded" | "forwarded-for" | "front-end-https")
                || name.starts_with("fastly-")
                || name.starts_with("fly-")
        }
        Some(b'r') => name.starts_with("remote-"),
        Some(b'v') => name == "via",
        Some(b'a') => name.starts_with("akamai-"),
        Some(b'd') => name == "do-connecting-ip",
        Some(b'i') => name == "incap-client-ip",
        Some(b'p') => name == "proxy-client-ip",
        Some(b'w') => name == "wl-proxy-client-ip",
        _ => false,
    }
}

/// What only the edge may say, and what only a trusted proxy may cap.
fn is_ours(name: &str) -> bool {
    matches!(name, "x-request-id" | "x-openclaw-scopes") || name.starts_with("x-gatehouse-")
}

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

fn is_protected(name: &str) -> bool {
    const PREFIXES: [&str; 6] = ["access-control-", "content-", "if-", "sec-", "x-openclaw-", "x-gatehouse-"];
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "authorization"
            | "cache-control"
            | "cookie"
            | "date"
            | "etag"
            | "expect"
            | "expires"
            | "host"
            | "location"
            | "max-forwards"
            | "origin"
            | "pragma"
            | "range"
            | "referer"
            | "set-cookie"
            | "strict-transport-security"
            | "trailer"
            | "transfer-encoding"
            | "user-agent"
            | "vary"
            | "www-authenticate"
    ) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || is_forwarding(name)
        || is_ours(name)
}
