//! A secret on the clipboard: marked so that clipboard histories leave it out, and taken away again.
//!
//! The marks are those that password managers use: `org.nspasteboard.ConcealedType` on macOS, `x-kde-passwordManagerHint`
//! on Linux. Whether the secret is still there is asked before it is taken away: what somebody copied since stays.

use std::fmt;
use std::time::{Duration, Instant};

#[cfg(target_os = "macos")]
use arboard::SetExtApple as _;
#[cfg(target_os = "linux")]
use arboard::SetExtLinux as _;
use arboard::{Clipboard, Error};
use gatehouse_api::{Code, ErrorEnvelope, SecretText, say};

/// A secret that is on the clipboard. It stays there only as long as this lives, where the system has no clipboard of
/// its own (X11, Wayland).
pub(crate) struct Secret {
    clipboard: Clipboard,
    text: SecretText,
    until: Instant,
}

/// Puts a secret on the clipboard for so long.
///
/// # Errors
/// `failed` where there is no clipboard, or it refuses.
pub(crate) fn hold(text: &SecretText, length: Duration) -> Result<Secret, ErrorEnvelope> {
    let mut clipboard = Clipboard::new().map_err(|error| refused(&error))?;
    clipboard.set().exclude_from_history().text(text.expose()).map_err(|error| refused(&error))?;
    Ok(Secret { clipboard, text: text.clone(), until: Instant::now() + length })
}

impl Secret {
    /// Waits until its time is over.
    pub(crate) async fn over(&self) {
        tokio::time::sleep_until(self.until.into()).await;
    }

    /// Takes it away, where it is still there. May block for a moment. Returns whether it was.
    pub(crate) fn take_away(mut self) -> bool {
        let ours = self.clipboard.get_text().is_ok_and(|now| now == self.text.expose());
        ours && self.clipboard.clear().is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("until", &self.until).finish_non_exhaustive()
    }
}

/// The library's words never hold the text.
fn refused(error: &Error) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Failed, say!("core.token.no-clipboard"), format!("{error}."))
}
