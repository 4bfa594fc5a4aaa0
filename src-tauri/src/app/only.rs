//! One tray app per state folder: a second start shows the first one's window and ends.
//!
//! The first holds a lock for its life and listens beside the control socket, in a folder that nobody else may enter.
//! It does not need a core for that: the window must come up above all when nothing runs.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatehouse_api::{Code, ErrorEnvelope, say};
use tokio::net::{UnixListener, UnixStream};

/// How long the first start may take from its lock to its socket.
const COMES_UP: Duration = Duration::from_secs(5);
/// How often a second start knocks in that time.
const KNOCK: Duration = Duration::from_millis(50);

/// The one tray app of this state folder. Held for the life of the process.
#[derive(Debug)]
pub(crate) struct OnlyApp {
    listener: UnixListener,
    _lock: File,
}

impl OnlyApp {
    /// Becomes the one app; `None` = another one runs, and was asked to show its window.
    pub(crate) async fn take(control: &Path) -> Result<Option<Self>, ErrorEnvelope> {
        let (lock, door) = (control.with_file_name("app.lock"), control.with_file_name("app.sock"));
        if let Some(folder) = lock.parent() {
            gatehouse_files::create_private_folder(folder).map_err(|error| cannot(&lock, &error))?;
        }
        let mut options = File::options();
        let file =
            options.create(true).truncate(false).write(true).mode(gatehouse_files::PRIVATE).open(&lock);
        let file = file.map_err(|error| cannot(&lock, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return knock(&door).await.map(|()| None),
            Err(TryLockError::Error(error)) => return Err(cannot(&lock, &error)),
        }
        // Whoever left it has gone: the lock is ours.
        match std::fs::remove_file(&door) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(&door, &error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&door).map_err(|error| cannot(&door, &error))?;
        Ok(Some(Self { listener, _lock: file }))
    }

    /// Waits for the next second start of this user.
    pub(crate) async fn asked(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) if is_own(&stream) => return,
                Ok(_) => tracing::warn!("somebody else knocked at the tray app's socket"),
                Err(error) => {
                    tracing::warn!(%error, "the tray app's socket failed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == gatehouse_host::process::uid())
}

async fn knock(door: &PathBuf) -> Result<(), ErrorEnvelope> {
    let knocking = async {
        while UnixStream::connect(door).await.is_err() {
            tokio::time::sleep(KNOCK).await;
        }
    };
    tokio::time::timeout(COMES_UP, knocking).await.map_err(|_| {
        let because = say!("app.another-because", door = door.display());
        ErrorEnvelope::new(Code::AlreadyRunning, say!("app.another"), because).fix(say!("app.another-fix"))
    })
}

fn cannot(path: &Path, error: &io::Error) -> ErrorEnvelope {
    let code = if error.kind() == io::ErrorKind::PermissionDenied { Code::Permission } else { Code::Storage };
    ErrorEnvelope::new(code, say!("app.cannot-start"), format!("{}: {error}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_start_is_heard_by_the_first_and_does_not_become_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control.sock");
        let first = OnlyApp::take(&control).await.expect("it starts").expect("it is the first");

        let second = OnlyApp::take(&control).await.expect("the first answers");

        assert!(second.is_none());
        tokio::time::timeout(Duration::from_secs(5), first.asked()).await.expect("the first was asked");
    }

    #[tokio::test]
    async fn after_the_first_has_gone_its_socket_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control.sock");
        drop(OnlyApp::take(&control).await.expect("it starts"));
        assert!(control.with_file_name("app.sock").exists());

        assert!(OnlyApp::take(&control).await.expect("it starts").is_some());
    }
}
