//! The files of cases.
//!
//! `## name` begins a case, `@word` sets an option of it, `= verdict` says what must come of it. All other lines are what
//! is sent. Above the first case everything is a comment. In what is sent `\r \n \t \0 \\ \xNN` are bytes and `\{N:text}`
//! is a text N times.

use std::path::Path;

/// One hostile client.
#[derive(Debug)]
pub(super) struct Case {
    /// What it is, in words; unique within its file.
    pub(super) name: String,
    /// The lines that it sends, as they stand in the file.
    pub(super) lines: Vec<String>,
    /// What must come of it, one word list for each event.
    pub(super) verdict: Vec<Vec<String>>,
    options: Vec<String>,
}

impl Case {
    /// Whether an option is set.
    pub(super) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|set| set == option)
    }
}

/// The cases of a file.
pub(super) fn read(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            assert!(cases.iter().all(|case| case.name != name), "{name} stands twice in {}", path.display());
            let (lines, verdict, options) = (Vec::new(), Vec::new(), Vec::new());
            cases.push(Case { name: name.to_owned(), lines, verdict, options });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(option) = line.strip_prefix('@') {
            case.options.push(option.to_owned());
        } else if let Some(verdict) = line.strip_prefix("= ") {
            case.verdict.push(verdict.split(' ').map(str::to_owned).collect());
        } else if case.verdict.is_empty() {
            case.lines.push(line.to_owned());
        } else {
            assert!(line.is_empty(), "{}: {line:?} stands behind the verdict", case.name);
        }
    }
    for case in &cases {
        assert!(!case.verdict.is_empty(), "{} has no verdict", case.name);
    }
    cases
}

/// The bytes that a text stands for.
pub(super) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let (byte, used) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => (u8::from_str_radix(&escape[1..3], 16).unwrap(), 3),
            [b'{', ..] => {
                let (inner, _) = escape[1..].split_once('}').unwrap();
                let (count, text) = inner.split_once(':').unwrap();
                out.extend(unescape(text).repeat(count.parse().unwrap()));
                rest = &escape[inner.len() + 2..];
                continue;
            }
            other => panic!("no escape: {other:?}"),
        };
        out.push(byte);
        rest = &escape[used..];
    }
    out.extend(rest.as_bytes());
    out
}

/// Bytes as text, one line for each that ends in CRLF; long ones are cut in the middle.
pub(super) fn show(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        let (line, mark, next) = match end {
            Some(end) => (&rest[..end], "\n", &rest[end + 2..]),
            None => (rest, "\\\n", &rest[rest.len()..]),
        };
        if line.len() > 400 {
            out += &format!("{}...({} bytes)", line[..100].escape_ascii(), line.len());
        } else {
            out += &line.escape_ascii().to_string();
        }
        out += mark;
        rest = next;
    }
    out
}
