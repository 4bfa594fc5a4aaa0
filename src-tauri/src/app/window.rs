//! The window: made when it is first wanted, hidden when it is closed.

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};

const LABEL: &str = "main";

/// Shows the window, at a page (`devices`) where one is asked for.
pub(crate) fn show(app: &AppHandle, page: Option<&str>) {
    let address = page.map_or_else(|| "index.html".to_owned(), |page| format!("index.html#/{page}"));
    let window = match app.get_webview_window(LABEL) {
        Some(window) => {
            if let Some(page) = page {
                tell(app, "go", &page);
            }
            Ok(window)
        }
        None => WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(address.into()))
            .title("Gatehouse")
            .inner_size(940.0, 620.0)
            .min_inner_size(760.0, 520.0)
            .build()
            .inspect(|window| {
                let hidden = window.clone();
                window.on_window_event(move |event| {
                    if let WindowEvent::CloseRequested { api, .. } = event {
                        api.prevent_close();
                        let _ = hidden.hide();
                    }
                });
            }),
    };
    let shown = window.and_then(|window| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    });
    if let Err(error) = shown {
        tracing::error!(%error, "the window could not be shown");
    }
}

/// Tells the window something, where there is one.
pub(crate) fn tell(app: &AppHandle, name: &str, what: &(impl Serialize + Clone)) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.emit(name, what)
    {
        tracing::warn!(%error, "the window was not told");
    }
}
