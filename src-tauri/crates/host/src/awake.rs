//! Keeping the machine awake while it serves.
//!
//! Guarantees: the machine is held awake only as long as the value lives, also where this process is killed: the
//! system's own program that holds the assertion watches us. What holds it is visible to everybody (`pmset -g
//! assertions`, `systemd-inhibit --list`) under our name.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// When the machine stays awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// While it is on mains power; on battery it may sleep. (systemd tells no difference: see [`on_battery`].)
    OnMains,
    /// Always; closing the lid of a portable still puts it to sleep.
    Always,
}

/// Holds the machine awake.
#[derive(Debug)]
pub struct Awake {
    holder: Child,
    /// When.
    pub when: When,
}

impl Awake {
    /// Begins. Starts a small program of the system that lives as long as this value.
    ///
    /// # Errors
    /// The program cannot be started; on Linux `systemd-inhibit` is missing where there is no systemd.
    pub fn hold(when: When) -> io::Result<Self> {
        let (program, arguments) = command(when, std::process::id());
        Self::by(&program, &arguments, when)
    }

    fn by(program: &str, arguments: &[String], when: When) -> io::Result<Self> {
        let quiet = Stdio::null;
        let holder =
            Command::new(program).args(arguments).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn()?;
        Ok(Self { holder, when })
    }

    /// Whether the system lists it among what keeps it awake; `None` = it cannot be asked. Starts a short-lived program.
    #[must_use]
    pub fn is_listed(&self) -> Option<bool> {
        let limit = std::time::Duration::from_secs(5);
        let (program, arguments): (_, &[&str]) = if cfg!(target_os = "macos") {
            ("/usr/bin/pmset", &["-g", "assertions"])
        } else {
            ("/usr/bin/systemd-inhibit", &["--list", "--no-pager", "--no-legend"])
        };
        let listed = crate::command::run(program, arguments, limit).ok().filter(|end| end.succeeded())?;
        Some(lists(&listed.stdout, self.holder.id()))
    }

    /// Whether it still holds: a system without a session manager lets the program end at once.
    pub fn holds(&mut self) -> bool {
        matches!(self.holder.try_wait(), Ok(None))
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Whether the machine lives on its battery now. macOS' own assertion sees to that itself: there it is never asked.
#[must_use]
pub fn on_battery() -> bool {
    !cfg!(target_os = "macos") && discharges(Path::new("/sys/class/power_supply"))
}

/// A battery of the machine itself is being emptied; those of a mouse have the scope `Device` (power_supply in the
/// kernel's documentation).
fn discharges(supplies: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(supplies) else { return false };
    entries.flatten().any(|entry| {
        let says = |file: &str, word: &str| {
            std::fs::read_to_string(entry.path().join(file)).is_ok_and(|text| text.trim() == word)
        };
        says("type", "Battery") && !says("scope", "Device") && says("status", "Discharging")
    })
}

/// The process as a word of its own: `pid 123(caffeinate): …` for pmset(1), a column for systemd-inhibit(1).
fn lists(text: &str, pid: u32) -> bool {
    let pid = pid.to_string();
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == pid)
}

/// `caffeinate -s` counts on mains power only, `-i` always (caffeinate(8)); `-w` ends it with us.
fn command(when: When, pid: u32) -> (String, Vec<String>) {
    if cfg!(target_os = "macos") { caffeinate(when, pid) } else { inhibit(pid) }
}

fn caffeinate(when: When, pid: u32) -> (String, Vec<String>) {
    let kind = match when {
        When::OnMains => "-s",
        When::Always => "-i",
    };
    ("/usr/bin/caffeinate".to_owned(), vec![kind.to_owned(), "-w".to_owned(), pid.to_string()])
}

/// systemd-inhibit(1) holds as long as the program that it runs; `tail --pid` ends with us.
fn inhibit(pid: u32) -> (String, Vec<String>) {
    let pid = format!("--pid={pid}");
    let words = [
        "--what=sleep:idle",
        "--mode=block",
        "--who=Gatehouse",
        "--why=The gateway is open to other devices",
        "tail",
        "--follow",
        &pid,
        "/dev/null",
    ];
    ("/usr/bin/systemd-inhibit".to_owned(), words.map(str::to_owned).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::is_alive;

    #[test]
    fn each_system_is_told_in_its_own_words() {
        assert_eq!(caffeinate(When::OnMains, 7).1, ["-s", "-w", "7"]);
        assert_eq!(caffeinate(When::Always, 7).1, ["-i", "-w", "7"]);
        let (program, words) = inhibit(7);
        assert_eq!(program, "/usr/bin/systemd-inhibit");
        assert!(words.contains(&"--pid=7".to_owned()) && words.contains(&"--what=sleep:idle".to_owned()));
    }

    #[test]
    fn only_a_battery_of_the_machine_that_is_being_emptied_counts() {
        let folder = tempfile::tempdir().unwrap();
        let supply = |name: &str, files: &[(&str, &str)]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            for (file, text) in files {
                std::fs::write(path.join(file), format!("{text}\n")).unwrap();
            }
        };
        assert!(!discharges(&folder.path().join("none")));
        supply("AC", &[("type", "Mains"), ("online", "1")]);
        supply("mouse", &[("type", "Battery"), ("scope", "Device"), ("status", "Discharging")]);
        supply("BAT0", &[("type", "Battery"), ("status", "Charging")]);
        assert!(!discharges(folder.path()));
        supply("BAT0", &[("status", "Discharging")]);
        assert!(discharges(folder.path()));
    }

    #[test]
    fn the_holder_is_found_in_the_words_of_both_systems() {
        let mac =
            "   pid 4711(caffeinate): [0x0001] 00:00:02 PreventUserIdleSystemSleep named: \"caffeinate\"";
        let linux = "Gatehouse 1000 ada 4711 systemd-inhibit sleep:idle The gateway is open block";
        assert!(lists(mac, 4711) && lists(linux, 4711));
        assert!(!lists(mac, 471) && !lists(linux, 711));
    }

    #[test]
    fn what_holds_is_gone_with_the_value() {
        let mut awake = Awake::by("/bin/sleep", &["60".to_owned()], When::Always).unwrap();
        let pid = awake.holder.id();
        assert!(awake.holds() && is_alive(pid));
        drop(awake);
        assert!(!is_alive(pid));
    }

    #[test]
    fn one_that_ended_by_itself_holds_no_longer() {
        let mut awake = Awake::by("/bin/true", &[], When::Always).unwrap();
        let _ = awake.holder.wait();
        assert!(!awake.holds());
        assert!(Awake::by("/no/such/program", &[], When::Always).is_err());
    }
}
