//! Opening the owner's dashboard: the one-time link goes from the core to the browser of this machine, past the window.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use gatehouse_api::{Code, ErrorEnvelope, Reply, Request, say};
use tauri::AppHandle;

use super::{handover, shared, tray};

/// Whether a link is being made, which can take half a minute.
#[derive(Debug)]
pub(crate) struct State {
    opening: AtomicBool,
    folder: PathBuf,
}

impl State {
    /// Links are handed over in a folder beside the control socket, where nobody else may enter. What a run that was killed
    /// left there is taken away.
    pub(crate) fn new(socket: &Path) -> Self {
        let state = Self { opening: AtomicBool::new(false), folder: socket.with_file_name("handover") };
        state.clean();
        state
    }

    /// Takes away what is there.
    pub(crate) fn clean(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a page that leads to the dashboard may be left");
        }
    }

    /// Whether one is being made.
    pub(crate) fn is_opening(&self) -> bool {
        self.opening.load(Ordering::SeqCst)
    }
}

/// Has a link made and opens it. The tray says so meanwhile.
pub(crate) async fn open(app: &AppHandle) -> Result<(), ErrorEnvelope> {
    let shared = shared(app);
    if shared.dashboard.opening.swap(true, Ordering::SeqCst) {
        let because = say!("app.dashboard-busy-because");
        return Err(ErrorEnvelope::new(Code::Busy, say!("app.dashboard-busy"), because));
    }
    tray::refresh(app);
    let answer = shared.backend.call(Request::DashboardLink { address: None }).await;
    let opened = match answer {
        Ok(Reply::Link(link)) => handover::open(link.url.expose(), &shared.dashboard.folder).await,
        Ok(_) => Err(crate::session::unexpected()),
        Err(error) => Err(error),
    };
    shared.dashboard.opening.store(false, Ordering::SeqCst);
    tray::refresh(app);
    opened
}
