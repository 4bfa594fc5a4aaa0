//! Draws the tray from its data, and carries out what is clicked.

use std::sync::Mutex;

use gatehouse_api::{Reply, Request, Scope};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use super::menu::{Action, Entry, Icon, Shape, Tray, best};
use super::{clipboard, notify, quit, shared, window};

/// The tray as it was last drawn: an equal one is not drawn again.
struct Drawn {
    icon: TrayIcon,
    shown: Mutex<Option<Tray>>,
}

/// Makes the tray icon.
pub(crate) fn create(app: &AppHandle) -> tauri::Result<()> {
    let icon = TrayIconBuilder::with_id("main")
        .icon(image(Icon { shape: Shape::Off, waiting: false })?)
        .icon_as_template(true)
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| clicked(app, event.id().as_ref()))
        .build(app)?;
    app.manage(Drawn { icon, shown: Mutex::new(None) });
    refresh(app);
    Ok(())
}

/// Whether anything shows tray icons. macOS does; on Linux a desktop may have nothing for them.
pub(crate) async fn has_host() -> bool {
    #[cfg(target_os = "linux")]
    return super::notify::has_tray_host().await;
    #[cfg(not(target_os = "linux"))]
    return true;
}

/// The menu of the application: never seen, but its keys (copy, paste, close, quit) work in the window.
#[cfg(target_os = "macos")]
pub(crate) fn application_menu(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let language = shared(app).preferences.language();
    let quit = MenuItem::with_id(app, Action::Quit.id(), language.text("menu.quit", &[]), true, Some("CmdOrCtrl+Q"))?;
    let edit: [&dyn IsMenuItem<Wry>; 6] = [
        &PredefinedMenuItem::undo(app, None)?,
        &PredefinedMenuItem::redo(app, None)?,
        &PredefinedMenuItem::cut(app, None)?,
        &PredefinedMenuItem::copy(app, None)?,
        &PredefinedMenuItem::paste(app, None)?,
        &PredefinedMenuItem::select_all(app, None)?,
    ];
    let window: [&dyn IsMenuItem<Wry>; 2] =
        [&PredefinedMenuItem::minimize(app, None)?, &PredefinedMenuItem::close_window(app, None)?];
    let menus: [&dyn IsMenuItem<Wry>; 3] = [
        &Submenu::with_items(app, "Gatehouse", true, &[&quit])?,
        &Submenu::with_items(app, "Edit", true, &edit)?,
        &Submenu::with_items(app, "Window", true, &window)?,
    ];
    Menu::with_items(app, &menus)
}

/// Draws the tray again where it changed.
pub(crate) fn refresh(app: &AppHandle) {
    let tray = shared(app).tray();
    let app = app.clone();
    // Menus belong to the main thread.
    let queued = app.clone().run_on_main_thread(move || {
        if let Err(error) = draw(&app, &tray) {
            tracing::error!(%error, "the tray could not be drawn");
        }
    });
    if let Err(error) = queued {
        tracing::error!(%error, "the tray could not be drawn");
    }
}

fn draw(app: &AppHandle, tray: &Tray) -> tauri::Result<()> {
    let drawn = app.state::<Drawn>();
    let mut shown = drawn.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = shown.as_ref();
    if before == Some(tray) {
        return Ok(());
    }
    if before.is_none_or(|before| before.icon != tray.icon) {
        drawn.icon.set_icon_with_as_template(Some(image(tray.icon)?), true)?;
    }
    drawn.icon.set_title(Some(&tray.title))?;
    drawn.icon.set_tooltip(Some(&tray.tooltip))?;
    if before.is_none_or(|before| before.menu != tray.menu) {
        let rows = rows(app, &tray.menu)?;
        let rows: Vec<&dyn IsMenuItem<Wry>> = rows.iter().map(AsRef::as_ref).collect();
        drawn.icon.set_menu(Some(Menu::with_items(app, &rows)?))?;
    }
    *shown = Some(tray.clone());
    Ok(())
}

