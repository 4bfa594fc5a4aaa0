//! The file system: what the state folder and the control socket rest on.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use gatehouse_api::{Text, say};
use gatehouse_files::{PRIVATE, create_private_folder, sync_folder, write_atomic};
use gatehouse_host::home::{Environment, Home};

use super::room::Room;
use super::{Finding, blocking};

pub(super) async fn check(room: &Room) -> Finding {
    let folder = room.folder.join("files");
    blocking(move || match try_all(&folder) {
        Ok(saw) => Finding::passed(saw),
        Err((what, error)) => Finding::failed(
            say!("core.selftest.files.failed", what = what, error = error),
            say!("core.selftest.files.fix"),
        ),
    })
    .await
}

fn try_all(folder: &Path) -> Result<Vec<Text>, (Text, io::Error)> {
    let during = |what: Text| move |error: io::Error| (what, error);
    private(folder).map_err(during(say!("core.selftest.files.modes")))?;
    atomic(folder).map_err(during(say!("core.selftest.files.atomic")))?;
    locked(folder).map_err(during(say!("core.selftest.files.lock")))?;
    socket(folder).map_err(during(say!("core.selftest.files.socket")))?;
    let mut saw = vec![say!("core.selftest.files.saw")];
    // Where the real one would be; nothing is made there.
    let home = Home::resolve(&Environment::from_process())
        .map_err(|error| (say!("core.selftest.files.home"), io::Error::other(error.to_string())))?;
    let length = home.socket().as_os_str().len();
    saw.push(say!("core.selftest.files.socket-length", length = length));
    Ok(saw)
}

fn private(folder: &Path) -> io::Result<()> {
    create_private_folder(folder)?;
    let file = folder.join("private");
    write_atomic(&file, b"one", PRIVATE)?;
    let modes = (fs::metadata(folder)?.mode() & 0o777, fs::metadata(&file)?.mode() & 0o777);
    if modes == (0o700, 0o600) {
        return Ok(());
    }
    let (folder, file) = modes;
    Err(io::Error::other(format!("modes are {folder:o} and {file:o}, not 700 and 600")))
}

/// A reader that has the old file open goes on reading the old one.
fn atomic(folder: &Path) -> io::Result<()> {
    let path = folder.join("replaced");
    write_atomic(&path, b"old", PRIVATE)?;
    let mut open = File::open(&path)?;
    write_atomic(&path, b"new", PRIVATE)?;
    sync_folder(folder)?;
    let mut old = String::new();
    open.read_to_string(&mut old)?;
    let new = fs::read_to_string(&path)?;
    let left = fs::read_dir(folder)?.count();
    match (old.as_str(), new.as_str(), left) {
        ("old", "new", 2) => Ok(()),
        _ => Err(io::Error::other(format!("read {old:?}, then {new:?}, beside {left} files"))),
    }
}

fn locked(folder: &Path) -> io::Result<()> {
    let path = folder.join("lock");
    let first = File::create(&path)?;
    first.try_lock().map_err(io::Error::from)?;
    match File::options().write(true).open(&path)?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Ok(()) => Err(io::Error::other("a second lock was granted")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn socket(folder: &Path) -> io::Result<()> {
    let path = folder.join("s");
    let listener = UnixListener::bind(&path)?;
    let mut client = UnixStream::connect(&path)?;
    client.write_all(b"x")?;
    let (mut served, _) = listener.accept()?;
    let mut byte = [0];
    served.read_exact(&mut byte)?;
    if byte == *b"x" { Ok(()) } else { Err(io::Error::other("another byte came out")) }
}
