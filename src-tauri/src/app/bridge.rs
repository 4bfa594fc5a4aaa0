//! What the window may ask: the whole api through one command, and a few small things of the app and the system.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatehouse_api::{Code, ErrorEnvelope, Event, Reply, Request, Snapshot, Text, say};
use serde::Serialize;
use tauri::AppHandle;

use super::backend::Seen;
use super::login::LoginItem;
use super::menu::Hosting;
use super::neighbour::{Asker, Neighbour};
use super::update::NewVersion;
use super::{shared, tray, window};
use crate::words::Language;

/// Longest file that the window may save, in bytes.
const FILE_BYTES: usize = 16 * 1024 * 1024;

/// Asks the core.
#[tauri::command]
pub(crate) async fn call(app: AppHandle, request: Request) -> Result<Reply, ErrorEnvelope> {
    shared(&app).backend.call(request).await
}

/// Who answers, as the window is told.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reach {
    /// Whether a core answers; `None` = it is not known yet.
    up: Option<bool>,
    /// Why none does, where that is known.
    why: Option<ErrorEnvelope>,
    /// Whether HTTPS ends with this app.
    hosting: bool,
}

impl Reach {
    /// What the window is told of what is known.
    pub(crate) fn of(seen: &Seen) -> Self {
        match seen {
            Seen::Starting => Self { up: None, why: None, hosting: false },
            Seen::Down(why) => Self { up: Some(false), why: why.clone(), hosting: false },
            Seen::Up(_, hosting) => Self { up: Some(true), why: None, hosting: *hosting == Hosting::Here },
        }
    }
}

/// The window is ready to hear: tells it what is known now.
#[tauri::command]
pub(crate) fn follow(app: AppHandle) {
    window::is_ready(&app);
    let seen = shared(&app).backend.seen();
    window::tell(&app, "core-up", &Reach::of(&seen));
    if let Seen::Up(snapshot, _) = seen {
        window::tell(&app, "core", &Event::Snapshot(Box::new(Snapshot::clone(&snapshot))));
    }
}

/// The language that was chosen in the window; `None` = the system's.
#[tauri::command]
pub(crate) fn choose_language(app: AppHandle, language: Option<Language>) {
    shared(&app).preferences.choose(language);
    tray::refresh(&app);
}

/// Whether the app opens when its user logs in.
#[tauri::command]
pub(crate) fn login_item() -> Option<LoginItem> {
    super::login::state()
}

/// Has the app open when its user logs in, or not.
#[tauri::command]
pub(crate) fn set_login_item(on: bool) -> Result<(), ErrorEnvelope> {
    super::login::set(on)
}

/// OpenClaw's own app, and who asks about devices.
#[tauri::command]
pub(crate) fn neighbour(app: AppHandle) -> Neighbour {
    Neighbour::of(&app)
}

/// Who asks about devices from now on.
#[tauri::command]
pub(crate) fn choose_asker(app: AppHandle, asker: Asker) {
    shared(&app).preferences.choose_asker(asker);
}

/// Whether this build updates itself.
#[tauri::command]
pub(crate) fn updates() -> bool {
    super::update::is_possible()
}

/// Looks for a newer version of the app, where releases are announced.
#[tauri::command]
pub(crate) async fn look_for_update(app: AppHandle) -> Result<Option<NewVersion>, ErrorEnvelope> {
    super::update::look(&app).await
}

/// Puts the newest version of the app in the place of this one and starts it.
#[tauri::command]
pub(crate) async fn install_update(app: AppHandle) -> Result<(), ErrorEnvelope> {
    super::update::install(&app).await
}

/// Ends the app.
#[tauri::command]
pub(crate) fn quit(app: AppHandle) {
    super::quit::quit(&app);
}

/// Hosts a core in this app, where the one that was shown went away.
#[tauri::command]
pub(crate) fn start_core(app: AppHandle) {
    shared(&app).backend.host();
}

/// Opens the owner's dashboard in the user's browser, once the link for it is made.
#[tauri::command]
pub(crate) async fn open_dashboard(app: AppHandle) -> Result<(), ErrorEnvelope> {
    super::dashboard::open(&app).await
}

