//! The files that describe the job: a systemd unit (systemd.service(5)) and a launchd property list
//! (launchd.plist(5)).

use std::path::{Path, PathBuf};

use plist::{Dictionary, Value};

use super::{LABEL, Presence, PresenceError, Scope};

/// By these two both files are known for ours; the version stands between them.
const MARK: &str = "Written by Gatehouse";
const MARK_END: &str = "; change it with: gatehouse service";
/// The time that a connection gets to finish; more than the core's own limit.
const STOP_SECONDS: u32 = 30;
/// Two per WebSocket.
const DESCRIPTORS: u32 = 10_240;

pub(super) fn is_ours(text: &[u8]) -> bool {
    mark(&String::from_utf8_lossy(text)).is_some()
}

/// The version that wrote a file of ours.
pub(super) fn version(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let version = mark(&text)?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}

/// What stands between the two ends of our mark.
fn mark(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(MARK)?;
    let line = rest.lines().next()?;
    line.split_once(MARK_END).map(|(version, _)| version)
}

fn marked(presence: &Presence) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    let version: String = presence.version.chars().filter(|c| known(*c)).collect();
    format!("{MARK} {version}{MARK_END}")
}

/// The log of a launchd job.
pub(super) fn logs(presence: &Presence) -> PathBuf {
    presence.account.home.join("Library/Logs/Gatehouse")
}

/// The unit. A crash is followed by a new start after 5 s, for ever: five a minute are no load, and an address that
/// stays away because of a start limit is what nobody at home can mend.
pub(super) fn unit(presence: &Presence) -> Result<String, PresenceError> {
    let program = quoted("the program's path", &presence.program.to_string_lossy())?;
    let mut text = format!(
        "# {}\n[Unit]\nDescription=Gatehouse: a safe HTTPS address for an OpenClaw gateway\n\
         Documentation=https://github.com/gatehouse-app/gatehouse\nStartLimitIntervalSec=0\n",
        marked(presence)
    );
    if presence.scope == Scope::System {
        text.push_str("Wants=network-online.target\nAfter=network-online.target\n");
    }
    text.push_str("\n[Service]\nType=exec\n");
    text.push_str(&format!("ExecStart={program} serve --color never\nRestart=always\nRestartSec=5\n"));
    text.push_str(&format!("TimeoutStopSec={STOP_SECONDS}\nKillMode=mixed\nLimitNOFILE={DESCRIPTORS}\n"));
    text.push_str("UMask=0077\nNoNewPrivileges=yes\n");
    if presence.scope == Scope::System {
        let user = &presence.account.name;
        if user.is_empty() || !user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b)) {
            return Err(PresenceError::Unwritable { what: "the user's name", manager: "systemd" });
        }
        // Ports 80 and 443 belong to root on Linux; this one right replaces all of root's.
        text.push_str(&format!(
            "User={user}\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
        ));
        let home = presence.account.home.to_string_lossy();
        text.push_str(&format!("Environment={}\n", quoted("the home folder", &format!("HOME={home}"))?));
    }
    for (name, value) in &presence.environment {
        text.push_str(&format!("Environment={}\n", quoted("a variable", &format!("{name}={value}"))?));
    }
    let target = match presence.scope {
        Scope::User => "default.target",
        Scope::System => "multi-user.target",
    };
    text.push_str(&format!("\n[Install]\nWantedBy={target}\n"));
    Ok(text)
}

/// One word of a unit: in double quotes; `%` and `$` mean something there, and a line end has no way in.
fn quoted(what: &'static str, text: &str) -> Result<String, PresenceError> {
    if text.chars().any(char::is_control) {
        return Err(PresenceError::Unwritable { what, manager: "systemd" });
    }
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            '$' if what == "the program's path" => word.push_str("$$"),
            c => word.push(c),
        }
    }
    word.push('"');
    Ok(word)
}

/// The property list. `ProcessType` is interactive because launchd slows down what is not; the session types let it
/// run without a login on the screen, where it then is in the user's domain.
pub(super) fn property_list(presence: &Presence) -> Result<Vec<u8>, PresenceError> {
    let string = |text: &str| Value::String(text.to_owned());
    let path = |path: &Path| Value::String(path.to_string_lossy().into_owned());
    let log = path(&logs(presence).join("serve.log"));
    let words = ["serve", "--color", "never"].into_iter().map(string);
    let arguments = std::iter::once(path(&presence.program)).chain(words).collect();
    let descriptors =
        || Value::Dictionary(Dictionary::from_iter([("NumberOfFiles", Value::Integer(DESCRIPTORS.into()))]));
    let mut variables: Dictionary =
        presence.environment.iter().map(|(name, value)| (name.clone(), string(value))).collect();
    let mut job = Dictionary::from_iter([
        ("Comment", string(&marked(presence))),
        ("Label", string(LABEL)),
        ("ProgramArguments", Value::Array(arguments)),
        ("RunAtLoad", Value::Boolean(true)),
        ("KeepAlive", Value::Boolean(true)),
        ("ThrottleInterval", Value::Integer(5.into())),
        ("ExitTimeOut", Value::Integer(STOP_SECONDS.into())),
        ("ProcessType", string("Interactive")),
        ("Umask", Value::Integer(0o077.into())),
        ("StandardInPath", string("/dev/null")),
        ("StandardOutPath", log.clone()),
        ("StandardErrorPath", log),
        ("SoftResourceLimits", descriptors()),
        ("HardResourceLimits", descriptors()),
        ("AssociatedBundleIdentifiers", string("app.gatehouse.desktop")),
    ]);
    match presence.scope {
        Scope::User => {
            let sessions = ["Aqua", "Background"].into_iter().map(string).collect();
            job.insert("LimitLoadToSessionType".to_owned(), Value::Array(sessions));
        }
        Scope::System => {
            job.insert("UserName".to_owned(), string(&presence.account.name));
            variables.insert("HOME".to_owned(), path(&presence.account.home));
        }
    }
    if !variables.is_empty() {
        job.insert("EnvironmentVariables".to_owned(), Value::Dictionary(variables));
    }
    let mut text = Vec::new();
    Value::Dictionary(job)
        .to_writer_xml(&mut text)
        .map_err(|_| PresenceError::Unwritable { what: "a path", manager: "launchd" })?;
    Ok(text)
}

/// The program that a file of ours starts.
pub(super) fn program(text: &[u8]) -> Option<PathBuf> {
    if let Ok(Value::Dictionary(job)) = Value::from_reader_xml(text) {
        let words = job.get("ProgramArguments")?.as_array()?;
        return words.first()?.as_string().map(PathBuf::from);
    }
    let text = std::str::from_utf8(text).ok()?;
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=\""))?;
    let mut program = String::new();
    let mut chars = command.chars();
    loop {
        match chars.next()? {
            '"' => return Some(PathBuf::from(program)),
            '\\' => program.push(chars.next()?),
            c @ ('%' | '$') => {
                chars.next()?;
                program.push(c);
            }
            c => program.push(c),
        }
    }
}
