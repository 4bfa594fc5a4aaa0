//! Crash-safe, private files.
//!
//! [`write_atomic`] guarantees that a reader, and a start after a power cut, sees either the old content or the new,
//! never a mixture and never an empty file. It is the only code in Gatehouse that replaces a file.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Mode of a file that only its owner may read.
pub const PRIVATE: u32 = 0o600;
/// Mode of a file that everybody may read.
pub const PUBLIC: u32 = 0o644;

/// Replaces `path` with `bytes`: temporary file beside it, fsync, rename, fsync of the folder.
///
/// `mode` is set before any byte is written, so a secret is never readable by others, not even for a moment. A
/// symbolic link is followed: the file it points to is replaced, the link stays.
///
/// # Errors
/// Whatever the file system says (`StorageFull`, `PermissionDenied`, `ReadOnlyFilesystem`…); the old content is then
/// untouched and the temporary file is gone.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    let folder = parent(&target)?;
    remove_orphans(&folder, &target);
    let temporary = temporary_beside(&target)?;
    let written = write_new(&temporary, bytes, mode).and_then(|()| fs::rename(&temporary, &target));
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder(&folder)
}

/// Makes a folder that only its owner may enter (0700), with its parents, and narrows one that exists.
///
/// # Errors
/// Whatever the file system says; also when the path exists and is no folder.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let metadata = fs::metadata(path)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Reads a whole file of at most `limit` bytes; `None` where there is no such file.
///
/// # Errors
/// Whatever the file system says, and `FileTooLarge` past the limit.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{} is larger than {limit} bytes", path.display()),
        ));
    }
    Ok(Some(bytes))
}

/// Makes renames, creations and removals in a folder survive a power cut.
///
/// # Errors
/// Whatever the file system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn parent(path: &Path) -> io::Result<PathBuf> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(PathBuf::from(".")),
        Some(folder) => Ok(folder.to_path_buf()),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "a file needs a folder")),
    }
}

/// A name that no other write of this process has, and no write of a process before it that had the same id.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let mut name = temporary_prefix(path)?;
        name.push(format!("{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let temporary = path.with_file_name(name);
        if !temporary.try_exists()? {
            return Ok(temporary);
        }
    }
}

/// `.NAME.`, which begins the name of every temporary file of ours.
fn temporary_prefix(path: &Path) -> io::Result<OsString> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a file needs a name"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

/// Removes what processes that were killed in the middle of a write left beside the file: it may hold secrets. What cannot
/// be removed stays; the write itself does not depend on it.
fn remove_orphans(folder: &Path, target: &Path) {
    let (Ok(prefix), Ok(entries)) = (temporary_prefix(target), fs::read_dir(folder)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let middle =
            name.as_bytes().strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_suffix(b".tmp"));
        let writer = middle.and_then(|middle| str::from_utf8(middle).ok()).and_then(|middle| {
            let (process, number) = middle.split_once('-')?;
            number.parse::<u32>().ok()?;
            process.parse::<u32>().ok()
        });
        if writer.is_some_and(|process| process != std::process::id() && !is_alive(process)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_alive(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    id.is_some_and(|id| rustix::process::test_kill_process(id) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests;
