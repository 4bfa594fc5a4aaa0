//! The end of the app: what it hosts is put away properly, once, whoever asks for it.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tauri::AppHandle;
use tauri::async_runtime::JoinHandle;

use super::{shared, tray};
use crate::commands::serve::signals::Signals;

/// How long the system waits for us where it ends the app: a change that is rolled back may take half a minute.
const FINISH: Duration = Duration::from_secs(40);

/// Whether the app is ending.
#[derive(Debug, Default)]
pub(crate) struct State {
    under_way: AtomicBool,
    /// What makes it the one app of its state folder.
    only: Mutex<Option<JoinHandle<()>>>,
}

impl State {
    /// Whether the app is ending.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Keeps what makes it the one app, until its end begins.
    pub(crate) fn keep(&self, only: JoinHandle<()>) {
        *self.only.lock().unwrap_or_else(PoisonError::into_inner) = Some(only);
    }

    /// From now on another start is an app of its own: an update starts the new one before this one is gone, and who starts it
    /// again while it still ends wants it to run.
    async fn give_way(&self) {
        let only = self.only.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(only) = only {
            only.abort();
            let _ = only.await;
        }
    }
}

/// Ends the app: HTTPS that it hosts is turned off until the next start, requests in flight are finished.
pub(crate) fn quit(app: &AppHandle) {
    if shared(app).quit.under_way.swap(true, Ordering::SeqCst) {
        return;
    }
    tray::refresh(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let shared = shared(&app);
        shared.quit.give_way().await;
        shared.backend.stop().await;
        app.exit(0);
    });
}

/// The last moment of the process.
pub(crate) fn finish(app: &AppHandle) {
    let shared = shared(app);
    shared.copied.take_away();
    shared.dashboard.clean();
    let stopping = async {
        shared.quit.give_way().await;
        tokio::time::timeout(FINISH, shared.backend.stop()).await
    };
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
