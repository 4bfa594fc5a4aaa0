use std::collections::HashSet;

use super::*;

#[test]
fn codes_are_unique_and_kebab_case() {
    let codes: HashSet<_> = EdgeError::ALL.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), EdgeError::ALL.len());
    for code in codes {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
        assert!(!code.starts_with('-') && !code.ends_with('-'), "{code}");
    }
}

#[test]
fn every_error_is_said_in_sentences_that_need_no_escaping() {
    for error in EdgeError::ALL {
        for text in [error.sentence(Language::English), error.advice(Language::English)] {
            assert!(text.ends_with('.') && text.starts_with(char::is_uppercase), "{text}");
            assert!(!text.contains(['<', '>', '&', '"']), "{text}");
        }
        for text in [error.sentence(Language::SimplifiedChinese), error.advice(Language::SimplifiedChinese)] {
            assert!(text.ends_with('。') && !text.starts_with("edge."), "{text}");
            assert!(!text.contains(['<', '>', '&', '"']), "{text}");
        }
        assert!(error.status().is_client_error() || error.status().is_server_error());
    }
}

#[test]
fn every_doubt_about_framing_closes_the_connection() {
    use EdgeError as E;
    for error in [
        E::BadContentLength,
        E::BadTransferEncoding,
        E::AmbiguousLength,
        E::BadConnection,
        E::BadHeader,
        E::BadHost,
        E::BadTarget,
        E::BadBody,
        E::BodyTooLarge,
        E::UpgradeRefused,
        E::MethodRefused,
        E::BodyStalled,
    ] {
        assert!(error.closes(), "{error:?}");
    }
    for error in [E::UnknownHost, E::ClientUnattributable, E::RateLimited, E::GatewayDown, E::Paused] {
        assert!(!error.closes(), "{error:?}");
    }
}

#[test]
fn too_many_requests_always_say_when_to_come_back() {
    for error in EdgeError::ALL {
        if matches!(error.status().as_u16(), 429 | 503) {
            assert!(error.retry_after().is_some(), "{error:?}");
        }
    }
}

/// Codes are read by programs and people's notes: this list may grow, never change.
#[test]
fn codes_and_statuses_are_frozen() {
    let listed: Vec<String> =
        EdgeError::ALL.iter().map(|error| format!("{} {}", error.status().as_u16(), error.code())).collect();
    let frozen = [
        "400 bad-target",
        "400 missing-host",
        "400 duplicate-host",
        "400 bad-host",
        "400 host-mismatch",
        "400 bad-header",
        "400 duplicate-header",
        "400 bad-content-length",
        "400 bad-transfer-encoding",
        "400 ambiguous-length",
        "400 bad-connection",
        "400 upgrade-refused",
        "400 bad-websocket",
        "400 websocket-version",
        "405 method-refused",
        "505 version-refused",
        "417 expectation-refused",
        "414 target-too-long",
        "431 headers-too-large",
        "413 body-too-large",
        "400 bad-body",
        "408 headers-stalled",
        "408 body-stalled",
        "421 unknown-host",
        "404 not-routed",
        "421 name-mismatch",
        "400 https-required",
        "403 client-refused",
        "421 client-certificate-required",
        "403 client-certificate-refused",
        "403 client-unattributable",
        "403 tunnel-undeclared",
        "429 rate-limited",
        "503 too-many-connections",
        "429 too-many-websockets",
        "503 paused",
        "503 shutting-down",
        "503 gateway-down",
        "503 gateway-restarting",
        "504 gateway-timeout",
        "502 gateway-broke",
        "502 gateway-bad-upgrade",
        "500 internal",
    ];
    assert_eq!(listed, frozen);
}
