//! The window: made when it is first wanted, hidden when it is closed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

const LABEL: &str = "main";

/// Whether the window is on the screen, and when it was made.
#[derive(Debug, Default)]
pub(crate) struct Shown(AtomicBool, OnceLock<Instant>);

/// The page is loaded and hears.
pub(crate) fn is_ready(app: &AppHandle) {
    if let Some(made) = app.state::<Shown>().1.get() {
        tracing::debug!(milliseconds = made.elapsed().as_millis(), "the window is ready");
    }
}

/// Whether the window is on the screen.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    app.state::<Shown>().0.load(Ordering::Relaxed)
}

/// [`show`], from any thread.
pub(crate) fn show_soon(app: &AppHandle, page: Option<&'static str>) {
    let showing = app.clone();
    if let Err(error) = app.run_on_main_thread(move || show(&showing, page)) {
        tracing::error!(%error, "the window could not be shown");
    }
}

/// Shows the window, at a page (`devices`) or with a sheet of it (`overview/undo`) where one is asked for. Windows
/// belong to the main thread.
pub(crate) fn show(app: &AppHandle, page: Option<&str>) {
    let shown = window(app, page).and_then(|window| {
        window.show()?;
        window.unminimize()?;
        window.set_focus()
    });
    match shown {
        Ok(()) => app.state::<Shown>().0.store(true, Ordering::Relaxed),
        Err(error) => tracing::error!(%error, "the window could not be shown"),
    }
}

fn window(app: &AppHandle, page: Option<&str>) -> tauri::Result<WebviewWindow> {
    if let Some(window) = app.get_webview_window(LABEL) {
        if let Some(page) = page {
            tell(app, "go", &page);
        }
        return Ok(window);
    }
    app.state::<Shown>().1.get_or_init(Instant::now);
    let address = page.map_or_else(|| "index.html".to_owned(), |page| format!("index.html#/{page}"));
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(address.into()))
        .title("Gatehouse")
        .inner_size(940.0, 620.0)
        .min_inner_size(760.0, 520.0)
        .build()?;
    // A window makes macOS show the app in the Dock again (tauri#12128).
    #[cfg(target_os = "macos")]
    app.set_activation_policy(tauri::ActivationPolicy::Accessory)?;
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            match hidden.hide() {
                Ok(()) => hidden.state::<Shown>().0.store(false, Ordering::Relaxed),
                Err(error) => tracing::error!(%error, "the window could not be hidden"),
            }
        }
    });
    Ok(window)
}

/// Tells the window something, where there is one.
pub(crate) fn tell(app: &AppHandle, name: &str, what: &(impl Serialize + Clone)) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.emit(name, what)
    {
        tracing::warn!(%error, "the window was not told");
    }
}
