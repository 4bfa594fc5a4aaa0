//! The one place where errors of the other crates become [`ErrorEnvelope`]s: a closed code, what happened, why, what
//! was measured, and what to do next.
//!
//! Guarantees: every error type that can reach a person is translated here, variant by variant, and a variant of a
//! growing list that is not known here still gets its own words; no envelope holds a secret, because no error of ours
//! does.

mod certs;
mod host;
mod imported;
mod openclaw;
mod settings;

use std::io;
use std::path::Path;

use gatehouse_api::{Cause, Code, ErrorEnvelope, Problem, Text, say};

/// An error that can be shown to a person.
pub trait Explain {
    /// What it means.
    fn explain(&self) -> ErrorEnvelope;
}

/// What a failed file operation means. `doing` completes "… failed", for example “Writing the settings”.
#[must_use]
pub fn file(doing: Text, path: &Path, error: &io::Error) -> ErrorEnvelope {
    let because = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            ErrorEnvelope::new(Code::Permission, say!("core.file.denied", doing = doing), because)
                .fix(say!("core.file.denied-fix"))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ErrorEnvelope::new(Code::Storage, say!("core.file.read-only", doing = doing), because)
                .fix(say!("core.file.read-only-fix"))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ErrorEnvelope::new(Code::Storage, say!("core.file.full", doing = doing), because)
                .fix(say!("core.file.full-fix"))
        }
        _ => ErrorEnvelope::new(Code::Storage, say!("core.file.failed", doing = doing), because),
    }
}

/// The same error as something that needs attention while the service goes on.
#[must_use]
pub fn problem(error: ErrorEnvelope) -> Problem {
    let ErrorEnvelope { code, title, because, evidence, fix } = error;
    let because = match evidence.is_empty() {
        true => because,
        false => say!("core.with-evidence", because = because, evidence = Text::list(evidence)),
    };
    Problem { code, title, because, fix: fix.map(|fix| *fix) }
}

/// The same error as the reason why the address cannot be open.
#[must_use]
pub fn cause(error: &ErrorEnvelope) -> Cause {
    Cause { code: error.code, text: both(error) }
}

/// What happened and why, as one text.
pub(crate) fn both(error: &ErrorEnvelope) -> Text {
    say!("core.both", title = error.title, because = error.because)
}

/// The error's own words as a sentence.
fn sentence(error: &impl std::fmt::Display) -> String {
    capital(&error.to_string())
}

/// With a capital at the start and a full stop at the end.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let capital: String =
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if capital.ends_with(['.', '!', '?']) { capital } else { format!("{capital}.") }
}

#[cfg(test)]
mod tests;
