//! Which folder of state and which configuration file.

use std::path::{Path, PathBuf};

use super::Environment;

const CONFIG: &str = "openclaw.json";
const LEGACY_CONFIG: &str = "clawdbot.json";
const LEGACY_STATE: &str = ".clawdbot";

pub(super) struct Places {
    pub(super) config_path: PathBuf,
    pub(super) state_dir: PathBuf,
    pub(super) profile: Option<String>,
    /// Configuration files that were looked for, in order.
    pub(super) looked: Vec<PathBuf>,
}

pub(super) fn find(environment: &Environment) -> Places {
    let home = environment
        .get("OPENCLAW_HOME")
        .map_or_else(|| environment.home.clone(), |text| expand(text, &environment.home));
    let profile = environment
        .get("OPENCLAW_PROFILE")
        .filter(|profile| !profile.eq_ignore_ascii_case("default"))
        .map(str::to_owned);
    let chosen_state = environment.get("OPENCLAW_STATE_DIR").map(|text| expand(text, &home));
    let usual = match &profile {
        Some(profile) => vec![home.join(format!(".openclaw-{profile}"))],
        None => vec![home.join(".openclaw"), home.join(LEGACY_STATE)],
    };
    let state_dir = chosen_state.clone().unwrap_or_else(|| {
        usual.iter().find(|folder| folder.exists()).or(usual.first()).cloned().unwrap_or_default()
    });
    let (config_path, looked) = match environment.get("OPENCLAW_CONFIG_PATH") {
        Some(text) => {
            let path = expand(text, &home);
            (path.clone(), vec![path])
        }
        None => config(chosen_state.iter().chain(&usual), &state_dir),
    };
    Places { config_path, state_dir, profile, looked }
}

fn config<'a>(folders: impl Iterator<Item = &'a PathBuf>, state_dir: &Path) -> (PathBuf, Vec<PathBuf>) {
    let candidates: Vec<PathBuf> =
        folders.flat_map(|folder| [folder.join(CONFIG), folder.join(LEGACY_CONFIG)]).collect();
    let found = candidates.iter().find(|path| path.exists()).cloned();
    (found.unwrap_or_else(|| state_dir.join(CONFIG)), candidates)
}

fn expand(text: &str, home: &Path) -> PathBuf {
    match text.strip_prefix('~') {
        Some("") => home.to_path_buf(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}
