//! What this machine runs: enough to read a report of it, and nothing that tells whose it is.

#[cfg(target_os = "macos")]
use std::time::Duration;

/// The operating system.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// Its name and version, as it calls itself ("macOS 26.1", "Debian GNU/Linux 12 (bookworm)").
    pub system: String,
    /// The kernel and its version ("Darwin 25.1.0").
    pub kernel: String,
    /// The processor ("arm64", "x86_64").
    pub processor: String,
    /// Whether the program was built for another processor, and is translated (Rosetta).
    pub translated: bool,
}

/// Asks the system. Starts a short-lived program on macOS: call it off the async threads.
#[must_use]
pub fn about() -> About {
    let uname = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let kernel = format!("{} {}", text(uname.sysname()), text(uname.release()));
    let system = system_name().unwrap_or_else(|| kernel.clone());
    About { system, kernel, processor: text(uname.machine()), translated: is_translated() }
}

#[cfg(target_os = "macos")]
fn system_name() -> Option<String> {
    let version = crate::command::output("/usr/bin/sw_vers", &["-productVersion"], Duration::from_secs(2))?;
    Some(format!("macOS {}", version.trim()))
}

#[cfg(not(target_os = "macos"))]
fn system_name() -> Option<String> {
    pretty_name(&std::fs::read_to_string("/etc/os-release").ok()?)
}

/// os-release(5).
#[cfg(any(not(target_os = "macos"), test))]
fn pretty_name(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = value.trim().trim_matches('"').trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(target_os = "macos")]
fn is_translated() -> bool {
    let said =
        crate::command::output("/usr/sbin/sysctl", &["-n", "sysctl.proc_translated"], Duration::from_secs(2));
    // The program that is asked is native where we are translated: it is our own processor that tells.
    cfg!(target_arch = "x86_64") && said.is_some_and(|text| text.trim() == "1")
}

#[cfg(not(target_os = "macos"))]
fn is_translated() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_it_is() {
        let about = about();
        assert!(!about.system.is_empty() && about.kernel.contains(' ') && !about.processor.is_empty());
    }

    #[test]
    fn the_pretty_name_is_found_with_and_without_quotes() {
        let text = "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";
        assert_eq!(pretty_name(text).as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(pretty_name("PRETTY_NAME=Arch\n").as_deref(), Some("Arch"));
        assert_eq!(pretty_name("PRETTY_NAME=\"\"\n"), None);
    }
}
