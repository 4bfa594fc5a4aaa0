//! Where the `openclaw` program is.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Environment, ProgramSource};

pub(super) fn find(environment: &Environment) -> Option<(PathBuf, ProgramSource)> {
    let named = |folder: PathBuf| folder.join("openclaw");
    let on_path = folders_on_path(environment).map(named).map(|path| (path, ProgramSource::Path));
    let usual = usual_folders(environment).map(named).map(|path| (path, ProgramSource::UsualPlace));
    let own = environment
        .own_install
        .iter()
        .map(|folder| (named(folder.join("node_modules/.bin")), ProgramSource::Own));
    on_path.chain(usual).chain(own).find(|(path, _)| is_program(path))
}

/// The folders of `PATH`; relative ones are not searched.
pub(crate) fn folders_on_path(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let path = environment.variables.get("PATH").cloned().unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect::<Vec<_>>().into_iter()
}

/// Where installers put programs: a program started from the Finder has a short `PATH`.
pub(crate) fn usual_folders(environment: &Environment) -> impl Iterator<Item = PathBuf> {
    let home = &environment.home;
    let prefix = environment
        .get("npm_config_prefix")
        .or_else(|| environment.get("NPM_CONFIG_PREFIX"))
        .map(|prefix| Path::new(prefix).join("bin"));
    let mut folders = vec![
        home.join(".openclaw/bin"),
        home.join(".openclaw/node_modules/.bin"),
        PathBuf::from("/opt/homebrew/bin"),
        PathBuf::from("/usr/local/bin"),
        home.join(".local/bin"),
        home.join(".npm-global/bin"),
        home.join("Library/pnpm"),
        home.join(".bun/bin"),
        home.join(".volta/bin"),
    ];
    folders.extend(prefix);
    folders.into_iter().filter(|folder| folder.is_absolute())
}

/// Whether it is a file that may be run.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
