//! The tray app: it hosts the core, or shows one that runs already, and keeps no state of its own.
//!
//! Closing the window hides it. A second start shows the first one's window and ends. A panic of a view ends neither
//! the core nor the edge: both run on threads of their own.

#[cfg(target_os = "macos")]
mod activity;
mod backend;
mod bridge;
mod clipboard;
mod dashboard;
mod handover;
mod login;
mod menu;
mod neighbour;
mod notify;
mod only;
mod preferences;
mod quit;
mod tray;
mod update;
mod window;

#[cfg(target_os = "macos")]
pub(crate) use notify::allowed as notifications_allowed;

use std::sync::Arc;

use gatehouse_api::{Code, ErrorEnvelope, Event, Snapshot, say};
use gatehouse_core::CoreOptions;
use tauri::{AppHandle, Manager, RunEvent};
use time::OffsetDateTime;

use crate::commands::serve::signals::Signals;
use crate::log;
use crate::output::when::Clock;
use crate::session::{Outcome, Session, Verdict, environment};
use backend::{Backend, News, Seen};
use only::OnlyApp;
use preferences::Preferences;

/// What every part of the app reaches.
pub(crate) struct Shared {
    backend: Backend,
    preferences: Preferences,
    clock: Clock,
    quit: quit::State,
    dashboard: dashboard::State,
    /// The secret that is on the clipboard.
    copied: clipboard::Copied,
}

/// Whether there is a screen to show anything on.
pub(crate) fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Runs until the user quits. Must be called on the main thread, outside of any runtime.
pub(crate) fn run(session: &Session, runtime: &tokio::runtime::Runtime) -> Outcome {
    log::start(&session.globals, session.out.remarks_look(), session.clock);
    tauri::async_runtime::set(runtime.handle().clone());
    let socket = session.socket()?;
    let home = session.home().ok().map(|home| home.path().to_owned());
    let Some(only) = runtime.block_on(OnlyApp::take(&socket, home.as_deref()))? else {
        return Ok(Verdict::Done);
    };
    let signals = {
        let _runtime = runtime.enter();
        Signals::new()
    };
    let signals = signals
        .map_err(|error| ErrorEnvelope::new(Code::Failed, say!("app.no-signals"), format!("{error}.")))?;
    let environment = environment();
    let (backend, news) = Backend::new(socket.clone(), CoreOptions { environment, ..CoreOptions::default() });
    let preferences = Preferences::load(home.map(|home| home.join("app.json")));
    let shared = Arc::new(Shared {
        backend,
        preferences,
        clock: session.clock,
        quit: quit::State::default(),
        dashboard: dashboard::State::new(&socket),
        copied: clipboard::Copied::default(),
    });
    let builder = tauri::Builder::default()
        .plugin(tauri_plugin_clipboard_manager::init())
        .manage(shared)
        .manage(window::Shown::default())
        .manage(notify::Told::default())
        .invoke_handler(tauri::generate_handler![
            bridge::call,
            bridge::follow,
            bridge::open_url,
            bridge::open_dashboard,
            bridge::copy_text,
            bridge::copy_token,
            bridge::save_file,
            bridge::start_core,
            bridge::choose_language,
            bridge::login_item,
            bridge::set_login_item,
            bridge::neighbour,
            bridge::choose_asker,
            bridge::updates,
            bridge::look_for_update,
            bridge::install_update,
            bridge::quit,
        ])
        .setup(move |app| {
            #[cfg(target_os = "macos")]
            {
                app.set_activation_policy(tauri::ActivationPolicy::Accessory);
                activity::begin();
            }
            start(app.handle(), only, signals, news)?;
            Ok(())
        });
    #[cfg(target_os = "macos")]
    let builder = builder.menu(tray::application_menu).plugin(tauri_plugin_updater::Builder::new().build());
    let app = builder.build(tauri::generate_context!()).map_err(|error| {
        let because = format!("{error}.");
        ErrorEnvelope::new(Code::Failed, say!("app.no-start"), because)
            .fix_with(say!("app.no-start-fix"), "gatehouse serve")
    })?;
    app.run(|app, event| match event {
        // Windows come and go; the app stays until it is told to quit.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        // Whoever ends the app (a logout, for example), what it hosts is put away first.
        RunEvent::Exit => quit::finish(app),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app, None),
        _ => {}
    });
    Ok(Verdict::Done)
}

/// Sets everything going.
fn start(
    app: &AppHandle,
    only: OnlyApp,
    signals: Signals,
    mut news: tokio::sync::mpsc::Receiver<News>,
) -> tauri::Result<()> {
    tray::create(app)?;
    login::follow();
    #[cfg(target_os = "macos")]
    notify::listen(app);
    tauri::async_runtime::spawn(shared(app).backend.clone().run());
    let hearing = app.clone();
    tauri::async_runtime::spawn(async move {
        while let Some(told) = news.recv().await {
            hear(&hearing, told);
        }
    });
    let asked = app.clone();
    shared(app).quit.keep(tauri::async_runtime::spawn(async move {
        loop {
            only.asked().await;
            window::show_soon(&asked, None);
        }
    }));
    tauri::async_runtime::spawn(quit::on_signal(app.clone(), signals));
    // Who starts it for the first time, or has no place for a tray icon, would otherwise see nothing at all.
    let first = app.clone();
    tauri::async_runtime::spawn(async move {
        if shared(&first).preferences.is_first_start() || !tray::has_host().await {
            window::show_soon(&first, None);
        }
    });
    Ok(())
}

/// What the core told goes to the tray, to notifications and to the window.
fn hear(app: &AppHandle, news: News) {
    let event = match news {
        News::Reach => {
            window::tell(app, "core-up", &bridge::Reach::of(&shared(app).backend.seen()));
            return tray::refresh(app);
        }
        News::Event(event) => event,
    };
    match event.as_ref() {
        Event::Devices(devices) => {
            notify::devices(app, devices);
            notify::expired(app, devices);
        }
        Event::Snapshot(snapshot) => {
            tray::refresh(app);
            notify::certificates(app, snapshot);
        }
        Event::Traffic(_) if !window::is_shown(app) => return,
        Event::Traffic(_) | Event::Progress(_) | Event::Lagged { .. } | Event::Stopping => {}
    }
    window::tell(app, "core", event.as_ref());
}

impl Shared {
    /// The state; `None` = no core answers.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        match self.backend.seen() {
            Seen::Up(snapshot, _) => Some(snapshot),
            Seen::Starting | Seen::Down(_) => None,
        }
    }

    /// The tray as it should be now.
    pub(crate) fn tray(&self) -> menu::Tray {
        let language = self.preferences.language();
        let now = OffsetDateTime::now_utc();
        if self.quit.is_under_way() {
            return menu::tray(menu::Core::Stopping, language, self.clock, now);
        }
        match self.backend.seen() {
            Seen::Starting => menu::tray(menu::Core::Starting, language, self.clock, now),
            Seen::Down(_) => menu::tray(menu::Core::Down, language, self.clock, now),
            Seen::Up(snapshot, hosting) => {
                let tray = menu::tray(menu::Core::Up(&snapshot, hosting), language, self.clock, now);
                if self.dashboard.is_opening() { menu::opening_dashboard(tray, language) } else { tray }
            }
        }
    }
}

/// What the app shares.
pub(crate) fn shared(app: &AppHandle) -> Arc<Shared> {
    Arc::clone(app.state::<Arc<Shared>>().inner())
}
