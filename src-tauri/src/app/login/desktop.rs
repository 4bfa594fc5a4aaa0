//! An autostart file of the desktop.

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

/// Whether it is on and names a program that is no more.
pub(super) fn is_stale() -> bool {
    file().is_some_and(|file| is_stale_in(&file))
}

fn is_stale_in(file: &Path) -> bool {
    let text = read_bounded(file, FILE_BYTES).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // As we write it. What somebody else wrote there is theirs.
    let ours = text.lines().find_map(|line| line.strip_prefix("Exec=\"")?.strip_suffix('"'));
    let program = ours.map(|quoted| quoted.replace("%%", "%").replace(r"\\\\", r"\").replace(r"\\", ""));
    state_of(file) == Some(LoginItem::On) && program.is_some_and(|program| !Path::new(&program).exists())
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
    let quoted = path.replace('\\', r"\\\\").replace('"', r#"\\""#).replace('`', r"\\`").replace('$', r"\\$");
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
    fn it_follows_a_program_that_moved_and_leaves_one_alone_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) =
            (folder.path().join("gatehouse.desktop"), folder.path().join(r#"50% $a"b\c/gatehouse"#));
        assert!(!is_stale_in(&file), "there is none");
        set_in(&file, true, &program).unwrap();
        assert!(is_stale_in(&file));
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, "").unwrap();
        assert!(!is_stale_in(&file));
        std::fs::write(&file, "[Desktop Entry]\nExec=env X=1 /no/such/gatehouse\n").unwrap();
        assert!(!is_stale_in(&file), "somebody wrote it by hand");
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
