//! Settings.

use gatehouse_api::{Code, ErrorEnvelope, say};

use super::Explain;
use crate::settings::SettingsError;

impl Explain for SettingsError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Write { path, source } => super::file(say!("core.doing.save-settings"), path, source),
            Self::Newer { .. } => ErrorEnvelope::new(
                Code::Version,
                say!("core.settings.newer"),
                format!("{self}. It is left alone."),
            )
            .fix(say!("core.settings.newer-fix")),
            Self::Encode(source) => {
                ErrorEnvelope::new(Code::Failed, say!("core.settings.failed"), source.to_string())
            }
        }
    }
}
