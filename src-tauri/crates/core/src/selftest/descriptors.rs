//! Open files: two for each WebSocket.

use std::fs::File;
use std::io;

use gatehouse_api::say;
use gatehouse_host::process;

use super::Finding;

/// So many are opened: more than the 256 with which macOS starts programs, enough for a thousand WebSockets.
const OPENED: usize = 2_048;

pub(super) fn check() -> Finding {
    let limit = match process::raise_descriptor_limit() {
        Ok(limit) => limit,
        Err(error) => {
            return Finding::failed(
                say!("core.selftest.descriptors.not-raised", error = error),
                say!("core.selftest.descriptors.fix"),
            );
        }
    };
    let opened = (0..OPENED).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>();
    match opened {
        Ok(files) => {
            Finding::passed([say!("core.selftest.descriptors.saw", limit = limit, opened = files.len())])
        }
        Err(error) => Finding::failed(
            say!("core.selftest.descriptors.few", limit = limit, wanted = OPENED, error = error),
            say!("core.selftest.descriptors.fix"),
        ),
    }
}
