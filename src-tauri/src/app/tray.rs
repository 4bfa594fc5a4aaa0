//! Draws the tray from its data, and carries out what is clicked. What is alike is written anew, not replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatehouse_api::{Code, Reply, Request, Scope};
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use super::menu::{self, Action, Entry, Icon, Shape, Tray, best};
use super::{clipboard, notify, quit, shared, window};

/// Changes within so long are drawn at once: a change of the address runs through many states, and to draw them all
/// is more than some desktops' tray hosts survive.
const DRAW_AFTER: Duration = Duration::from_millis(150);

/// The tray as it was last drawn.
struct Drawn {
    icon: TrayIcon,
    is_due: AtomicBool,
    shown: Mutex<Option<Shown>>,
}

struct Shown {
    tray: Tray,
    /// The rows in the order of [`menu::flat`].
    rows: Vec<Row>,
}

enum Row {
    Fixed,
    Text(MenuItem<Wry>),
    Tick(CheckMenuItem<Wry>),
    Menu(Submenu<Wry>),
}

/// Makes the tray icon.
pub(crate) fn create(app: &AppHandle) -> tauri::Result<()> {
    let icon = TrayIconBuilder::with_id("main")
        .icon(image(shared(app).tray().icon)?)
        .icon_as_template(true)
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| clicked(app, event.id().as_ref()))
        .build(app)?;
    app.manage(Drawn { icon, is_due: AtomicBool::new(false), shown: Mutex::new(None) });
    draw(app)
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
    let quit = MenuItem::with_id(
        app,
        Action::Quit.id(),
        language.text("menu.quit", &[]),
        true,
        Some("CmdOrCtrl+Q"),
    )?;
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

/// Draws the tray again, soon, where it changed.
pub(crate) fn refresh(app: &AppHandle) {
    if app.state::<Drawn>().is_due.swap(true, Ordering::SeqCst) {
        return;
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(DRAW_AFTER).await;
        let drawing = app.clone();
        // Menus belong to the main thread.
        let queued = app.run_on_main_thread(move || {
            drawing.state::<Drawn>().is_due.store(false, Ordering::SeqCst);
            if let Err(error) = draw(&drawing) {
                tracing::error!(%error, "the tray could not be drawn");
            }
        });
        if let Err(error) = queued {
            tracing::error!(%error, "the tray could not be drawn");
        }
    });
}

fn draw(app: &AppHandle) -> tauri::Result<()> {
    let tray = shared(app).tray();
    let drawn = app.state::<Drawn>();
    let mut shown = drawn.shown.lock().unwrap_or_else(PoisonError::into_inner);
    let before = shown.as_ref().map(|shown| &shown.tray);
    if before == Some(&tray) {
        return Ok(());
    }
    if before.is_none_or(|before| before.icon != tray.icon) {
        drawn.icon.set_icon_with_as_template(Some(image(tray.icon)?), true)?;
    }
    if before.is_none_or(|before| before.title != tray.title) {
        drawn.icon.set_title(Some(&tray.title))?;
    }
    if before.is_none_or(|before| before.tooltip != tray.tooltip) {
        drawn.icon.set_tooltip(Some(&tray.tooltip))?;
    }
    if let Some(shown) = shown.as_mut().filter(|shown| menu::is_alike(&shown.tray.menu, &tray.menu)) {
        // A menu that is open stays open.
        rewrite(&shown.rows, &tray.menu)?;
        shown.tray = tray;
        return Ok(());
    }
    let mut rows = Vec::new();
    let items = build(app, &tray.menu, &mut rows)?;
    let items: Vec<&dyn IsMenuItem<Wry>> = items.iter().map(AsRef::as_ref).collect();
    drawn.icon.set_menu(Some(Menu::with_items(app, &items)?))?;
    *shown = Some(Shown { tray, rows });
    Ok(())
}

/// Writes texts and ticks into rows that are there.
fn rewrite(rows: &[Row], entries: &[Entry]) -> tauri::Result<()> {
    for (row, entry) in rows.iter().zip(menu::flat(entries)) {
        match (row, entry) {
            (Row::Text(item), Entry::Label { text, .. } | Entry::Item { text, .. }) => item.set_text(text)?,
            (Row::Tick(item), Entry::Item { text, checked, .. }) => {
                item.set_text(text)?;
                item.set_checked(*checked == Some(true))?;
            }
            (Row::Menu(submenu), Entry::Submenu { text, .. }) => submenu.set_text(text)?,
            _ => {}
        }
    }
    Ok(())
}