/// Opens an address in the user's browser. Only https, and http for the gateway on this machine, and nothing behind a
/// question mark or a hash: the address is in the arguments of a program, where others can read it.
#[tauri::command]
pub(crate) fn open_url(url: String) -> Result<(), ErrorEnvelope> {
    let allowed =
        ["https://", "http://127.0.0.1:", "http://localhost:"].iter().any(|start| url.starts_with(start));
    let may_be_secret = url.contains(['#', '?', '@']);
    if !allowed || may_be_secret || url.chars().any(|char| char.is_control() || char.is_whitespace()) {
        return Err(ErrorEnvelope::new(Code::Usage, say!("app.not-opened"), say!("app.not-opened-because")));
    }
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started = Command::new(program)
        .arg(&url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(mut child) => {
            // The browser may live as long as it likes; somebody must take its exit status.
            tauri::async_runtime::spawn_blocking(move || child.wait());
            Ok(())
        }
        Err(error) => {
            Err(ErrorEnvelope::new(Code::Failed, say!("app.no-browser"), format!("{program}: {error}.")))
        }
    }
}

/// Puts text on the clipboard.
#[tauri::command]
pub(crate) fn copy_text(app: AppHandle, text: String) -> Result<(), ErrorEnvelope> {
    super::clipboard::put(&app, &text)
}

/// Puts the gateway's token on the clipboard for a minute. The page never sees it.
#[tauri::command]
pub(crate) async fn copy_token(app: AppHandle) -> Result<(), ErrorEnvelope> {
    match shared(&app).backend.call(Request::TokenReveal).await? {
        Reply::Secret(token) => super::clipboard::put_secret(&app, token).await,
        _ => Err(crate::session::unexpected()),
    }
}

/// Writes a file into the user's Downloads folder under a name that is free, and says where.
#[tauri::command]
pub(crate) async fn save_file(name: String, bytes: Vec<u8>, secret: bool) -> Result<String, ErrorEnvelope> {
    let downloads = std::env::var_os("HOME").map(|home| PathBuf::from(home).join("Downloads"));
    let downloads = downloads.ok_or_else(|| not_saved(say!("app.no-home")))?;
    keep(&downloads, &name, &bytes, secret).map(|path| path.display().to_string())
}

/// Never over a file that is there. `secret` = for nobody else's eyes.
fn keep(folder: &Path, name: &str, bytes: &[u8], secret: bool) -> Result<PathBuf, ErrorEnvelope> {
    let plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']) && name.len() < 100;
    if !plain || name.is_empty() || bytes.len() > FILE_BYTES {
        return Err(ErrorEnvelope::new(Code::Usage, say!("app.not-saved"), say!("app.not-saved-because")));
    }
    let failed = |path: &Path, error| not_saved(format!("{}: {error}.", path.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let path = (0..1000)
        .map(|number| if number == 0 { name.to_owned() } else { format!("{stem} {number}.{extension}") })
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .ok_or_else(|| not_saved(say!("app.many-files")))?;
    let mode = if secret { gatehouse_files::PRIVATE } else { gatehouse_files::PUBLIC };
    gatehouse_files::write_atomic(&path, bytes, mode).map_err(|error| failed(&path, error))?;
    Ok(path)
}

fn not_saved(because: impl Into<Text>) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Storage, say!("app.save-failed"), because)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_of_the_window_never_replaces_one_and_a_secret_is_for_its_owner() {
        let home = tempfile::tempdir().unwrap();
        let downloads = home.path().join("Downloads");
        let secret = keep(&downloads, "phone.p12", b"key", true).unwrap();
        let second = keep(&downloads, "phone.p12", b"another", false).unwrap();

        assert_eq!(
            (secret.file_name().unwrap(), second.file_name().unwrap()),
            ("phone.p12".as_ref(), "phone 1.p12".as_ref())
        );
        assert_eq!(std::fs::read(&secret).unwrap(), b"key");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&secret), mode(&second)), (0o600, 0o644));
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let home = tempfile::tempdir().unwrap();
        for name in ["../x", "a/b", "a\\b", ".bashrc", "", "x\0y", &"x".repeat(100)] {
            assert_eq!(keep(home.path(), name, b"", false).unwrap_err().code, Code::Usage, "{name:?}");
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
