//! One tray app per state folder: a second start shows the first one's window and ends.
//!
//! The first holds a lock for its life and listens beside the control socket, in a folder that nobody else may enter.
//! It does not need a core for that: the window must come up above all when nothing runs.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use gatehouse_api::socket::private_folder;
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
    /// Becomes the one app; `None` = another one runs, and was asked to show its window. `home` = the state folder, the one
    /// folder that may be made private: a control socket elsewhere stands in a folder of the user's.
    pub(crate) async fn take(control: &Path, home: Option<&Path>) -> Result<Option<Self>, ErrorEnvelope> {
        let (lock, door) = (control.with_file_name("app.lock"), control.with_file_name("app.sock"));
        let folder = match (lock.parent(), home) {
            (Some(folder), Some(home)) if folder == home => gatehouse_files::create_private_folder(home),
            _ => private_folder(&lock),
        };
        folder.map_err(|error| cannot(&lock, &error))?;
        let mut options = File::options();
        let file =
            options.create(true).truncate(false).write(true).mode(gatehouse_files::PRIVATE).open(&lock);
        let file = file.map_err(|error| cannot(&lock, &error))?;
        let late = Instant::now() + COMES_UP;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(cannot(&lock, &error)),
            }
            // It shows its window; or it starts, or it ends, and then the lock comes free.
            if UnixStream::connect(&door).await.is_ok() {
                return Ok(None);
            }
            if Instant::now() > late {
                let because = say!("app.another-because", door = door.display());
                return Err(ErrorEnvelope::new(Code::AlreadyRunning, say!("app.another"), because)
                    .fix(say!("app.another-fix")));
            }
            tokio::time::sleep(KNOCK).await;
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
        let first =
            OnlyApp::take(&control, Some(folder.path())).await.expect("it starts").expect("it is the first");

        let second = OnlyApp::take(&control, Some(folder.path())).await.expect("the first answers");

        assert!(second.is_none());
        tokio::time::timeout(Duration::from_secs(5), first.asked()).await.expect("the first was asked");
    }

    #[tokio::test]
    async fn one_that_comes_while_the_first_ends_takes_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control.sock");
        let first =
            OnlyApp::take(&control, Some(folder.path())).await.expect("it starts").expect("it is the first");
        let OnlyApp { listener, _lock } = first;
        drop(listener);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(_lock);
        });

        assert!(OnlyApp::take(&control, Some(folder.path())).await.expect("it starts").is_some());
    }

    #[tokio::test]
    async fn a_folder_of_the_user_is_refused_and_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("a mode");

        let error =
            OnlyApp::take(&folder.path().join("control.sock"), None).await.expect_err("it is open to all");

        assert!(error.because.contains("0700"), "{error:?}");
        let mode = std::fs::metadata(folder.path()).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[tokio::test]
    async fn after_the_first_has_gone_its_socket_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let control = folder.path().join("control.sock");
        drop(OnlyApp::take(&control, Some(folder.path())).await.expect("it starts"));
        assert!(control.with_file_name("app.sock").exists());

        assert!(OnlyApp::take(&control, Some(folder.path())).await.expect("it starts").is_some());
    }
}
