//! The clipboard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatehouse_api::{Code, ErrorEnvelope, SecretText, say};
use tauri::AppHandle;
use tauri_plugin_clipboard_manager::ClipboardExt as _;

use super::shared;
use crate::clipboard::{Secret, hold};

/// How long a secret stays on the clipboard.
const STAYS: Duration = Duration::from_secs(60);

/// Puts text on the clipboard.
///
/// # Errors
/// `failed` where the system refuses.
pub(crate) fn put(app: &AppHandle, text: &str) -> Result<(), ErrorEnvelope> {
    app.clipboard()
        .write_text(text)
        .map_err(|error| ErrorEnvelope::new(Code::Failed, say!("app.no-clipboard"), format!("{error}.")))
}

/// Puts a secret on the clipboard, hidden from histories, and takes it away after a minute or at the end of the app.
///
/// # Errors
/// `failed` where the system refuses.
pub(crate) async fn put_secret(app: &AppHandle, text: SecretText) -> Result<(), ErrorEnvelope> {
    let held = tokio::task::spawn_blocking(move || hold(&text, STAYS)).await.map_err(|error| {
        ErrorEnvelope::new(Code::Failed, say!("core.token.no-clipboard"), error.to_string())
    })??;
    let number = shared(app).copied.keep(held);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(STAYS).await;
        let over = move || shared(&app).copied.is_over(number);
        let _ = tokio::task::spawn_blocking(over).await;
    });
    Ok(())
}

/// The secret that is on the clipboard now. One that is copied again stays its full time.
#[derive(Debug, Default)]
pub(crate) struct Copied(Mutex<(u64, Option<Secret>)>);

impl Copied {
    fn keep(&self, secret: Secret) -> u64 {
        let mut copied = self.lock();
        copied.0 += 1;
        copied.1 = Some(secret);
        copied.0
    }

    fn is_over(&self, number: u64) {
        if self.lock().0 == number {
            self.take_away();
        }
    }

    /// Takes it away, where it is still there.
    pub(crate) fn take_away(&self) {
        let secret = self.lock().1.take();
        if let Some(secret) = secret {
            secret.take_away();
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<Secret>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
