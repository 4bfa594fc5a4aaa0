//! Embeds the window's files and its capabilities into the tray app.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "tray")]
    embed()?;
    Ok(())
}

#[cfg(feature = "tray")]
fn embed() -> Result<(), Box<dyn Error>> {
    const COMMANDS: [&str; 17] = [
        "call",
        "follow",
        "open_url",
        "open_dashboard",
        "copy_text",
        "copy_token",
        "save_file",
        "start_core",
        "choose_language",
        "login_item",
        "set_login_item",
        "neighbour",
        "choose_asker",
        "updates",
        "look_for_update",
        "install_update",
        "quit",
    ];
    println!("cargo:rerun-if-changed=../ui/dist");
    if !std::path::Path::new("../ui/dist/index.html").exists() {
        return Err("the window is not built yet: (cd ui && npm ci && npm run build), or build without the tray app: \
                    --no-default-features"
            .into());
    }
    let manifest = tauri_build::AppManifest::new().commands(&COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .map_err(|error| format!("{error:#}"))?;
    Ok(())
}
