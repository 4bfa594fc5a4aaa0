//! Gatehouse as a job of a real systemd, on machines that were booted for that.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails in a test's own helper fails the test"
)]

mod gateway;
mod presence;

use gatehouse_tests::{Booted, Gatehouse, PROGRAM};
use std::path::Path;

/// The program as root of a booted machine runs it: with a session of root's own systemd.
fn gatehouse(machine: &Booted) -> Gatehouse {
    with_program(machine, PROGRAM)
}

fn with_program(machine: &Booted, program: &str) -> Gatehouse {
    Gatehouse::new(&machine.machine, &machine.folder("state"), Path::new("/root"))
        .running(Path::new(program))
        .with("XDG_RUNTIME_DIR", "/run/user/0")
        .with("PATH", "/opt/openclaw/node_modules/.bin:/usr/sbin:/usr/bin:/sbin:/bin")
}
