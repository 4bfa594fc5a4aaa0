//! The tray app: it hosts the core, or shows one that runs already, and keeps no state of its own.
//!
//! Closing the window hides it. A second start shows the first one's window and ends. A panic of a view ends neither
//! the core nor the edge: both run on threads of their own.

mod backend;
mod bridge;
mod clipboard;
mod menu;
mod notify;
mod tray;
mod window;

use std::process::ExitCode;
use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, Event, Snapshot};
use tauri::{AppHandle, Manager, RunEvent};
use time::OffsetDateTime;

use crate::output::when::Clock;
use crate::session::Session;
use crate::words::Language;
use backend::{Backend, News, OnlyApp};

/// What every part of the app reaches.
pub(crate) struct Shared {
    backend: Backend,
    language: Language,
    clock: Clock,
}

/// Runs until the user quits. Must be called on the main thread, inside a runtime.
pub(crate) fn run(session: &Session, runtime: &tokio::runtime::Runtime) -> ExitCode {
    tauri::async_runtime::set(runtime.handle().clone());
    let socket = match session.socket() {
        Ok(path) => path,
        Err(error) => return fail(&error),
    };
    let _only = match runtime.block_on(OnlyApp::take(&socket)) {
        Ok(Some(only)) => only,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => return fail(&error),
    };
    let (backend, mut news) = Backend::new(socket);
    let shared = Arc::new(Shared { backend: backend.clone(), language: language(), clock: session.clock });
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_clipboard_manager::init())
        .manage(Arc::clone(&shared))
        .invoke_handler(tauri::generate_handler![
            bridge::call,
            bridge::follow,
            bridge::open_url,
            bridge::copy_text,
            bridge::save_file,
            bridge::start_core,
        ])
        .setup(move |app| {
            #[cfg(target_os = "macos")]
            app.set_activation_policy(tauri::ActivationPolicy::Accessory);
            let handle = app.handle().clone();
            tray::create(&handle)?;
            tauri::async_runtime::spawn(backend.run());
            tauri::async_runtime::spawn(async move {
                while let Some(told) = news.recv().await {
                    hear(&handle, told);
                }
            });
            Ok(())
        })
        .build(tauri::generate_context!());
    let app = match built {
        Ok(app) => app,
        Err(error) => {
            let because = format!("{error}. On a machine without a display, use `gatehouse serve`.");
            return fail(&ErrorEnvelope::new(Code::Failed, "The tray app could not start", because));
        }
    };
    app.run(|_app, event| {
        // Windows come and go; the app stays until it is told to quit.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
    ExitCode::SUCCESS
}

/// What the core told goes to the tray, to notifications and to the window.
fn hear(app: &AppHandle, news: News) {
    match news {
        News::Up(up) => window::tell(app, "core-up", &up),
        News::Event(event) => {
            match event.as_ref() {
                Event::Devices(devices) => notify::devices(app, devices),
                Event::ShowWindow => window::show(app, None),
                Event::Snapshot(_) | Event::Progress(_) | Event::Traffic(_) | Event::Lagged { .. } | Event::Stopping => {}
            }
            window::tell(app, "core", event.as_ref());
        }
    }
    tray::refresh(app);
}

impl Shared {
    /// The state; `None` = no core answers.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.backend.snapshot()
    }

    /// The tray as it should be now.
    pub(crate) fn tray(&self) -> menu::Tray {
        let snapshot = self.snapshot();
        menu::tray(snapshot.as_deref(), self.backend.hosting(), self.language, self.clock, OffsetDateTime::now_utc())
    }
}

/// What the app shares.
pub(crate) fn shared(app: &AppHandle) -> Arc<Shared> {
    Arc::clone(app.state::<Arc<Shared>>().inner())
}

fn language() -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Language::of_locale(&locale.unwrap_or_default())
}

fn fail(error: &ErrorEnvelope) -> ExitCode {
    tracing::error!(code = ?error.code, "{error}");
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("Failed: {error}\n"));
    ExitCode::from(error.code.exit_status())
}
