//! launchd or systemd, with a harmless job.

use gatehouse_api::{Text, say};
use gatehouse_host::jobs::JobError;
use gatehouse_host::jobs::trial::{self, TrialError};
use gatehouse_host::process;

use super::room::Room;
use super::{Finding, blocking};

pub(super) async fn check(room: &Room) -> Finding {
    let folder = room.folder.clone();
    blocking(move || match trial::round_trip(&folder, process::uid()) {
        Ok(_) => Finding::passed([say!("core.selftest.service.saw", manager = manager(), job = trial::NAME)]),
        Err(error) => explained(&error),
    })
    .await
}

fn manager() -> &'static str {
    if cfg!(target_os = "macos") { "launchd" } else { "systemd" }
}

fn explained(error: &TrialError) -> Finding {
    let said = match error {
        TrialError::Job(JobError::NoManager { said }) => Text::from(said),
        _ => Text::from(error.to_string()),
    };
    match error {
        TrialError::Job(JobError::NoManager { .. } | JobError::Run { .. }) => Finding::unknown(
            say!("core.selftest.service.none", error = said),
            if cfg!(target_os = "macos") {
                say!("core.selftest.service.fix-launchd")
            } else {
                say!("core.selftest.service.fix-systemd")
            },
        ),
        TrialError::Io { .. } | TrialError::Job(_) | TrialError::Untrue(_) => Finding::failed(
            say!("core.selftest.service.failed", manager = manager(), error = said),
            say!("core.selftest.service.fix"),
        ),
        _ => Finding::failed(said, say!("core.report")),
    }
}
