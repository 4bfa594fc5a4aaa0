//! This process and others, as the system sees them.

use std::io;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit, test_kill_process};

/// The highest descriptor limit that every macOS accepts (`OPEN_MAX`); two per WebSocket are plenty for us.
const DESCRIPTORS: u64 = 10_240;

/// The user that this process acts as.
pub fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// This process's id.
pub fn pid() -> u32 {
    std::process::id()
}

/// Whether a process with this id exists, whoever owns it.
pub fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    match test_kill_process(pid) {
        Ok(()) => true,
        Err(error) => error == rustix::io::Errno::PERM,
    }
}

/// Raises the soft limit of open files to 10,240, or to the hard limit where that is lower; never lowers it. Answers
/// the limit that now holds. macOS starts programs with 256, enough for only a hundred WebSockets.
///
/// # Errors
/// Whatever the system says; the old limit then still holds.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let now = getrlimit(Resource::Nofile);
    let wanted = DESCRIPTORS.min(now.maximum.unwrap_or(u64::MAX));
    match now.current {
        None => return Ok(u64::MAX),
        Some(current) if current >= wanted => return Ok(current),
        Some(_) => {}
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum })?;
    Ok(wanted)
}

#[cfg(test)]
mod tests;
