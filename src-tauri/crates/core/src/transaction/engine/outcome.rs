//! How the end of a change is told.

use gatehouse_api::{Change, ChangeState, Code, ErrorEnvelope, StepId};

use crate::errors;
use crate::transaction::journal::{JournalError, step_name};

/// What came of taking a change back.
#[derive(Debug, Default)]
pub(super) struct Unwound {
    pub(super) drift: Vec<String>,
    pub(super) failures: Vec<String>,
}

pub(super) fn stopped() -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Cancelled, "It was stopped", "Somebody asked to stop it before it was done.")
}

pub(super) fn storage(error: JournalError) -> ErrorEnvelope {
    errors::file("Writing the journal", &error.path, &error.source)
}

pub(super) fn rolled_back(
    title: &str,
    step: StepId,
    cause: ErrorEnvelope,
    unwound: Unwound,
) -> ErrorEnvelope {
    let complete = unwound.failures.is_empty();
    let code = match cause.code {
        code @ (Code::VerifyFailed | Code::Cancelled) if complete => code,
        _ => Code::RolledBack,
    };
    let failed = if cause.code == Code::Cancelled { "was stopped" } else { "failed" };
    let end = match complete {
        true => "everything was put back",
        false => {
            "not everything could be put back yet; it is tried again before the next change and at the next start"
        }
    };
    let mut error = ErrorEnvelope::new(
        code,
        format!("“{title}” {failed} at the step “{}”; {end}", step_name(step)),
        format!("{}: {}", cause.title, cause.because),
    );
    error.evidence = cause.evidence;
    error.evidence.push(format!("cause: {}", code_name(cause.code)));
    error.evidence.extend(unwound.failures);
    error.evidence.extend(unwound.drift);
    error.fix = cause.fix;
    error
}

pub(super) fn undone(
    id: String,
    title: String,
    state: ChangeState,
    unwound: Unwound,
) -> Result<Change, ErrorEnvelope> {
    if unwound.failures.is_empty() {
        let warnings = unwound.drift;
        return Ok(Change { id: Some(id), title, state: Some(state), warnings, confirm_by: None });
    }
    let mut error = ErrorEnvelope::new(
        Code::Failed,
        format!("“{title}” is not complete yet"),
        "Not everything could be put back; it is tried again before the next change and at the next start.",
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
