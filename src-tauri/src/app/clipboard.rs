//! The clipboard.

use gatehouse_api::{Code, ErrorEnvelope};
use tauri::AppHandle;
use tauri_plugin_clipboard_manager::ClipboardExt as _;

/// Puts text on the clipboard.
///
/// # Errors
/// `failed` where the system refuses.
pub(crate) fn put(app: &AppHandle, text: &str) -> Result<(), ErrorEnvelope> {
    app.clipboard().write_text(text).map_err(|error| {
        ErrorEnvelope::new(Code::Failed, "The clipboard refused the text", format!("{error}."))
    })
}
