//! The app as a login item of macOS 13 and later.

#![allow(unsafe_code)] // The service is an Objective-C class; each block says why it is sound.

use std::path::Path;

use objc2::runtime::AnyClass;
use objc2_service_management::{SMAppService, SMAppServiceStatus};

use super::LoginItem;

/// macOS 12 has no such service.
fn is_there() -> bool {
    AnyClass::get(c"SMAppService").is_some()
}

pub(super) fn state() -> Option<LoginItem> {
    if !is_there() {
        return None;
    }
    // SAFETY: the class is there, and these calls have no further conditions.
    let status = unsafe { SMAppService::mainAppService().status() };
    Some(match status {
        SMAppServiceStatus::Enabled => LoginItem::On,
        SMAppServiceStatus::RequiresApproval => LoginItem::NeedsApproval,
        _ => LoginItem::Off,
    })
}

/// The system knows the app by its bundle.
pub(super) fn set(on: bool, _program: &Path) -> Result<(), String> {
    // SAFETY: the window offers this only where `state` found the class; the calls have no further conditions.
    let done = unsafe {
        let service = SMAppService::mainAppService();
        if on { service.registerAndReturnError() } else { service.unregisterAndReturnError() }
    };
    done.map_err(|error| error.localizedDescription().to_string())
}
