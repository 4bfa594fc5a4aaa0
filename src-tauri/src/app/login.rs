//! Whether the app opens when its user logs in: a login item on macOS, an autostart file of the desktop elsewhere.
//!
//! Guarantee: what is kept names the program that runs, also after it was moved, and never one in a place that does not last.

#[cfg(not(target_os = "macos"))]
mod desktop;
#[cfg(target_os = "macos")]
mod macos;

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_host::presence;
use serde::Serialize;

#[cfg(not(target_os = "macos"))]
use desktop as system;
#[cfg(target_os = "macos")]
use macos as system;

/// Whether it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoginItem {
    /// It does not.
    Off,
    /// It does.
    On,
    /// The user switched it off in the system's settings, and only there it can be switched on again.
    #[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "only macOS asks the user again"))]
    NeedsApproval,
}

/// As it is now; `None` = this system cannot do it.
pub(crate) fn state() -> Option<LoginItem> {
    system::state()
}

/// Has it open at login, or not.
///
/// # Errors
/// The program is where it will not stay, or the system refuses.
pub(crate) fn set(on: bool) -> Result<(), ErrorEnvelope> {
    let failed = |error: String| ErrorEnvelope::new(Code::Storage, say!("login.failed"), error);
    let program = std::env::current_exe().map_err(|error| failed(format!("{error}.")))?;
    if on && presence::is_fleeting(&program) {
        let because = say!("login.fleeting-because", path = program.display());
        return Err(ErrorEnvelope::new(Code::Permission, say!("login.fleeting"), because)
            .fix(say!("login.fleeting-fix")));
    }
    system::set(on, &program).map_err(failed)
}

/// The program may have moved since: what is kept follows it, where it names one that is no more.
pub(crate) fn follow() {
    #[cfg(not(target_os = "macos"))]
    if desktop::is_stale()
        && let Err(error) = set(true)
    {
        tracing::warn!(because = %error.because, "what opens the app at login was not brought up to date");
    }
}
