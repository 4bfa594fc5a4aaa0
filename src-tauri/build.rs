//! Embeds the window's files and its capabilities into the tray app.

fn main() {
    #[cfg(feature = "tray")]
    {
        println!("cargo:rerun-if-changed=../ui/dist");
        assert!(
            std::path::Path::new("../ui/dist/index.html").exists(),
            "the window is not built yet: run scripts/ui first, or build without it: --no-default-features"
        );
        let attributes = tauri_build::Attributes::new().app_manifest(
            tauri_build::AppManifest::new().commands(&["call", "follow", "open_url", "copy_text", "save_file", "start_core", "choose_language", "quit"]),
        );
        if let Err(error) = tauri_build::try_build(attributes) {
            panic!("{error:#}");
        }
    }
}
