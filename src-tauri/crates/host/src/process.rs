//! This process and others, as the system sees them.

use std::io;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit, test_kill_process};

/// The highest descriptor limit that every macOS accepts (`OPEN_MAX`); two per WebSocket are plenty for us.
const DESCRIPTORS: u64 = 10_240;

/// A shell, a launcher and a program are three; more is a mistake.
const GENERATIONS: usize = 5;

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

/// Whether `pid` is `ancestor` or came from it, as far as the system tells. On macOS this starts short-lived programs.
#[must_use]
pub fn comes_from(pid: u32, ancestor: u32) -> bool {
    std::iter::successors(Some(pid), |pid| parent(*pid).filter(|parent| *parent > 1))
        .take(GENERATIONS)
        .any(|pid| pid == ancestor)
}

#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn parent(pid: u32) -> Option<u32> {
    let limit = std::time::Duration::from_secs(3);
    let told = crate::command::output("/bin/ps", &["-o", "ppid=", "-p", &pid.to_string()], limit)?;
    told.trim().parse().ok()
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
