use super::*;

fn problem(kind: &str, status: u16, detail: &str) -> Failure {
    let json = serde_json::json!({ "type": kind, "status": status, "detail": detail });
    Failure::of_problem(&serde_json::from_value(json).unwrap())
}

#[test]
fn every_registered_problem_has_a_cause_of_its_own() {
    let registered = [
        ("accountDoesNotExist", Cause::AccountLost),
        ("alreadyReplaced", Cause::AlreadyReplaced),
        ("alreadyRevoked", Cause::BadRequest),
        ("badCSR", Cause::BadRequest),
        ("badNonce", Cause::BadNonce),
        ("badPublicKey", Cause::BadRequest),
        ("badRevocationReason", Cause::BadRequest),
        ("badSignatureAlgorithm", Cause::BadRequest),
        ("caa", Cause::Caa),
        ("connection", Cause::Connection),
        ("dns", Cause::Dns),
        ("externalAccountRequired", Cause::ExternalAccount),
        ("incorrectResponse", Cause::WrongAnswer),
        ("invalidContact", Cause::Contact),
        ("invalidProfile", Cause::Profile),
        ("malformed", Cause::BadRequest),
        ("orderNotReady", Cause::Server),
        ("rateLimited", Cause::RateLimited),
        ("rejectedIdentifier", Cause::Rejected),
        ("serverInternal", Cause::Server),
        ("tls", Cause::Tls),
        ("unauthorized", Cause::WrongAnswer),
        ("unsupportedContact", Cause::Contact),
        ("unsupportedIdentifier", Cause::Rejected),
        ("userActionRequired", Cause::UserAction),
    ];
    for (name, cause) in registered {
        let failure = problem(&format!("{PREFIX}{name}"), 400, "why");
        assert_eq!((failure.cause, failure.detail.as_str()), (cause, "why"), "{name}");
    }
}

#[test]
fn what_is_no_acme_problem_is_told_by_its_status() {
    assert_eq!(problem(HTTP_PROBLEM, 429, "slow down").cause, Cause::RateLimited);
    assert_eq!(problem(HTTP_PROBLEM, 503, "<html>").cause, Cause::Server);
    assert_eq!(problem("about:blank", 0, "").cause, Cause::Server);
}

#[test]
fn a_signature_that_the_authority_cannot_check_means_that_the_account_is_lost() {
    let failure = problem(&format!("{PREFIX}malformed"), 400, "JWS verification error");
    assert_eq!(failure.cause, Cause::AccountLost);
}

#[test]
fn a_hostile_detail_is_one_short_line() {
    let failure = problem(&format!("{PREFIX}dns"), 400, &format!("a\u{1b}[2J\r\nb{}", "x".repeat(5000)));
    assert!(failure.detail.starts_with("a [2J  bx"), "{}", failure.detail);
    assert_eq!(failure.detail.chars().count(), LONGEST_DETAIL + 1);
}

#[test]
fn only_what_the_authority_checked_counts_as_a_failed_authorization() {
    for counted in [Cause::Connection, Cause::WrongAnswer, Cause::Dns, Cause::Caa, Cause::Tls] {
        assert!(counted.counts() && !counted.is_passing(), "{counted:?}");
    }
    for free in [Cause::Unreachable, Cause::Slow, Cause::Server, Cause::Local] {
        assert!(!free.counts(), "{free:?}");
    }
}
