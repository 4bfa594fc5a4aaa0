//! The Keychain, or the Secret Service, with a throw-away item.

use std::time::Duration;

use gatehouse_api::say;
use gatehouse_host::secrets::{Kind, try_keychain};

use super::Finding;
use crate::errors::Explain as _;

/// A person may have to answer a question of the Keychain.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn check() -> Finding {
    match try_keychain(LIMIT) {
        Some(Ok(kind)) => Finding::passed([match kind {
            Kind::Keychain => say!("core.selftest.secrets.keychain"),
            Kind::SecretService | Kind::File => say!("core.selftest.secrets.service"),
        }]),
        Some(Err(error)) => {
            let error = error.explain();
            let fix = error.fix.map_or_else(|| say!("core.report"), |fix| fix.text);
            Finding::failed(error.because, fix)
        }
        None if cfg!(target_os = "macos") => Finding::failed(
            say!("core.selftest.secrets.no-keychain"),
            say!("core.selftest.secrets.fix-keychain"),
        ),
        None => Finding::unknown(say!("core.selftest.secrets.none"), say!("core.selftest.secrets.fix")),
    }
}
