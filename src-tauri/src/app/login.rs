//! Whether the app opens when its user logs in: a login item on macOS, an autostart file of the desktop elsewhere.
//!
//! Guarantee: what is kept names the program that runs, also after it was moved, and never one in a place that does not last.

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_host::presence;
use serde::Serialize;

#[cfg(not(target_os = "macos"))]
use desktop as system;
#[cfg(target_os = "macos")]
use macos as system;

/// Whether it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LoginItem {
    /// It does not.
    Off,
    /// It does.
    On,
    /// The user switched it off in the system's settings, and only there it can be switched on again.
    #[cfg_attr(not(target_os = "macos"), expect(dead_code, reason = "only macOS asks the user again"))]
    NeedsApproval,
}

/// As it is now; `None` = this system cannot do it.
pub(crate) fn state() -> Option<LoginItem> {
    system::state()
}

/// Has it open at login, or not.
///
/// # Errors
/// The program is where it will not stay, or the system refuses.
pub(crate) fn set(on: bool) -> Result<(), ErrorEnvelope> {
    let failed = |error: String| ErrorEnvelope::new(Code::Storage, say!("login.failed"), error);
    let program = std::env::current_exe().map_err(|error| failed(format!("{error}.")))?;
    if on && presence::is_fleeting(&program) {
        let because = say!("login.fleeting-because", path = program.display());
        return Err(ErrorEnvelope::new(Code::Permission, say!("login.fleeting"), because)
            .fix(say!("login.fleeting-fix")));
    }
    system::set(on, &program).map_err(failed)
}

/// The program may have moved since: what is kept follows it.
pub(crate) fn follow() {
    if cfg!(not(target_os = "macos"))
        && state() == Some(LoginItem::On)
        && let Err(error) = set(true)
    {
        tracing::warn!(because = %error.because, "what opens the app at login was not brought up to date");
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use std::path::Path;

    use objc2::runtime::AnyClass;
    use objc2_service_management::{SMAppService, SMAppServiceStatus};

    use super::LoginItem;

    /// macOS 12 has no such service.
    fn is_there() -> bool {
        AnyClass::get(c"SMAppService").is_some()
    }

    pub(super) fn state() -> Option<LoginItem> {
        if !is_there() {
            return None;
        }
        // SAFETY: the class is there, and these calls have no further conditions.
        let status = unsafe { SMAppService::mainAppService().status() };
        Some(match status {
            SMAppServiceStatus::Enabled => LoginItem::On,
            SMAppServiceStatus::RequiresApproval => LoginItem::NeedsApproval,
            _ => LoginItem::Off,
        })
    }

    /// The system knows the app by its bundle.
    pub(super) fn set(on: bool, _program: &Path) -> Result<(), String> {
        // SAFETY: the window offers this only where `state` found the class; the calls have no further conditions.
        let done = unsafe {
            let service = SMAppService::mainAppService();
            if on { service.registerAndReturnError() } else { service.unregisterAndReturnError() }
        };
        done.map_err(|error| error.localizedDescription().to_string())
    }
}

#[cfg(not(target_os = "macos"))]
mod desktop {
    use std::io;
    use std::path::{Path, PathBuf};

    use gatehouse_files::{PUBLIC, read_bounded, write_atomic};

    use super::LoginItem;

    /// Our own file is smaller.
    const FILE_BYTES: u64 = 64 * 1024;

    /// Where desktops look for what opens at login (freedesktop's autostart specification).
    fn file() -> Option<PathBuf> {
        let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
        Some(config.join("autostart").join("gatehouse.desktop"))
    }

    pub(super) fn state() -> Option<LoginItem> {
        state_of(&file()?)
    }

    pub(super) fn set(on: bool, program: &Path) -> Result<(), String> {
        let file = file().ok_or("There is no home folder.")?;
        set_in(&file, on, program).map_err(|error| format!("{}: {error}.", file.display()))
    }

    fn state_of(file: &Path) -> Option<LoginItem> {
        let text = read_bounded(file, FILE_BYTES).ok()?.unwrap_or_default();
        // Desktops have a switch of their own for what is in this folder.
        let off = ["Hidden=true", "X-GNOME-Autostart-enabled=false"];
        let is_off = String::from_utf8_lossy(&text).lines().any(|line| off.contains(&line.trim()));
        Some(if text.is_empty() || is_off { LoginItem::Off } else { LoginItem::On })
    }

    fn set_in(file: &Path, on: bool, program: &Path) -> io::Result<()> {
        if !on {
            return match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let text = entry(program)?;
        if read_bounded(file, FILE_BYTES)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        write_atomic(file, text.as_bytes(), PUBLIC)
    }

    fn entry(program: &Path) -> io::Result<String> {
        let path = program.to_str().filter(|path| !path.chars().any(char::is_control));
        let path = path.ok_or_else(|| io::Error::other("the program's path cannot be written into it"))?;
        // Quoted as the specification wants it, once for the key and once for the string.
        let quoted =
            path.replace('\\', r"\\\\").replace('"', r#"\\""#).replace('`', r"\\`").replace('$', r"\\$");
        let quoted = quoted.replace('%', "%%");
        Ok(format!(
            "[Desktop Entry]\nType=Application\nName=Gatehouse\nExec=\"{quoted}\"\nIcon=gatehouse\nTerminal=false\n"
        ))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn it_opens_at_login_until_it_does_not_and_follows_the_program() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("autostart/gatehouse.desktop");
            assert_eq!(state_of(&file), Some(LoginItem::Off));
            set_in(&file, false, Path::new("/usr/bin/gatehouse")).unwrap();

            set_in(&file, true, Path::new("/opt/my tools/50%/gatehouse")).unwrap();
            assert_eq!(state_of(&file), Some(LoginItem::On));
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains("Exec=\"/opt/my tools/50%%/gatehouse\"\n"), "{text}");
            set_in(&file, true, Path::new("/usr/bin/gatehouse")).unwrap();
            assert!(std::fs::read_to_string(&file).unwrap().contains("Exec=\"/usr/bin/gatehouse\"\n"));

            set_in(&file, false, Path::new("/usr/bin/gatehouse")).unwrap();
            assert_eq!(state_of(&file), Some(LoginItem::Off));
            assert!(set_in(&file, true, Path::new("/opt/a\nExec=evil/gatehouse")).is_err());
            assert!(!file.exists());
        }

        #[test]
        fn what_the_desktop_switched_off_is_off() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("gatehouse.desktop");
            set_in(&file, true, Path::new("/usr/bin/gatehouse")).unwrap();
            let on = std::fs::read_to_string(&file).unwrap();
            for line in ["Hidden=true", "X-GNOME-Autostart-enabled=false"] {
                std::fs::write(&file, format!("{on}{line}\n")).unwrap();
                assert_eq!(state_of(&file), Some(LoginItem::Off), "{line}");
            }
        }
    }
}
