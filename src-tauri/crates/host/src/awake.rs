//! Keeping the machine awake while it serves.
//!
//! Guarantees: the machine is held awake only as long as the value lives, also where this process is killed: the
//! system's own program that holds the assertion watches us. What holds it is visible to everybody (`pmset -g
//! assertions`, `systemd-inhibit --list`) under our name.

use std::io;
use std::process::{Child, Command, Stdio};

/// When the machine stays awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// While it is on mains power; on battery it may sleep. (Linux tells no difference: always.)
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
