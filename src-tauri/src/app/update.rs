//! A newer version of the app, where it was not installed by a package manager: looked for and installed when the user says
//! so, never by itself.
//!
//! Guarantees: nothing is sent before a button is pressed; what is installed is signed for the version that was announced, with
//! the key that this build was made for. A build that was made for none has no such button.

use std::path::Path;

use gatehouse_host::presence;
use serde::Serialize;
#[cfg(not(target_os = "macos"))]
use {gatehouse_api::ErrorEnvelope, tauri::AppHandle};

/// A version that is newer than this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewVersion {
    version: String,
    /// What is new in it, as its publisher wrote it.
    notes: Option<String>,
}

/// Whether this build updates itself.
pub(crate) fn is_possible() -> bool {
    cfg!(target_os = "macos") && KEY.is_some() && std::env::current_exe().is_ok_and(|path| is_in_app(&path))
}

/// Whether a program is the one of an app that stays where it is. The updater replaces the folder around any other.
fn is_in_app(program: &Path) -> bool {
    let inside = program.parent().filter(|folder| folder.ends_with("Contents/MacOS"));
    let app = inside.and_then(Path::parent).and_then(Path::parent);
    app.is_some_and(|app| app.extension().is_some_and(|kind| kind == "app"))
        && !presence::is_fleeting(program)
}

/// The key that updates are signed with (minisign), when the build was made for one.
const KEY: Option<&str> = option_env!("GATEHOUSE_UPDATE_KEY");

#[cfg(target_os = "macos")]
pub(crate) use macos::{install, look};

/// No build for this system updates itself.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "macos"))]
pub(crate) async fn look(_app: &AppHandle) -> Result<Option<NewVersion>, ErrorEnvelope> {
    Ok(None)
}

/// No build for this system updates itself.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "macos"))]
pub(crate) async fn install(_app: &AppHandle) -> Result<(), ErrorEnvelope> {
    Ok(())
}

#[cfg(target_os = "macos")]
mod macos {
    use std::time::Duration;

    use gatehouse_api::{Code, ErrorEnvelope, say};
    use serde::Serialize;
    use tauri::AppHandle;
    use tauri_plugin_updater::{Error, Update, UpdaterExt as _};

    use super::{KEY, NewVersion};
    use crate::app::window;

    /// Where releases are announced.
    const ANNOUNCED: &str = "https://github.com/gatehouse-app/gatehouse/releases/latest/download/latest.json";
    /// The announcement is short.
    const LOOK: Duration = Duration::from_secs(30);
    /// An archive over a slow line.
    const PATIENCE: Duration = Duration::from_secs(30 * 60);

    /// How far the download is, in bytes.
    #[derive(Debug, Clone, Serialize)]
    struct Loaded {
        done: u64,
        of: Option<u64>,
    }

    /// Asks where releases are announced.
    ///
    /// # Errors
    /// The announcement cannot be had or read.
    pub(crate) async fn look(app: &AppHandle) -> Result<Option<NewVersion>, ErrorEnvelope> {
        let found = newest(app).await?;
        Ok(found.map(|update| NewVersion { version: update.version, notes: update.body }))
    }

    /// Loads the newest version, checks its signature, puts it in the place of this one and starts it.
    ///
    /// # Errors
    /// It cannot be loaded, is not signed for this build, or cannot be put there. This version is then as it was.
    pub(crate) async fn install(app: &AppHandle) -> Result<(), ErrorEnvelope> {
        let Some(mut update) = newest(app).await? else { return Ok(()) };
        // What the look was given is not handed on.
        update.timeout = Some(PATIENCE);
        let mut done = 0;
        let loaded = |bytes: usize, of: Option<u64>| {
            done += u64::try_from(bytes).unwrap_or(u64::MAX);
            window::tell(app, "update", &Loaded { done, of });
        };
        update.download_and_install(loaded, || {}).await.map_err(failed)?;
        // What this app hosts is put away at the exit of the loop.
        app.request_restart();
        Ok(())
    }

    async fn newest(app: &AppHandle) -> Result<Option<Update>, ErrorEnvelope> {
        let Some(key) = KEY else { return Ok(None) };
        // Another part of the program may have chosen already: it is the same one.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let url = option_env!("GATEHOUSE_UPDATE_URL").unwrap_or(ANNOUNCED);
        let url = url.parse().map_err(|error| failed(Error::Network(format!("{url}: {error}"))))?;
        let updater = app.updater_builder().pubkey(key).timeout(LOOK).endpoints(vec![url]);
        updater.and_then(|updater| updater.build()).map_err(failed)?.check().await.map_err(failed)
    }

    fn failed(error: Error) -> ErrorEnvelope {
        ErrorEnvelope::new(Code::Failed, say!("update.failed"), format!("{error}."))
            .fix(say!("update.failed-fix"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_of_an_app_is_replaced() {
        for (program, expected) in [
            ("/Applications/Gatehouse.app/Contents/MacOS/gatehouse", true),
            ("/Users/ada/Applications/Gatehouse.app/Contents/MacOS/gatehouse", true),
            ("/Users/ada/bin/gatehouse", false),
            ("/src/target/aarch64-apple-darwin/release/gatehouse", false),
            ("/Users/ada/Contents/MacOS/gatehouse", false),
            ("/Volumes/Gatehouse/Gatehouse.app/Contents/MacOS/gatehouse", false),
        ] {
            assert_eq!(is_in_app(Path::new(program)), expected, "{program}");
        }
    }
}
