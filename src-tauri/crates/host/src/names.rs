//! What this machine is called on its network.

#[cfg(target_os = "linux")]
use std::path::Path;

/// The names of this machine; canonical: lower case, no trailing dot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNames {
    /// The plain host name ("mini"), without a domain; `None` where it is unset or `localhost`.
    pub host: Option<String>,
    /// The name that multicast DNS answers to ("mini.local"); `None` where no responder is known to run.
    pub local: Option<String>,
}

/// Asks the system. Starts a short-lived program on macOS: call it off the async threads.
///
/// On Linux, `local` needs a running avahi-daemon, which is asked over D-Bus; where that is silent, its configuration counts.
pub fn host_names() -> HostNames {
    let uname = rustix::system::uname();
    let host = first_label(&uname.nodename().to_string_lossy());
    let local = local_label(host.as_deref()).map(|label| format!("{label}.local"));
    HostNames { host, local }
}

/// `LocalHostName`, which mDNSResponder answers to; it changes to `name-2` after a conflict.
#[cfg(target_os = "macos")]
fn local_label(_: Option<&str>) -> Option<String> {
    let limit = std::time::Duration::from_secs(2);
    let text = crate::command::output("/usr/sbin/scutil", &["--get", "LocalHostName"], limit)?;
    first_label(&text)
}

/// A name that another device had already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubled {
    /// What the other device is called ("mini.local").
    pub base: String,
    /// Whether the name was numbered by the system; `false` = it may have been chosen so.
    pub certain: bool,
}

/// Whether the name that multicast DNS answers to is numbered, as systems do when another device has it: `mini-2`.
#[must_use]
pub fn doubled(names: &HostNames) -> Option<Doubled> {
    let label = names.local.as_deref()?.strip_suffix(".local")?;
    let (base, number) = label.rsplit_once('-')?;
    let counted = number.parse::<u16>().is_ok_and(|number| (2..100).contains(&number));
    let certain = names.host.as_deref() == Some(base);
    let chosen = names.host.as_deref().is_some_and(|host| host != label && !certain);
    (counted && !base.is_empty() && !chosen).then(|| Doubled { base: format!("{base}.local"), certain })
}

#[cfg(target_os = "linux")]
fn local_label(host: Option<&str>) -> Option<String> {
    let runs = avahi_runs(Path::new("/run/avahi-daemon/pid"));
    let limit = std::time::Duration::from_secs(2);
    let asked = runs.then(|| crate::command::run("/usr/bin/busctl", &AVAHI, limit).ok()).flatten();
    asked.and_then(|finished| avahi_answer(&finished.stdout)).or_else(|| configured_label(host))
}

/// The name in force: it is numbered where another device has it.
#[cfg(target_os = "linux")]
const AVAHI: [&str; 6] =
    ["--system", "call", "org.freedesktop.Avahi", "/", "org.freedesktop.Avahi.Server", "GetHostNameFqdn"];

/// `s "mini-2.local"`.
#[cfg(target_os = "linux")]
fn avahi_answer(stdout: &str) -> Option<String> {
    let name = stdout.trim().strip_prefix("s \"")?.strip_suffix('"')?;
    first_label(name.strip_suffix(".local")?)
}

#[cfg(target_os = "linux")]
fn configured_label(host: Option<&str>) -> Option<String> {
    let configuration = std::fs::read_to_string("/etc/avahi/avahi-daemon.conf").unwrap_or_default();
    avahi_runs(Path::new("/run/avahi-daemon/pid")).then(|| avahi_label(&configuration, host)).flatten()
}

#[cfg(target_os = "linux")]
fn avahi_runs(pid_file: &Path) -> bool {
    let text = std::fs::read_to_string(pid_file).unwrap_or_default();
    text.trim().parse().is_ok_and(crate::process::is_alive)
}

/// The configured name, else that of the host; nothing where avahi publishes in another domain.
#[cfg(target_os = "linux")]
fn avahi_label(configuration: &str, host: Option<&str>) -> Option<String> {
    let value = |key: &str| {
        let mut values = configuration.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        });
        values.next_back()
    };
    if value("domain-name").is_some_and(|domain| domain != "local") {
        return None;
    }
    value("host-name").as_deref().map_or_else(|| host.map(str::to_owned), first_label)
}

/// The first label in lower case, where it is one that a certificate can carry.
fn first_label(name: &str) -> Option<String> {
    let label = name.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
    let valid = !label.is_empty()
        && label.len() <= 63
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !label.starts_with('-')
        && !label.ends_with('-');
    (valid && label != "localhost").then_some(label)
}

#[cfg(test)]
mod tests;
