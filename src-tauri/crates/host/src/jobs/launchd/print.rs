//! Readers of what `launchctl print` and `print-disabled` write.

use std::path::PathBuf;

use super::activity;
use crate::jobs::{Exit, Job};

/// Reads a job. Only the keys of the job itself count, which stand one tab deep; `environment` and what else is nested
/// may hold secrets and is never looked at. A key that is not known is skipped.
pub(super) fn job(text: &str) -> Job {
    let value = |keys: &[&str]| keys.iter().find_map(|key| top_level(text, key));
    let number = |keys: &[&str]| value(keys).and_then(|text| text.parse::<u32>().ok());
    let starts = number(&["runs"]);
    let properties = value(&["properties"]);
    Job {
        activity: activity(value(&["state"]).unwrap_or_default(), starts.is_some_and(|starts| starts > 0)),
        pid: number(&["pid"]),
        file: value(&["path"]).filter(|path| path.starts_with('/')).map(PathBuf::from),
        starts_itself: properties.map(|text| text.contains("runatload") || text.contains("keepalive")),
        switched_off: false,
        last_exit: last_exit(
            value(&["last terminating signal", "last exit reason"]),
            value(&["last exit code", "last exit status"]),
        ),
        starts,
    }
}

/// Whether `print-disabled` lists the job as disabled: `"label" => disabled` from macOS 13 on, `=> true` before.
pub(super) fn is_disabled(text: &str, label: &str) -> bool {
    text.lines().filter_map(|line| line.split_once("=>")).any(|(name, state)| {
        name.trim().trim_matches('"') == label && matches!(state.trim(), "disabled" | "true")
    })
}

fn top_level<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let line = line.strip_prefix('\t')?;
        let (name, value) = line.split_once(" = ")?;
        (name == key && !value.ends_with('{')).then(|| value.trim())
    })
}

/// `(never exited)` is no exit; `78: EX_CONFIG` is status 78; a signal is told in words (`Killed: 9`).
fn last_exit(signal: Option<&str>, code: Option<&str>) -> Option<Exit> {
    if let Some(signal) = signal.filter(|text| !text.is_empty()) {
        return Some(Exit::Signal(signal.to_owned()));
    }
    let digits: String = code?.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    digits.parse().ok().map(Exit::Status)
}
