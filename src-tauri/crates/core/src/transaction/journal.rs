//! The journal: one file per change, one JSON object per line, each on disk before the step that it announces runs.
//!
//! Guarantees: files are private (0600); a line is either whole or not there (what a crash or a full disk left of a
//! line is cut off before the next one is written); records that this version does not know are kept and passed over; ids sort by time, also when the clock jumps back; the
//! number of files is bounded, and what still matters is never pruned.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gatehouse_api::{ChangeKind, Code, StepId, Text, say};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

use super::ledger::Ledger;

/// How many changes are kept beside those that must be.
pub(crate) const KEPT: usize = 100;
const FILE_LIMIT: u64 = 4 << 20;
const BACKUP_LIMIT: u64 = 64 << 20;
const EXTENSION: &str = "jsonl";
const BACKUP: &str = "backup";

/// A record of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub(crate) enum Record {
    /// The change begins. Always the first.
    Begin {
        /// What kind.
        kind: ChangeKind,
        /// What it does, in one line.
        title: Text,
        /// The change that it undoes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<String>,
        /// What Gatehouse owned before.
        ledger: Ledger,
        /// Whether an undo also takes back what somebody else changed since.
        #[serde(default)]
        force_drift: bool,
    },
    /// The step is about to run.
    Step {
        /// Which.
        step: StepId,
        /// What takes it back, also when it never ran or ran in part.
        inverse: Value,
        /// What it changes, a line each.
        details: Vec<Text>,
    },
    /// The step ran.
    Done {
        /// Which.
        step: StepId,
    },
    /// The step failed.
    Failed {
        /// Which.
        step: StepId,
        /// The closed code.
        code: Code,
        /// Why.
        because: Text,
    },
    /// The step is taken back.
    Reverted {
        /// Which.
        step: StepId,
    },
    /// The step could not be taken back yet.
    NotReverted {
        /// Which.
        step: StepId,
        /// Why.
        because: Text,
    },
    /// Everything is taken back.
    RolledBack,
    /// The change is kept.
    Committed {
        /// What Gatehouse owns now.
        ledger: Ledger,
        /// When it reverts unless it is confirmed.
        #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
        confirm_by: Option<OffsetDateTime>,
        /// Whether it can be undone.
        undoable: bool,
    },
    /// Somebody confirmed it.
    Confirmed,
    /// Written by another version.
    #[serde(untagged)]
    Unknown(Value),
}

/// A record and when it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: OffsetDateTime,
    /// What.
    #[serde(flatten)]
    pub(crate) record: Record,
}

/// A change as its file tells it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) id: String,
    /// Its records, in order; at least one.
    pub(crate) lines: Vec<Line>,
}

/// The folder of journals, and what they say.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    entries: Mutex<BTreeMap<String, Arc<Entry>>>,
}

/// A journal file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(crate) struct JournalError {
    /// The file.
    pub(crate) path: PathBuf,
    /// What the system said.
    #[source]
    pub(crate) source: io::Error,
}

