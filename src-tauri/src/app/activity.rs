//! App Nap is for apps that have nothing to do while nobody looks: it slows timers, input and output, and a proxy with
//! them. This one works while its window is hidden. (`NSAppSleepDisabled` in Info.plist says the same; it counts only in
//! a bundle that the system has looked at.)

use objc2_foundation::{NSActivityOptions, NSProcessInfo, NSString};

/// Tells the system until this process ends. Idle sleep stays allowed: whether the machine may sleep is a setting.
pub(super) fn begin() {
    let options = NSActivityOptions::UserInitiatedAllowingIdleSystemSleep
        | NSActivityOptions::AutomaticTerminationDisabled
        | NSActivityOptions::SuddenTerminationDisabled;
    let reason = NSString::from_str("Gatehouse passes connections on to the gateway");
    let activity = NSProcessInfo::processInfo().beginActivityWithOptions_reason(options, &reason);
    // It ends when its object does: with the process.
    std::mem::forget(activity);
}
