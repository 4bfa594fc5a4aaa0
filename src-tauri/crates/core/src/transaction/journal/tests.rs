use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatehouse_api::{ChangeKind, StepId};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{Journal, KEPT, Record, parse_line};
use crate::transaction::ledger::Ledger;

const NOW: OffsetDateTime = datetime!(2026-11-20 10:54:49.417 UTC);

fn begin(title: &str) -> Record {
    Record::Begin {
        kind: ChangeKind::Open,
        title: title.into(),
        undoes: None,
        ledger: Ledger::default(),
        force_drift: false,
    }
}

fn step(step: StepId) -> Record {
    Record::Step { step, inverse: json!({ "inverse": "serve" }), details: vec!["a line".into()] }
}

fn records(folder: &Path, id: &str) -> Vec<Record> {
    let entry = Journal::open(folder).unwrap().get(id).unwrap();
    entry.lines.iter().map(|line| line.record.clone()).collect()
}

#[test]
fn reads_back_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let id = journal.next_id(NOW);
    for record in
        [begin("Open"), step(StepId::Listen), Record::Done { step: StepId::Listen }, Record::RolledBack]
    {
        journal.append(&id, NOW, record).unwrap();
    }
    assert_eq!(id, "20261120-105449-417");
    assert_eq!(
        records(folder.path(), &id),
        [begin("Open"), step(StepId::Listen), Record::Done { step: StepId::Listen }, Record::RolledBack]
    );
    assert_eq!(*journal.get(&id).unwrap(), *Journal::open(folder.path()).unwrap().get(&id).unwrap());
}

#[test]
fn files_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let id = journal.next_id(NOW);
    journal.append(&id, NOW, begin("Open")).unwrap();
    journal.back_up(&id, StepId::Configure, b"secret").unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn ids_sort_by_time_also_when_the_clock_jumps_back_or_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let mut ids = Vec::new();
    for now in [NOW, NOW, NOW - time::Duration::hours(2), NOW + time::Duration::seconds(1)] {
        let id = journal.next_id(now);
        journal.append(&id, now, begin("Open")).unwrap();
        ids.push(id);
    }
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(ids, sorted);
    assert_eq!(ids.last().unwrap(), "20261120-105450-417");
}

#[test]
fn keeps_records_of_other_versions_and_lines_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let id = journal.next_id(NOW);
    journal.append(&id, NOW, begin("Open")).unwrap();
    let path = folder.path().join(format!("{id}.jsonl"));
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(
        b"{\"at\":\"2027-01-01T00:00:00Z\",\"record\":\"from-the-future\",\"x\":1}\n\x00\xffgarbage\n",
    )
    .unwrap();
    let before = fs::read(&path).unwrap();

    let journal = Journal::open(folder.path()).unwrap();
    journal.append(&id, NOW, Record::RolledBack).unwrap();

    assert!(fs::read(&path).unwrap().starts_with(&before));
    let seen = records(folder.path(), &id);
    assert!(
        matches!(&seen[1], Record::Unknown(Value::Object(record)) if record["record"] == "from-the-future")
    );
    assert!(matches!(&seen[2], Record::Unknown(Value::String(_))));
    assert_eq!(seen[3], Record::RolledBack);
}

#[test]
fn a_line_that_says_something_twice_is_read_alike_every_time() {
    let line = br#"{"at":"2027-01-01T00:00:01Z","record":"done","step":"?","record":"rolled-back"}"#;
    let read = parse_line(line);
    assert_eq!(read.record, Record::RolledBack);
    assert_eq!(parse_line(&serde_json::to_vec(&read).unwrap()), read);
}

#[test]
fn old_changes_are_pruned_with_their_backups_and_what_matters_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let mut ids = Vec::new();
    for number in 0..KEPT + 3 {
        let id = journal.next_id(NOW);
        journal.append(&id, NOW, begin(&number.to_string())).unwrap();
        journal.back_up(&id, StepId::Configure, b"x").unwrap();
        ids.push(id);
    }
    journal.prune(|entry| entry.id == ids[0]);
    assert!(journal.get(&ids[0]).is_some());
    assert!(journal.get(&ids[1]).is_none() && journal.get(&ids[2]).is_none());
    assert!(journal.get(&ids[3]).is_some());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 * (KEPT + 1));
    assert_eq!(journal.backup(&ids[0], StepId::Configure).unwrap().as_deref(), Some(b"x".as_slice()));
    assert_eq!(journal.backup(&ids[1], StepId::Configure).unwrap(), None);
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.jsonl"), "{}\n").unwrap();
    fs::write(folder.path().join("20261120-105449-417.jsonl.tmp"), "{").unwrap();
    assert!(Journal::open(folder.path()).unwrap().newest_first().is_empty());
}

fn whole() -> Vec<Record> {
    vec![
        begin("Öffnen"),
        step(StepId::Certificate),
        step(StepId::Listen),
        Record::Done { step: StepId::Listen },
    ]
}

proptest! {
    /// A file cut anywhere tells a beginning of what was written, and goes on from there.
    #[test]
    fn a_file_cut_anywhere_is_a_beginning_of_the_story_and_can_be_continued(cut in 0.0_f64..=1.0) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let id = journal.next_id(NOW);
        for record in whole() {
            journal.append(&id, NOW, record).unwrap();
        }
        let path = folder.path().join(format!("{id}.jsonl"));
        let bytes = fs::read(&path).unwrap();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let length = (bytes.len() as f64 * cut) as usize;
        fs::write(&path, &bytes[..length]).unwrap();

        let journal = Journal::open(folder.path()).unwrap();
        let kept = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
        let seen = journal.get(&id).map(|entry| entry.lines.len()).unwrap_or_default();
        prop_assert_eq!(seen, kept);

        journal.append(&id, NOW, Record::RolledBack).unwrap();
        let mut expected = whole()[..kept].to_vec();
        expected.push(Record::RolledBack);
        prop_assert_eq!(records(folder.path(), &id), expected);
    }

    /// Whatever a file holds, reading it neither fails nor panics.
    #[test]
    fn reads_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("20261120-105449-417.jsonl"), bytes).unwrap();
        Journal::open(folder.path()).unwrap();
    }
}
