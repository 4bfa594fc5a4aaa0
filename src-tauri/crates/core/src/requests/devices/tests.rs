use super::*;

fn error() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::GatewayRefused, "The gateway cannot do that", "The token is a reference.")
}

#[test]
fn a_revocation_says_whether_the_device_can_come_back() {
    use ReturnPath::{LocalAutoApproval, NoAuthentication};
    let table = [
        ("locked out", report("d".into(), "Pad".into(), &[], None), (false, false)),
        ("local", report("d".into(), "Pad".into(), &[LocalAutoApproval], None), (true, false)),
        (
            "local, new token",
            report("d".into(), "Pad".into(), &[LocalAutoApproval], Some(Ok(()))),
            (false, true),
        ),
        (
            "local, token kept",
            report("d".into(), "Pad".into(), &[LocalAutoApproval], Some(Err(error()))),
            (true, false),
        ),
        ("no secret", report("d".into(), "Pad".into(), &[NoAuthentication], Some(Ok(()))), (true, true)),
    ];
    for (name, report, expected) in table {
        assert_eq!((report.can_return, report.token_rotated), expected, "{name}");
        assert!(report.note.ends_with('.'), "{name}: {}", report.note);
    }
}

#[test]
fn a_token_that_was_not_replaced_is_not_kept_quiet() {
    let report = report("d".into(), "Pad".into(), &[], Some(Err(error())));

    assert!(report.note.contains("The shared token was not replaced: The token is a reference."));
}

#[test]
fn labels_are_short_and_printable() {
    assert_eq!(checked_label("  Kitchen iPad "), Ok("Kitchen iPad"));
    for label in ["", "  ", "a\u{1b}[31m", &"x".repeat(61)] {
        assert_eq!(checked_label(label).unwrap_err().code, Code::Usage);
    }
}
