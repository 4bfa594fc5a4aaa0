//! OpenClaw's own app, which asks about devices, too. Where both run, one of them asks: that one, unless the user says
//! otherwise. The other one shows the count.

use serde::{Deserialize, Serialize};
use tauri::AppHandle;

use super::shared;

/// What the official app calls itself to macOS.
#[cfg(target_os = "macos")]
const BUNDLE: &str = "ai.openclaw.mac";

/// Who asks the user about devices that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Asker {
    /// OpenClaw's app while it runs, else this one.
    #[default]
    OpenClaw,
    /// This app.
    Gatehouse,
}

/// The neighbour, as the window is told.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Neighbour {
    /// Whether OpenClaw's app runs; `None` = there is none for this system.
    runs: Option<bool>,
    asker: Asker,
}

impl Neighbour {
    /// As it is now.
    pub(crate) fn of(app: &AppHandle) -> Self {
        Self { runs: official_app_runs(), asker: shared(app).preferences.asker() }
    }

    /// Whether this app tells about devices that wait.
    pub(crate) fn leaves_it_to_us(self) -> bool {
        self.asker == Asker::Gatehouse || self.runs != Some(true)
    }
}

#[cfg(target_os = "macos")]
fn official_app_runs() -> Option<bool> {
    use objc2_app_kit::NSRunningApplication;
    use objc2_foundation::NSString;

    let bundle = NSString::from_str(BUNDLE);
    Some(!NSRunningApplication::runningApplicationsWithBundleIdentifier(&bundle).is_empty())
}

#[cfg(not(target_os = "macos"))]
fn official_app_runs() -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_app_asks_while_it_runs_unless_the_user_says_otherwise() {
        let asks = |runs, asker| Neighbour { runs, asker }.leaves_it_to_us();

        assert!(!asks(Some(true), Asker::OpenClaw));
        assert!(asks(Some(false), Asker::OpenClaw));
        assert!(asks(None, Asker::OpenClaw));
        assert!(asks(Some(true), Asker::Gatehouse));
    }
}
