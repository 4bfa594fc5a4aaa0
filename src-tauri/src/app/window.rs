//! The window: made when it is first wanted, hidden when it is closed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use super::shared;

const LABEL: &str = "main";

/// How long the page may take before the window is shown without it.
const BLANK: Duration = Duration::from_secs(2);

/// What is known of the window.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    is_shown: AtomicBool,
    is_ready: AtomicBool,
    /// It was asked for, has not been shown since, and was not closed since.
    is_awaited: AtomicBool,
    made: OnceLock<Instant>,
}

/// The page is loaded and hears: a window that waits for it is shown now, and was never seen empty.
pub(crate) fn is_ready(app: &AppHandle) {
    let state = app.state::<Shown>();
    if state.is_ready.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Some(made) = state.made.get() {
        tracing::debug!(milliseconds = made.elapsed().as_millis(), "the window is ready");
    }
    reveal_soon(app);
}

fn reveal_soon(app: &AppHandle) {
    let revealing = app.clone();
    if let Err(error) = app.run_on_main_thread(move || reveal(&revealing)) {
        tracing::error!(%error, "the window could not be shown");
    }
}

/// Shows the window to whoever waits for it. One that was shown empty and closed again stays closed when its page comes.
fn reveal(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if !app.state::<Shown>().is_awaited.swap(false, Ordering::SeqCst) {
        return;
    }
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    match shown {
        Ok(()) => app.state::<Shown>().is_shown.store(true, Ordering::SeqCst),
        Err(error) => tracing::error!(%error, "the window could not be shown"),
    }
}

/// Whether the window is on the screen.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    app.state::<Shown>().is_shown.load(Ordering::SeqCst)
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
    app.state::<Shown>().is_awaited.store(true, Ordering::SeqCst);
    match window(app, page) {
        Ok(()) if app.state::<Shown>().is_ready.load(Ordering::SeqCst) => reveal(app),
        // It is shown when its page is there, or is late.
        Ok(()) => {
            let late = app.clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(BLANK).await;
                if !late.state::<Shown>().is_ready.load(Ordering::SeqCst) {
                    reveal_soon(&late);
                }
            });
        }
        Err(error) => tracing::error!(%error, "the window could not be made"),
    }
}

fn window(app: &AppHandle, page: Option<&str>) -> tauri::Result<()> {
    if app.get_webview_window(LABEL).is_some() {
        if let Some(page) = page {
            tell(app, "go", &page);
        }
        return Ok(());
    }
    app.state::<Shown>().made.get_or_init(Instant::now);
    // The page and the tray speak one language; what the web view takes the system's for is not always it.
    let language = serde_json::to_string(&shared(app).preferences.language())?;
    let address = page.map_or_else(|| "index.html".to_owned(), |page| format!("index.html#/{page}"));
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(address.into()))
        .title("Gatehouse")
        .visible(false)
        .initialization_script(format!("window.gatehouseLanguage = {language};"))
        .inner_size(940.0, 620.0)
        .min_inner_size(760.0, 520.0)
        // The page takes dropped files itself: a certificate to be imported.
        .disable_drag_drop_handler()
        .build()?;
    // A window makes macOS show the app in the Dock again (tauri#12128).
    #[cfg(target_os = "macos")]
    app.set_activation_policy(tauri::ActivationPolicy::Accessory)?;
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            hidden.state::<Shown>().is_awaited.store(false, Ordering::SeqCst);
            match hidden.hide() {
                Ok(()) => hidden.state::<Shown>().is_shown.store(false, Ordering::SeqCst),
                Err(error) => tracing::error!(%error, "the window could not be hidden"),
            }
        }
    });
    Ok(())
}

/// Tells the window something, where there is one.
pub(crate) fn tell(app: &AppHandle, name: &str, what: &(impl Serialize + Clone)) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.emit(name, what)
    {
        tracing::warn!(%error, "the window was not told");
    }
}