fn build(
    app: &AppHandle,
    entries: &[Entry],
    rows: &mut Vec<Row>,
) -> tauri::Result<Vec<Box<dyn IsMenuItem<Wry>>>> {
    let mut items: Vec<Box<dyn IsMenuItem<Wry>>> = Vec::with_capacity(entries.len());
    for entry in entries {
        items.push(match entry {
            Entry::Separator => {
                rows.push(Row::Fixed);
                Box::new(PredefinedMenuItem::separator(app)?)
            }
            Entry::Label { id, text } => {
                let item = MenuItem::with_id(app, *id, text, false, None::<&str>)?;
                rows.push(Row::Text(item.clone()));
                Box::new(item)
            }
            Entry::Item { action, text, key, checked: None } => {
                let item = MenuItem::with_id(app, action.id(), text, true, *key)?;
                rows.push(Row::Text(item.clone()));
                Box::new(item)
            }
            Entry::Item { action, text, key, checked: Some(checked) } => {
                let item = CheckMenuItem::with_id(app, action.id(), text, true, *checked, *key)?;
                rows.push(Row::Tick(item.clone()));
                Box::new(item)
            }
            Entry::Submenu { id, text, entries } => {
                let at = rows.len();
                rows.push(Row::Fixed);
                let inner = build(app, entries, rows)?;
                let inner: Vec<&dyn IsMenuItem<Wry>> = inner.iter().map(AsRef::as_ref).collect();
                let submenu = Submenu::with_id_and_items(app, *id, text, true, &inner)?;
                rows[at] = Row::Menu(submenu.clone());
                Box::new(submenu)
            }
        });
    }
    Ok(items)
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
    reset_ticks(app);
    let Some(action) = find(&shared(app).tray().menu, id) else { return };
    match action {
        Action::Review => window::show(app, Some("overview/review")),
        Action::Window => window::show(app, None),
        Action::Settings => window::show(app, Some("settings")),
        Action::Problem => window::show(app, Some("overview")),
        Action::Phone => window::show(app, Some("overview/phone")),
        Action::OpenTo(Scope::Mac) => window::show(app, Some("overview/open-mac")),
        Action::OpenTo(Scope::Lan) => window::show(app, Some("overview/open-lan")),
        Action::OpenTo(Scope::Internet) => window::show(app, Some("overview/open-internet")),
        Action::TurnOff => window::show(app, Some("overview/close")),
        Action::Undo => window::show(app, Some("overview/undo")),
        Action::Dashboard => dashboard(app),
        Action::StopDashboard => ask(app, Request::DashboardLinkCancel),
        Action::Cancel => cancel(app),
        Action::RestartGateway => window::show(app, Some("gateway/restart")),
        Action::Gateway => window::show(app, Some("gateway")),
        Action::StartCore => shared(app).backend.host(),
        Action::Pause(seconds) => ask(app, Request::Pause { seconds }),
        Action::Resume => ask(app, Request::Resume),
        Action::CopyLink => {
            let url = shared(app)
                .snapshot()
                .and_then(|snapshot| best(&snapshot).map(|address| address.url.clone()));
            if let Some(url) = url
                && let Err(error) = clipboard::put(app, &url)
            {
                notify::trouble(app, &error);
            }
        }
        Action::Quit => quit::quit(app),
    }
}

/// A tick is set by what is, not by the click.
fn reset_ticks(app: &AppHandle) {
    let drawn = app.state::<Drawn>();
    let shown = drawn.shown.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shown) = shown.as_ref()
        && let Err(error) = rewrite(&shown.rows, &shown.tray.menu)
    {
        tracing::error!(%error, "the tray could not be drawn");
    }
}

fn find(entries: &[Entry], id: &str) -> Option<Action> {
    menu::flat(entries).into_iter().find_map(|entry| match entry {
        Entry::Item { action, .. } if action.id() == id => Some(action.clone()),
        Entry::Item { .. } | Entry::Label { .. } | Entry::Submenu { .. } | Entry::Separator => None,
    })
}

fn dashboard(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match super::dashboard::open(&app).await {
            // Who stopped it knows.
            Err(error) if error.code != Code::Cancelled => notify::trouble(&app, &error),
            Ok(()) | Err(_) => {}
        }
    });
}

/// A change that ended meanwhile needs no stopping.
fn cancel(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match shared(&app).backend.call(Request::CancelChange).await {
            Err(error) if error.code != Code::NotFound => notify::trouble(&app, &error),
            Ok(_) | Err(_) => {}
        }
    });
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
