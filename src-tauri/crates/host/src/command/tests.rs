use std::time::Instant;

use super::*;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn what_a_program_writes_is_answered() {
    assert_eq!(output("/bin/sh", &["-c", "printf %s \"$LC_ALL\""], LONG).as_deref(), Some("C"));
}

#[test]
fn a_failure_without_output_is_nothing() {
    assert_eq!(output("/bin/sh", &["-c", "exit 1"], LONG), None);
    assert_eq!(output("/no/such/program", &[], LONG), None);
    assert_eq!(output("/bin/sh", &["-c", "echo kept; exit 1"], LONG).as_deref(), Some("kept\n"));
}

#[test]
fn a_program_that_hangs_is_ended() {
    let started = Instant::now();
    assert_eq!(output("/bin/sh", &["-c", "exec sleep 60"], Duration::from_millis(50)), None);
    assert!(started.elapsed() < Duration::from_secs(10));
}
