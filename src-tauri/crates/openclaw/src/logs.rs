//! The gateway's log for the eyes of a person: lines of text in which nothing can act on a terminal or a page, and from
//! which the gateway's secrets are left out.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

const HIDDEN: &str = "[hidden]";
/// Shorter values would blot out ordinary words.
const SHORTEST: usize = 6;
const LONGEST_LINE: usize = 2000;
const LARGEST_TAIL: u64 = 1 << 20;
/// What stands before a secret in a log line, compared without case.
const MARKS: [&str; 7] =
    ["token=", "token\":\"", "password=", "password\":\"", "bearer ", "secret=", "authorization: "];

/// Values that are not shown. `Debug` shows none of them.
#[derive(Default)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// These values, and whatever looks like a secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long = |secret: &&str| secret.len() >= SHORTEST;
        Self(secrets.into_iter().filter(long).map(str::to_owned).collect())
    }

    fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        for mark in MARKS {
            text = hide_after(&text, mark);
        }
        text
    }
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redaction({})", self.0.len())
    }
}

/// One line without colours, control characters and secrets.
#[must_use]
pub fn one_line(text: &str, redaction: &Redaction) -> String {
    let plain = without_controls(text);
    redaction.apply(plain.trim_end()).chars().take(LONGEST_LINE).collect()
}

/// A line of the gateway's own log, which is JSON, as text: time, level, message. Other lines stay as they are.
#[must_use]
pub fn record(line: &str, redaction: &Redaction) -> String {
    let parsed: Option<Value> = serde_json::from_str(line).ok();
    let Some(record) = parsed.filter(Value::is_object) else { return one_line(line, redaction) };
    let text = |path: &str| record.pointer(path).and_then(Value::as_str);
    let message = text("/message").or_else(|| text("/1")).or_else(|| text("/0")).unwrap_or_default();
    let part = text("/_meta/name")
        .and_then(|name| serde_json::from_str::<Value>(name).ok())
        .and_then(|name| name.get("subsystem").and_then(Value::as_str).map(str::to_owned));
    let mut words: Vec<&str> = text("/time").into_iter().collect();
    words.extend(text("/_meta/logLevelName"));
    let part = part.map(|part| format!("[{part}]"));
    words.extend(part.as_deref());
    words.push(message);
    one_line(&words.join(" "), redaction)
}

/// The last lines of a file. Empty lines are left out.
///
/// # Errors
/// What the system said.
pub fn tail(path: &Path, lines: usize, redaction: &Redaction) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LARGEST_TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line of a tail is the end of one.
    let all: Vec<&str> =
        text.lines().skip(usize::from(start > 0)).filter(|line| !line.trim().is_empty()).collect();
    Ok(all[all.len().saturating_sub(lines)..].iter().map(|line| record(line, redaction)).collect())
}

/// Colours vanish; every other control character, and those that turn the direction of text, become a space.
fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                // Parameters, then one final letter; anything else ends a broken sequence.
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            c if c.is_control() || is_invisible(c) => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Hides the word after each occurrence of `mark`.
fn hide_after(text: &str, mark: &str) -> String {
    // ASCII lower case keeps every byte where it is.
    let lower = text.to_ascii_lowercase();
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(found) = lower[from..].find(mark) {
        let start = from + found + mark.len();
        let end = text[start..]
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | ')' | '}' | '\\'))
            .map_or(text.len(), |length| start + length);
        hidden.push_str(&text[from..start]);
        if end > start {
            hidden.push_str(HIDDEN);
        }
        from = end;
    }
    hidden.push_str(&text[from..]);
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_can_act_on_a_terminal() {
        let line = "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}a\tb\u{202e}c\u{1b}[";

        let shown = one_line(line, &Redaction::default());

        assert_eq!(shown, "red  ]0;title a b c");
    }

    #[test]
    fn the_gateways_secrets_and_what_looks_like_one_are_left_out() {
        let redaction = Redaction::new(["test-token-0123", "abc"]);
        for (line, shown) in [
            ("the token is test-token-0123!", "the token is [hidden]!"),
            ("GET /#bootstrapToken=xyz&profile=owner", "GET /#bootstrapToken=[hidden]&profile=owner"),
            (r#"{"Password":"hunter2","a":1}"#, r#"{"Password":"[hidden]","a":1}"#),
            ("Authorization: Bearer aaa.bbb more", "Authorization: [hidden] [hidden] more"),
            ("token= nothing, abc stays", "token= nothing, abc stays"),
            ("Ünïcode tokeñ=x token=ü end", "Ünïcode tokeñ=x token=[hidden] end"),
        ] {
            assert_eq!(one_line(line, &redaction), shown);
        }
    }

    #[test]
    fn a_secret_that_a_colour_cuts_in_two_is_still_left_out() {
        let redaction = Redaction::new(["secret-value"]);

        assert_eq!(one_line("a secret\u{1b}[1m-value", &redaction), "a [hidden]");
    }

    #[test]
    fn a_record_of_the_gateway_becomes_a_line() {
        let line = r#"{"0":"{\"subsystem\":\"gateway\"}","1":"ready","_meta":{"logLevelName":"INFO","name":"{\"subsystem\":\"gateway\"}"},"time":"2026-11-20T12:05:15.558+00:00","message":"ready"}"#;

        assert_eq!(record(line, &Redaction::default()), "2026-11-20T12:05:15.558+00:00 INFO [gateway] ready");
        assert_eq!(record("no json", &Redaction::default()), "no json");
    }

    #[test]
    fn the_end_of_a_large_file_begins_with_a_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let line = format!("{}\n", "x".repeat(99));
        std::fs::write(&path, format!("{}last\n", line.repeat(12_000))).unwrap();

        let lines = tail(&path, 100_000, &Redaction::default()).unwrap();

        assert!(lines.len() > 10_000 && lines.len() < 12_000);
        assert!(lines[..lines.len() - 1].iter().all(|line| line.len() == 99));
        assert_eq!(tail(&path, 1, &Redaction::default()).unwrap(), ["last"]);
    }
}
