//! The core's side of the control socket.

use std::{
    future::Future,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::UnixListener;

use super::Handler;

/// Serves the control socket at `path` until `stop` is ready; see [`ControlSocket`].
///
/// # Errors
/// Those of [`ControlSocket::bind`].
pub async fn serve(path: &Path, handler: Arc<dyn Handler>, stop: impl Future<Output = ()>) -> io::Result<()> {
    ControlSocket::bind(path)?.serve(handler, stop).await;
    Ok(())
}

/// A control socket that is bound and not served yet.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    uid: u32,
}

impl ControlSocket {
    /// Binds the socket. Whoever calls this owns the lock of the state folder: a socket that lies at `path` is
    /// stale and is replaced.
    ///
    /// # Errors
    /// The folder is open to others or cannot be made, something other than a socket is at `path`, the path is too
    /// long for a socket (103 bytes on macOS, 107 on Linux), or the system refuses.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let _ = path;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Serves until `stop` is ready. Calls that run then get a moment to end; event streams end at once. The socket
    /// file is removed at the end.
    pub async fn serve(self, handler: Arc<dyn Handler>, stop: impl Future<Output = ()>) {
        let _ = (self.listener, self.path, self.uid, handler);
        stop.await;
    }
}
