//! The end of the app: what it hosts is put away properly, once, whoever asks for it.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tauri::AppHandle;

use super::{shared, tray};
use crate::commands::serve::signals::Signals;

/// How long the system waits for us where it ends the app: a change that is rolled back may take half a minute.
const FINISH: Duration = Duration::from_secs(40);

/// Whether the app is ending.
#[derive(Debug, Default)]
pub(crate) struct State(AtomicBool);

impl State {
    /// Whether the app is ending.
    pub(crate) fn is_under_way(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Ends the app: HTTPS that it hosts is turned off until the next start, requests in flight are finished.
pub(crate) fn quit(app: &AppHandle) {
    if shared(app).quit.0.swap(true, Ordering::SeqCst) {
        return;
    }
    tray::refresh(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        shared(&app).backend.stop().await;
        app.exit(0);
    });
}

/// The last moment of the process.
pub(crate) fn finish(app: &AppHandle) {
    let shared = shared(app);
    shared.copied.take_away();
    let stopping = async { tokio::time::timeout(FINISH, shared.backend.stop()).await };
    if tauri::async_runtime::block_on(stopping).is_err() {
        tracing::warn!("the core did not stop in time; the next start repairs what it left");
    }
}

/// The first signal quits, the second ends the process at once.
pub(crate) async fn on_signal(app: AppHandle, mut signals: Signals) {
    let signal = signals.next().await;
    tracing::info!(signal = signal.name, "stopping; once more stops at once");
    quit(&app);
    process::exit(128 + signals.next().await.number);
}
