//! Keeping the machine awake: taken, seen by the system, given back.

use std::time::{Duration, Instant};

use gatehouse_api::say;
use gatehouse_host::awake::{Awake, When};

use super::Finding;

/// Until the system lists it.
const LIMIT: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(100);

pub(super) fn check() -> Finding {
    let unknown = |because| {
        if cfg!(target_os = "macos") {
            Finding::failed(because, say!("core.report"))
        } else {
            Finding::unknown(because, say!("core.selftest.awake.fix"))
        }
    };
    let mut awake = match Awake::hold(When::Always) {
        Ok(awake) => awake,
        Err(error) => return unknown(say!("core.selftest.awake.no-program", error = error)),
    };
    let begun = Instant::now();
    loop {
        if !awake.holds() {
            return unknown(say!("core.selftest.awake.refused"));
        }
        match awake.is_listed() {
            Some(true) => return Finding::passed([say!("core.selftest.awake.saw")]),
            Some(false) if begun.elapsed() < LIMIT => std::thread::park_timeout(STEP),
            Some(false) => {
                return Finding::failed(say!("core.selftest.awake.unlisted"), say!("core.report"));
            }
            None => return unknown(say!("core.selftest.awake.unasked")),
        }
    }
}
