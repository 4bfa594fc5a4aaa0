use super::*;

fn error() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayRefused, "The gateway cannot do that", "The token is a reference.")
}

#[test]
fn a_revocation_says_whether_the_device_can_come_back() {
    use ReturnPath::{LocalAutoApproval, NoAuthentication};
    let revoked = |paths: &[ReturnPath], rotated| report("d".into(), "Pad".into(), paths, true, rotated);
    let table = [
        ("locked out", revoked(&[], None), (false, false)),
        ("local", revoked(&[LocalAutoApproval], None), (true, false)),
        ("local, new token", revoked(&[LocalAutoApproval], Some(Ok(()))), (false, true)),
        ("local, token kept", revoked(&[LocalAutoApproval], Some(Err(error()))), (true, false)),
        ("no secret", revoked(&[NoAuthentication], Some(Ok(()))), (true, true)),
    ];
    for (name, report, expected) in table {
        assert_eq!((report.can_return, report.token_rotated), expected, "{name}");
        assert!(report.note.ends_with('.'), "{name}: {}", report.note);
    }
}

#[test]
fn a_token_that_was_not_replaced_is_not_kept_quiet() {
    let report = report("d".into(), "Pad".into(), &[], true, Some(Err(error())));

    assert!(report.note.contains("The shared token was not replaced: The token is a reference."));
}

#[test]
fn a_device_that_is_locked_out_and_knows_the_secret_is_no_clean_end() {
    let note = |knows, rotated| report("d".into(), "Pad".into(), &[], knows, rotated).note;

    assert!(note(true, None).contains("HTTP interface"));
    assert!(!note(false, None).contains("HTTP interface"));
    assert!(!note(true, Some(Ok(()))).contains("HTTP interface"));
}

#[test]
fn labels_are_short_and_printable() {
    assert_eq!(checked_label("  Kitchen iPad "), Ok("Kitchen iPad"));
    for label in ["", "  ", "a\u{1b}[31m", &"x".repeat(61)] {
        assert_eq!(checked_label(label).unwrap_err().code, Code::Usage);
    }
}
