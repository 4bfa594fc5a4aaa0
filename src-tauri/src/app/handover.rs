//! Hands a link that logs in to the browser of the person who asked for it.
//!
//! Guarantees: the link is in no program's arguments or environment, which others on the machine can read. macOS passes it
//! by an Apple event. Elsewhere every way to a browser ends in its arguments, the desktop portal's too: the browser is given
//! a page (0600, in a folder that nobody else may enter) that leads on to the link and is deleted soon after.

use std::path::Path;

use gatehouse_api::{Code, ErrorEnvelope, Text, say};

/// Opens it. `folder` = a private folder.
pub(crate) async fn open(url: &str, folder: &Path) -> Result<(), ErrorEnvelope> {
    if !url.starts_with("https://") || url.chars().any(|char| char.is_control() || char.is_whitespace()) {
        return Err(cannot(say!("app.link-form")));
    }
    #[cfg(target_os = "macos")]
    {
        let _ = folder;
        apple_event(url)
    }
    #[cfg(not(target_os = "macos"))]
    page::open(url, folder, "xdg-open", page::KEPT).await
}

fn cannot(because: impl Into<Text>) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Failed, say!("app.no-browser"), because)
}

#[cfg(target_os = "macos")]
fn apple_event(url: &str) -> Result<(), ErrorEnvelope> {
    use objc2_app_kit::NSWorkspace;
    use objc2_foundation::{NSString, NSURL};

    let url = NSURL::URLWithString(&NSString::from_str(url));
    let url = url.ok_or_else(|| cannot(say!("app.link-form")))?;
    match NSWorkspace::sharedWorkspace().openURL(&url) {
        true => Ok(()),
        false => Err(cannot(say!("app.no-browser-known"))),
    }
}

#[cfg(not(target_os = "macos"))]
mod page {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::process::Stdio;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use gatehouse_api::ErrorEnvelope;
    use tokio::process::Command;

    use super::cannot;

    /// How long the page stays: a browser that is started for it on a busy machine takes its time.
    pub(super) const KEPT: Duration = Duration::from_secs(60);
    /// Pages get names of their own: a second one within the minute must not go with the first.
    static NUMBER: AtomicU32 = AtomicU32::new(0);

    /// The page, which goes with this value.
    struct Page(PathBuf);

    impl Drop for Page {
        fn drop(&mut self) {
            if let Err(error) = std::fs::remove_file(&self.0)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "the page that leads to the dashboard is not deleted");
            }
        }
    }

    pub(super) async fn open(
        url: &str,
        folder: &Path,
        program: &str,
        kept: Duration,
    ) -> Result<(), ErrorEnvelope> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("dashboard-{}-{number}.html", std::process::id()));
        gatehouse_files::create_private_folder(folder)
            .and_then(|()| {
                gatehouse_files::write_atomic(&path, text(url).as_bytes(), gatehouse_files::PRIVATE)
            })
            .map_err(|error| cannot(format!("{}: {error}.", path.display())))?;
        let page = Page(path);
        let mut command = Command::new(program);
        command.arg(&page.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| cannot(format!("{program}: {error}.")))?;
        tokio::spawn(async move {
            tokio::time::sleep(kept).await;
            drop(page);
        });
        // The browser may live as long as it likes; somebody must take its exit status.
        tokio::spawn(async move { child.wait().await });
        Ok(())
    }

    /// Leads on at once and leaves itself out of the browser's history.
    fn text(url: &str) -> String {
        let url = url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        format!(
            "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
             <title>Gatehouse</title><a rel=\"noreferrer\" href=\"{url}\">OpenClaw</a>\
             <script>location.replace(document.querySelector('a').href)</script>\n"
        )
    }

    #[cfg(test)]
    mod tests;
}
