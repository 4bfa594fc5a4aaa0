//! The thread that owns the files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{AccessRecord, Counts, line};
use crate::settings::LogOptions;

const LIVE: &str = "access.jsonl";
const PREFIX: &str = "access-";
const SUFFIX: &str = ".jsonl";
/// Bytes that are collected before they are written, at most.
const BATCH: usize = 64 * 1024;
/// How long a record waits for others, so that neither its sender has to wake this thread each time nor each needs a write
/// of its own.
const GATHER: Duration = Duration::from_millis(25);
/// How often ages and the total are looked at while nothing is put aside.
const SWEEP: Duration = Duration::from_secs(3600);

const STAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second][subsecond digits:3]Z");

pub(super) struct Writer {
    options: LogOptions,
    counts: Arc<Counts>,
    live: Option<Live>,
    buffer: Vec<u8>,
    lines: u64,
    retry: Duration,
    retry_at: Option<Instant>,
    sweep_at: Instant,
}

#[expect(clippy::disallowed_methods, reason = "the writer has a thread of its own")]
fn gather() {
    std::thread::sleep(GATHER);
}

pub(super) struct Live {
    file: File,
    length: u64,
    inode: u64,
    born: SystemTime,
}

impl Writer {
    /// `retry`: how long a disk that refused is left alone.
    pub(super) fn open(mut options: LogOptions, counts: Arc<Counts>, retry: Duration) -> io::Result<Self> {
        // The live file and at least one before it fit into the total.
        options.file_bytes = options.file_bytes.min(options.total_bytes / 2);
        let live = Some(Live::open(&options.folder)?);
        let mut writer = Self {
            options,
            counts,
            live,
            buffer: Vec::new(),
            lines: 0,
            retry,
            retry_at: None,
            sweep_at: Instant::now() + SWEEP,
        };
        writer.sweep(0);
        Ok(writer)
    }

    /// Writes until the other end is dropped. A line is written within a moment, together with those that came meanwhile.
    pub(super) fn run(mut self, records: &Receiver<Arc<AccessRecord>>) {
        let mut behind = false;
        loop {
            match records.recv_timeout(SWEEP) {
                Ok(record) => {
                    self.take(&record);
                    if !behind {
                        gather();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while self.buffer.len() < BATCH {
                let Ok(record) = records.try_recv() else { break };
                self.take(&record);
            }
            // A full batch: more are waiting.
            behind = self.buffer.len() >= BATCH;
            self.flush();
            if Instant::now() >= self.sweep_at {
                self.sweep(0);
            }
        }
    }

    fn take(&mut self, record: &AccessRecord) {
        line::append(&mut self.buffer, record);
        self.lines += 1;
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines == 0 {
            return;
        }
        let resting = self.retry_at.is_some_and(|at| Instant::now() < at);
        let written = if resting { Err(io::ErrorKind::WouldBlock.into()) } else { self.write() };
        self.buffer.clear();
        match written {
            Ok(()) => {
                self.counts.written.fetch_add(lines, Ordering::Relaxed);
                if self.counts.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the access log can be written again");
                }
                self.retry_at = None;
            }
            Err(error) => {
                self.counts.failed.fetch_add(lines, Ordering::Relaxed);
                if !resting {
                    if !self.counts.failing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%error, "the access log cannot be written");
                    }
                    self.live = None;
                    self.retry_at = Some(Instant::now() + self.retry);
                }
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let incoming = self.buffer.len() as u64;
        if self.live.as_ref().is_some_and(|live| !live.is_at(&self.options.folder)) {
            self.live = None;
        }
        if let Some(live) = &self.live
            && live.length > 0
            && (live.length + incoming > self.options.file_bytes || live.older_than(self.options.keep_days))
        {
            self.put_aside()?;
        }
        if self.live.is_none() {
            self.live = Some(Live::open(&self.options.folder)?);
        }
        match &mut self.live {
            Some(live) => live.append(&self.buffer),
            None => Ok(()),
        }
    }

    /// Renames the live file and makes room for a full one, so that the total holds at any time.
    fn put_aside(&mut self) -> io::Result<()> {
        self.live = None;
        let stamp = OffsetDateTime::now_utc().format(STAMP).map_err(io::Error::other)?;
        let mut counter = 0;
        let aside = loop {
            let aside = self.options.folder.join(format!("{PREFIX}{stamp}-{counter:04}{SUFFIX}"));
            if !aside.exists() {
                break aside;
            }
            counter += 1;
        };
        fs::rename(self.options.folder.join(LIVE), aside)?;
        self.sweep(self.options.file_bytes);
        Ok(())
    }

    /// Removes what is too old, then the oldest until `reserve` more bytes fit into the total.
    fn sweep(&mut self, reserve: u64) {
        self.sweep_at = Instant::now() + SWEEP;
        let mut files = set_aside(&self.options.folder);
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let age = Duration::from_secs(u64::from(self.options.keep_days) * 86_400);
        let oldest = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let live = self.live.as_ref().map_or(0, |live| live.length).max(reserve);
        let mut total: u64 = live + files.iter().map(|file| file.length).sum::<u64>();
        for file in files {
            if (file.modified < oldest || total > self.options.total_bytes)
                && fs::remove_file(&file.path).is_ok()
            {
                total -= file.length;
            }
        }
    }
}

impl Live {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        private_folder(folder)?;
        let path = folder.join(LIVE);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let facts = file.metadata()?;
        if facts.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        let born = facts.created().or_else(|_| facts.modified()).unwrap_or_else(|_| SystemTime::now());
        Ok(Self { length: facts.len(), inode: facts.ino(), born, file })
    }

    /// Whether the file still has its place: somebody may have moved or removed it.
    fn is_at(&self, folder: &Path) -> bool {
        fs::metadata(folder.join(LIVE)).is_ok_and(|facts| facts.ino() == self.inode)
    }

    fn older_than(&self, days: u32) -> bool {
        self.born.elapsed().is_ok_and(|age| age > Duration::from_secs(u64::from(days) * 86_400))
    }

    /// All of `bytes`, or nothing.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.undo_after(|file| file.write_all(bytes))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Cuts off what a write has left behind that broke off, for example on a full disk.
    pub(super) fn undo_after(&mut self, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        write(&mut self.file).inspect_err(|_| {
            let _ = self.file.set_len(self.length);
        })
    }
}

struct Aside {
    path: PathBuf,
    length: u64,
    modified: SystemTime,
}

/// Only files that this log has named.
fn set_aside(folder: &Path) -> Vec<Aside> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
        })
        .filter_map(|entry| {
            let facts = entry.metadata().ok()?;
            let modified = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            facts.is_file().then(|| Aside { path: entry.path(), length: facts.len(), modified })
        })
        .collect()
}

fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let facts = fs::metadata(folder)?;
    if facts.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
