//! Whether this machine will serve by itself after a power cut and through the night: what the system says, without
//! changing anything.
//!
//! Guarantees: nothing here asks for a password, needs root or changes a setting; what cannot be learnt is `None`.
//! Starts short-lived programs: call it off the async threads.

use std::path::Path;
use std::time::Duration;

use crate::command;

const LIMIT: Duration = Duration::from_secs(5);

/// What the system says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The user that is logged in by itself after a start (macOS); `Some(None)` = nobody.
    pub auto_login: Option<Option<String>>,
    /// Whether the disk asks for a password before the system starts (FileVault).
    pub disk_locked_at_start: Option<bool>,
    /// Whether the machine starts again after a power cut.
    pub restarts_after_power_cut: Option<bool>,
    /// After how many minutes without use it goes to sleep on mains power; 0 = never.
    pub sleeps_after_minutes: Option<u32>,
    /// Whether jobs of this user run without anybody being logged in (systemd's lingering).
    pub lingers: Option<bool>,
    /// Whether the system installs updates, and restarts for them, by itself (macOS).
    pub installs_updates: Option<bool>,
    /// Whether the system can be put to sleep at all (Linux: `sleep.target` is not masked).
    pub can_sleep: Option<bool>,
    /// What closing the lid does, in the system's word, for example `suspend` or `ignore`; `None` = there is no lid, or
    /// that is not known (Linux).
    pub lid: Option<String>,
    /// Whether a firewall of the system stands before programs that listen.
    pub firewall: Option<Firewall>,
}

/// macOS' Application Firewall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firewall {
    /// Off.
    Off,
    /// It asks, or decides by signature, for each program.
    On,
    /// It lets nothing in.
    BlocksAll,
}

/// Asks the system. `user` = whose jobs.
#[must_use]
pub fn readiness(user: &str) -> Readiness {
    if cfg!(target_os = "macos") { of_macos() } else { of_linux(user) }
}

fn of_macos() -> Readiness {
    let text = |program: &str, arguments: &[&str]| command::run(program, arguments, LIMIT).ok();
    let login =
        text("/usr/bin/defaults", &["read", "/Library/Preferences/com.apple.loginwindow", "autoLoginUser"]);
    let disk = text("/usr/bin/fdesetup", &["status"]);
    let power = text("/usr/bin/pmset", &["-g", "custom"]);
    let firewall = text("/usr/libexec/ApplicationFirewall/socketfilterfw", &["--getglobalstate"]);
    let updates =
        ["read", "/Library/Preferences/com.apple.SoftwareUpdate", "AutomaticallyInstallMacOSUpdates"];
    let updates = text("/usr/bin/defaults", &updates);
    let power = power.map(|finished| mains(&finished.stdout)).unwrap_or_default();
    Readiness {
        auto_login: login
            .and_then(|finished| auto_login(finished.succeeded(), &finished.stdout, &finished.stderr)),
        disk_locked_at_start: disk.and_then(|finished| file_vault(&finished.stdout)),
        restarts_after_power_cut: power.restarts,
        sleeps_after_minutes: power.sleep,
        lingers: None,
        installs_updates: updates.and_then(|finished| switch(&finished.stdout)),
        can_sleep: None,
        lid: None,
        firewall: firewall.and_then(|finished| firewall_state(&finished.stdout)),
    }
}

/// Whether jobs of this user run without anybody being logged in; `None` where there is no systemd. Reads one folder.
#[must_use]
pub fn lingers(user: &str) -> Option<bool> {
    let is_name = !user.is_empty() && !user.contains('/') && user != "." && user != "..";
    let knows_lingering = Path::new("/run/systemd/system").exists();
    (is_name && knows_lingering).then(|| Path::new("/var/lib/systemd/linger").join(user).exists())
}

fn of_linux(user: &str) -> Readiness {
    let sleep = command::run("/usr/bin/systemctl", &["--system", "is-enabled", "sleep.target"], LIMIT).ok();
    let has_lid = std::fs::read_dir("/proc/acpi/button/lid").is_ok_and(|lids| lids.count() > 0);
    let lid = has_lid.then(|| command::run("/usr/bin/busctl", &LID, LIMIT).ok()).flatten();
    Readiness {
        lingers: lingers(user),
        can_sleep: sleep.and_then(|finished| can_sleep(&finished.stdout)),
        lid: lid.and_then(|finished| property(&finished.stdout)),
        ..Readiness::default()
    }
}

/// What logind does when the lid is closed on mains power, its defaults applied.
const LID: [&str; 6] = [
    "--system",
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "HandleLidSwitch",
];

/// `systemctl is-enabled sleep.target`: `static` where it can, `masked` where it cannot.
fn can_sleep(stdout: &str) -> Option<bool> {
    match stdout.trim() {
        "masked" | "masked-runtime" => Some(false),
        "static" | "enabled" | "disabled" | "indirect" | "generated" => Some(true),
        _ => None,
    }
}

/// `busctl get-property`: a type, then the value in quotes.
fn property(stdout: &str) -> Option<String> {
    let value = stdout.trim().strip_prefix("s \"")?.strip_suffix('"')?;
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then(|| value.to_owned())
}

/// `defaults read` of a switch: `1` or `0`.
fn switch(stdout: &str) -> Option<bool> {
    match stdout.trim() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// `defaults read … autoLoginUser`: the name, or a failure that says that there is none.
fn auto_login(succeeded: bool, stdout: &str, stderr: &str) -> Option<Option<String>> {
    let name = stdout.trim();
    if succeeded && !name.is_empty() {
        return Some(Some(name.to_owned()));
    }
    stderr.contains("does not exist").then_some(None)
}

/// `fdesetup status`: `FileVault is On.`, `FileVault is Off.`, also followed by lines on a conversion under way.
fn file_vault(stdout: &str) -> Option<bool> {
    let line = stdout.lines().find_map(|line| line.trim().strip_prefix("FileVault is "))?;
    match line.trim_end_matches('.') {
        "On" => Some(true),
        "Off" => Some(false),
        _ => None,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Mains {
    restarts: Option<bool>,
    sleep: Option<u32>,
}

/// `pmset -g custom`: a part for each source of power, ` sleep                10` a line in it. A desktop has one part.
fn mains(stdout: &str) -> Mains {
    let mut found = Mains::default();
    let mut counts = true;
    for line in stdout.lines() {
        if let Some(source) = line.strip_suffix(':') {
            counts = source == "AC Power";
        } else if counts {
            let mut words = line.split_whitespace();
            match (words.next(), words.next().and_then(|word| word.parse::<u32>().ok())) {
                (Some("sleep"), minutes @ Some(_)) => found.sleep = minutes,
                (Some("autorestart"), Some(value)) => found.restarts = Some(value != 0),
                _ => {}
            }
        }
    }
    found
}

/// `socketfilterfw --getglobalstate`: `Firewall is enabled. (State = 1)`; 2 = everything is blocked.
fn firewall_state(stdout: &str) -> Option<Firewall> {
    let (_, state) = stdout.split_once("State = ")?;
    match state.chars().next()? {
        '0' => Some(Firewall::Off),
        '1' => Some(Firewall::On),
        '2' => Some(Firewall::BlocksAll),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
