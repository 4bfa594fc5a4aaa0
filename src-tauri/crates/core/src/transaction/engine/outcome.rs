//! How the end of a change is told.

use gatehouse_api::{Change, ChangeState, Code, ErrorEnvelope, StepId, Text, say};

use crate::errors;
use crate::transaction::journal::{JournalError, step_text};

/// What came of taking a change back.
#[derive(Debug, Default)]
pub(super) struct Unwound {
    pub(super) drift: Vec<Text>,
    pub(super) failures: Vec<Text>,
}

pub(super) fn stopped() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Cancelled, say!("core.cancelled.title"), say!("core.cancelled.because"))
}

pub(super) fn storage(error: JournalError) -> ErrorEnvelope {
    errors::file(say!("core.doing.write-journal"), &error.path, &error.source)
}

pub(super) fn rolled_back(
    title: &Text,
    step: StepId,
    cause: ErrorEnvelope,
    unwound: Unwound,
) -> ErrorEnvelope {
    let complete = unwound.failures.is_empty();
    let code = match cause.code {
        code @ (Code::VerifyFailed | Code::Cancelled) if complete => code,
        _ => Code::RolledBack,
    };
    let end = match complete {
        true => say!("core.rolled-back.all"),
        false => {
            say!("core.rolled-back.not-all")
        }
    };
    let step = step_text(step);
    let title = match cause.code {
        Code::Cancelled => say!("core.rolled-back.stopped", title = title, step = step, end = end),
        _ => say!("core.rolled-back.title", title = title, step = step, end = end),
    };
    let mut error = ErrorEnvelope::new(code, title, errors::both(&cause));
    error.evidence = cause.evidence;
    error.evidence.push(say!("core.rolled-back.cause", code = code_name(cause.code)));
    error.evidence.extend(unwound.failures);
    error.evidence.extend(unwound.drift);
    error.fix = cause.fix;
    error
}

pub(super) fn undone(
    id: String,
    title: Text,
    state: ChangeState,
    unwound: Unwound,
) -> Result<Change, ErrorEnvelope> {
    if unwound.failures.is_empty() {
        let warnings = unwound.drift;
        return Ok(Change { id: Some(id), title, state: Some(state), warnings, confirm_by: None });
    }
    let mut error = ErrorEnvelope::new(
        Code::Failed,
        say!("core.undone.title", title = title),
        say!("core.undone.because"),
    );
    error.evidence = unwound.failures;
    error.evidence.extend(unwound.drift);
    Err(error)
}

fn code_name(code: Code) -> String {
    serde_json::to_value(code)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| format!("{code:?}"))
}
