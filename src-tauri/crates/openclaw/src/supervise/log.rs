//! The gateway's output.
//!
//! The gateway writes to the file itself: a pipe to us would break when we are killed, and take the gateway with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use gatehouse_files::{PRIVATE, create_private_folder};

const LARGEST: u64 = 4 << 20;
const TAIL: u64 = 16 * 1024;

pub(super) fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        create_private_folder(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path)
}

pub(super) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Keeps the file small. It is emptied and not renamed, because the gateway keeps it open; it appends, so it goes on at
/// the new end. A line written in between is lost.
pub(super) fn rotate(path: &Path) -> io::Result<()> {
    if length(path) <= LARGEST {
        return Ok(());
    }
    let mut old = path.as_os_str().to_owned();
    old.push(".1");
    fs::copy(path, PathBuf::from(old))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// The last lines that were written from `start` on, without colours.
pub(super) fn tail(path: &Path, start: u64, lines: usize) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let start = if start > length { 0 } else { start };
        file.seek(SeekFrom::Start(start.max(length.saturating_sub(TAIL))))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = read().map(|bytes| without_colours(&String::from_utf8_lossy(&bytes))).unwrap_or_default();
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| line.chars().take(400).collect()).collect()
}

fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        if next == '\u{1b}' && chars.peek() == Some(&'[') {
            chars.find(|c| c.is_ascii_alphabetic());
        } else {
            plain.push(next);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::{LARGEST, length, open, rotate, tail};

    #[test]
    fn the_end_is_given_without_colours_and_without_earlier_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/gateway.log");
        let mut file = open(&path).unwrap();
        writeln!(file, "an earlier run").unwrap();
        let start = length(&path);
        writeln!(file, "one\n\u{1b}[90mtwo\u{1b}[39m\n\nthree").unwrap();

        assert_eq!(tail(&path, start, 2), ["two", "three"]);
        assert_eq!(tail(&path, start, 9), ["one", "two", "three"]);
    }

    #[test]
    fn a_large_file_is_emptied_while_its_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.log");
        let mut writer = open(&path).unwrap();
        writer.write_all(&vec![b'x'; usize::try_from(LARGEST).unwrap() + 1]).unwrap();

        rotate(&path).unwrap();
        writer.write_all(b"after").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"after");
        assert_eq!(length(&folder.path().join("gateway.log.1")), LARGEST + 1);
    }
}
