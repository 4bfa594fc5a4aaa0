//! The file that says that an installation is complete.

use std::path::{Path, PathBuf};

use gatehouse_files::{PUBLIC, read_bounded, write_atomic};
use serde::{Deserialize, Serialize};

use super::{InstallError, Installed, OPENCLAW_VERSION, storage};
use crate::discovery::program::is_program;

const NAME: &str = "installed.json";

#[derive(Serialize, Deserialize)]
struct Marker {
    schema: u32,
    openclaw: String,
    node: PathBuf,
}

/// The installation, if it is complete, of the pinned version, and still there.
pub(super) fn read(folder: &Path) -> Option<Installed> {
    let bytes = read_bounded(&folder.join(NAME), 4096).ok()??;
    let marker: Marker = serde_json::from_slice(&bytes).ok()?;
    let program = folder.join("node_modules/.bin/openclaw");
    let usable = marker.schema == 1
        && marker.openclaw == OPENCLAW_VERSION
        && is_program(&program)
        && is_program(&marker.node);
    usable.then_some(Installed { program, node: marker.node, version: marker.openclaw })
}

pub(super) fn write(folder: &Path, installed: &Installed) -> Result<(), InstallError> {
    let path = folder.join(NAME);
    let marker = Marker { schema: 1, openclaw: installed.version.clone(), node: installed.node.clone() };
    let text = serde_json::to_vec(&marker).map_err(|error| storage(&path, error.into()))?;
    write_atomic(&path, &text, PUBLIC).map_err(|source| storage(&path, source))
}
