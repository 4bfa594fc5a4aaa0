//! Settings.

use gatehouse_api::{Code, ErrorEnvelope};

use super::Explain;
use crate::settings::SettingsError;

impl Explain for SettingsError {
    fn explain(&self) -> ErrorEnvelope {
        match self {
            Self::Write { path, source } => super::file("Saving the settings", path, source),
            Self::Newer { .. } => ErrorEnvelope::new(
                Code::Version,
                "The settings belong to a newer Gatehouse",
                format!("{self}. It is left alone."),
            )
            .fix("Run the newer Gatehouse."),
            Self::Encode(source) => {
                ErrorEnvelope::new(Code::Failed, "Saving the settings failed", source.to_string())
            }
        }
    }
}