impl Journal {
    /// Reads every journal in the folder, which is made where there is none.
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError { path: folder.to_path_buf(), source };
        gatehouse_files::create_private_folder(folder).map_err(failed)?;
        let mut entries = BTreeMap::new();
        for file in fs::read_dir(folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            let Some(id) = id_of(&path) else { continue };
            let bytes = gatehouse_files::read_bounded(&path, FILE_LIMIT)
                .map_err(|source| JournalError { path: path.clone(), source })?
                .unwrap_or_default();
            let lines = parse(&bytes);
            if !lines.is_empty() {
                entries.insert(id.clone(), Arc::new(Entry { id, lines }));
            }
        }
        Ok(Self { folder: folder.to_path_buf(), entries: Mutex::new(entries) })
    }

    /// A new id: greater than every other, readable as a UTC time.
    pub(crate) fn next_id(&self, now: OffsetDateTime) -> String {
        let newest = self.lock().last_key_value().map(|(id, _)| id.clone());
        let mut at = now;
        loop {
            let id = format_id(at);
            match &newest {
                Some(newest) if *newest >= id => {
                    at = parse_id(newest).unwrap_or(at).max(at) + time::Duration::milliseconds(1);
                }
                Some(_) | None => return id,
            }
        }
    }

    /// Writes a record and waits until it is on disk.
    pub(crate) fn append(&self, id: &str, at: OffsetDateTime, record: Record) -> Result<(), JournalError> {
        let path = self.path(id);
        let failed = |source| JournalError { path: path.clone(), source };
        let line = Line { at, record };
        let mut bytes = serde_json::to_vec(&line).map_err(|error| failed(io::Error::from(error)))?;
        bytes.push(b'\n');
        let fresh = !self.lock().contains_key(id);
        append_line(&path, &bytes).map_err(failed)?;
        if fresh {
            gatehouse_files::sync_folder(&self.folder).map_err(failed)?;
        }
        let mut entries = self.lock();
        let entry = entries
            .entry(id.to_owned())
            .or_insert_with(|| Arc::new(Entry { id: id.to_owned(), lines: Vec::new() }));
        Arc::make_mut(entry).lines.push(line);
        Ok(())
    }

    /// Keeps a copy of a file beside the journal of a change.
    pub(crate) fn back_up(&self, id: &str, step: StepId, bytes: &[u8]) -> Result<(), JournalError> {
        let path = self.backup_path(id, step);
        gatehouse_files::write_atomic(&path, bytes, gatehouse_files::PRIVATE)
            .map_err(|source| JournalError { path, source })
    }

    /// The copy that [`Self::back_up`] kept.
    pub(crate) fn backup(&self, id: &str, step: StepId) -> Result<Option<Vec<u8>>, JournalError> {
        let path = self.backup_path(id, step);
        gatehouse_files::read_bounded(&path, BACKUP_LIMIT).map_err(|source| JournalError { path, source })
    }

    /// One change.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Entry>> {
        self.lock().get(id).cloned()
    }

    /// All changes, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<Entry>> {
        self.lock().values().rev().cloned().collect()
    }

    /// Removes the oldest changes past [`KEPT`] for which `keep` says no, with their backups. A file that cannot be
    /// removed stays for the next time.
    pub(crate) fn prune(&self, keep: impl Fn(&Entry) -> bool) {
        let mut entries = self.lock();
        let surplus = entries.len().saturating_sub(KEPT);
        let old: Vec<String> = entries
            .values()
            .take(surplus)
            .filter(|entry| !keep(entry))
            .map(|entry| entry.id.clone())
            .collect();
        for id in old {
            if let Err(error) = self.remove_files(&id) {
                tracing::warn!(%error, change = id, "an old journal could not be removed");
                continue;
            }
            entries.remove(&id);
        }
    }

    /// Removes the copies of files that belong to changes for which `needed` says no: they hold the user's secrets.
    /// One that cannot be removed stays for the next time.
    pub(crate) fn forget_backups(&self, needed: impl Fn(&Entry) -> bool) {
        let entries = self.lock();
        for entry in entries.values().filter(|entry| !needed(entry)) {
            for announced in entry.announced() {
                let path = self.backup_path(&entry.id, announced.step);
                match fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => tracing::warn!(%error, ?path, "an old backup could not be removed"),
                }
            }
        }
    }

    /// Removes the backups first: a journal without a backup is history, a backup without a journal is litter.
    fn remove_files(&self, id: &str) -> io::Result<()> {
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.strip_prefix(id).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(BACKUP)) {
                fs::remove_file(&path)?;
            }
        }
        fs::remove_file(self.path(id))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{EXTENSION}"))
    }

    fn backup_path(&self, id: &str, step: StepId) -> PathBuf {
        self.folder.join(format!("{id}.{}.{BACKUP}", step_name(step)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a step as it stands in files.
pub(crate) fn step_name(step: StepId) -> &'static str {
    match step {
        StepId::FindGateway => "find-gateway",
        StepId::Authentication => "authentication",
        StepId::Loopback => "loopback",
        StepId::Certificate => "certificate",
        StepId::Listen => "listen",
        StepId::MapPort => "map-port",
        StepId::Issue => "issue",
        StepId::Configure => "configure",
        StepId::Verify => "verify",
        StepId::Commit => "commit",
    }
}

/// The same for a person.
pub(crate) fn step_text(step: StepId) -> Text {
    match step {
        StepId::FindGateway => say!("step.find-gateway"),
        StepId::Authentication => say!("step.authentication"),
        StepId::Loopback => say!("step.loopback"),
        StepId::Certificate => say!("step.certificate"),
        StepId::Listen => say!("step.listen"),
        StepId::MapPort => say!("step.map-port"),
        StepId::Issue => say!("step.issue"),
        StepId::Configure => say!("step.configure"),
        StepId::Verify => say!("step.verify"),
        StepId::Commit => say!("step.commit"),
    }
}

/// Cuts off half a line that an earlier write left, then writes the whole line; on failure the file is as before.
fn append_line(path: &Path, line: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let end = whole_lines(&mut file)?;
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    let written = file.write_all(line).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = file.set_len(end);
    }
    written
}

fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(file, &mut bytes)?;
    Ok(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1))
}

/// What is not followed by a line end was never acknowledged: the step that it announces did not run.
fn parse(bytes: &[u8]) -> Vec<Line> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes
        .get(..whole)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(parse_line)
        .collect()
}

fn parse_line(bytes: &[u8]) -> Line {
    // By way of a value, in which a key stands once: a line that says something twice is read alike every time.
    serde_json::from_slice::<Value>(bytes).and_then(Line::deserialize).unwrap_or_else(|_| Line {
        at: OffsetDateTime::UNIX_EPOCH,
        record: Record::Unknown(Value::String(String::from_utf8_lossy(bytes).into_owned())),
    })
}

const ID: &[time::format_description::BorrowedFormatItem<'static>] =
    format_description!("[year][month][day]-[hour][minute][second]-[subsecond digits:3]");

fn format_id(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(ID).unwrap_or_else(|_| String::from("00000000-000000-000"))
}

fn parse_id(id: &str) -> Option<OffsetDateTime> {
    time::PrimitiveDateTime::parse(id, ID).ok().map(time::PrimitiveDateTime::assume_utc)
}

fn id_of(path: &Path) -> Option<String> {
    if path.extension()?.to_str()? != EXTENSION {
        return None;
    }
    let id = path.file_stem()?.to_str()?;
    parse_id(id)?;
    Some(id.to_owned())
}

/// What the fuzzer drives: a journal's bytes read and written again.
#[cfg(fuzzing)]
pub(crate) fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let lines = parse(bytes).into_iter().filter_map(|line| serde_json::to_vec(&line).ok());
    lines.flat_map(|line| [line, b"\n".to_vec()].concat()).collect()
}

#[cfg(test)]
mod tests;
