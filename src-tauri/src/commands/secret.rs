//! Secrets that a person hands over: in a file or on standard input, never in argv.

use std::{
    io::{self, Read},
    path::Path,
};

use gatehouse_api::{Code, ErrorEnvelope, SecretText, say};

/// Longer input is no secret.
const LONGEST: u64 = 4096;

/// From a file, or standard input (`-`); `None` where none was named.
pub(super) fn read(path: Option<&Path>) -> Result<Option<SecretText>, ErrorEnvelope> {
    let Some(path) = path else { return Ok(None) };
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => io::stdin().take(LONGEST).read_to_string(&mut text),
        false => std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text)),
    };
    read.map_err(|error| {
        let because = say!("core.at-failed", place = path.display(), error = error);
        ErrorEnvelope::new(Code::Usage, say!("cli.file.not-read"), because)
    })?;
    Ok(Some(SecretText::new(text.trim())))
}