fn rows(app: &AppHandle, entries: &[Entry]) -> tauri::Result<Vec<Box<dyn IsMenuItem<Wry>>>> {
    entries.iter().map(|entry| row(app, entry)).collect()
}

fn row(app: &AppHandle, entry: &Entry) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    Ok(match entry {
        Entry::Separator => Box::new(PredefinedMenuItem::separator(app)?),
        Entry::Label { id, text } => Box::new(MenuItem::with_id(app, *id, text, false, None::<&str>)?),
        Entry::Item { action, text, key, checked: None } => {
            Box::new(MenuItem::with_id(app, action.id(), text, true, *key)?)
        }
        Entry::Item { action, text, key, checked: Some(checked) } => {
            Box::new(CheckMenuItem::with_id(app, action.id(), text, true, *checked, *key)?)
        }
        Entry::Submenu { id, text, entries } => {
            let inner = rows(app, entries)?;
            let inner: Vec<&dyn IsMenuItem<Wry>> = inner.iter().map(AsRef::as_ref).collect();
            Box::new(Submenu::with_id_and_items(app, *id, text, true, &inner)?)
        }
    })
}

fn image(icon: Icon) -> tauri::Result<Image<'static>> {
    macro_rules! png {
        ($name:literal) => {
            Image::from_bytes(if icon.waiting {
                include_bytes!(concat!("../../../icons/tray/", $name, "-waiting.png")).as_slice()
            } else {
                include_bytes!(concat!("../../../icons/tray/", $name, ".png")).as_slice()
            })
        };
    }
    match icon.shape {
        Shape::Off => png!("off"),
        Shape::Preparing => png!("preparing"),
        Shape::On => png!("on"),
        Shape::Degraded => png!("degraded"),
        Shape::Blocked => png!("blocked"),
        Shape::Paused => png!("paused"),
    }
}

/// Carries out a click. What changes who may reach the gateway goes through the window, where its plan is seen.
fn clicked(app: &AppHandle, id: &str) {
    // A tick is set by what is, not by the click.
    refresh_ticks(app);
    let Some(action) = find(&shared(app).tray().menu, id) else { return };
    match action {
        Action::Review => window::show(app, Some("devices")),
        Action::Window => window::show(app, None),
        Action::Settings => window::show(app, Some("settings")),
        Action::Problem => window::show(app, Some("overview")),
        Action::Phone => window::show(app, Some("overview/phone")),
        Action::OpenTo(Scope::Mac) => window::show(app, Some("overview/open-mac")),
        Action::OpenTo(Scope::Lan) => window::show(app, Some("overview/open-lan")),
        Action::OpenTo(Scope::Internet) => window::show(app, Some("overview/open-internet")),
        Action::TurnOff => window::show(app, Some("overview/close")),
        Action::Undo => window::show(app, Some("overview/undo")),
        Action::Gateway => window::show(app, Some("gateway")),
        Action::StartCore => shared(app).backend.host(),
        Action::Pause(seconds) => ask(app, Request::Pause { seconds }),
        Action::Resume => ask(app, Request::Resume),
        Action::CopyLink => {
            let url = shared(app).snapshot().and_then(|snapshot| best(&snapshot).map(|address| address.url.clone()));
            if let Some(url) = url
                && let Err(error) = clipboard::put(app, &url)
            {
                notify::trouble(app, &error);
            }
        }
        Action::Quit => quit::quit(app),
    }
}

fn refresh_ticks(app: &AppHandle) {
    let drawn = app.state::<Drawn>();
    *drawn.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    refresh(app);
}

fn find(entries: &[Entry], id: &str) -> Option<Action> {
    entries.iter().find_map(|entry| match entry {
        Entry::Item { action, .. } if action.id() == id => Some(action.clone()),
        Entry::Submenu { entries, .. } => find(entries, id),
        Entry::Item { .. } | Entry::Label { .. } | Entry::Separator => None,
    })
}

fn ask(app: &AppHandle, request: Request) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let answer: Result<Reply, _> = shared(&app).backend.call(request).await;
        if let Err(error) = answer {
            notify::trouble(&app, &error);
        }
    });
}
