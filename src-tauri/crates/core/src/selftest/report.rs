//! The report as one file: text that a person reads, and below it the same for a program. English, whoever wrote it: it
//! is made to be attached to an issue.

use std::fmt::Write as _;

use gatehouse_api::SCHEMA;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Outcome, Report};

impl Report {
    /// The file's text.
    #[must_use]
    pub fn to_file(&self) -> String {
        let mut text = String::new();
        let Self { version, system, passed, failed, unknown, .. } = self;
        let translated = if system.translated { ", translated" } else { "" };
        let at = self.at.replace_nanosecond(0).unwrap_or(self.at).format(&Rfc3339).unwrap_or_default();
        let _ = write!(
            text,
            "# Gatehouse selftest\n\nGatehouse {version} on {}, {}, {}{translated}, {at}\n\n\
             {passed} passed, {failed} failed, {unknown} cannot be said\n\n",
            system.system, system.kernel, system.processor,
        );
        if self.redacted {
            text.push_str("Names and addresses of the machine are left out; `--full` keeps them.\n\n");
        }
        for check in &self.checks {
            let word = match check.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "FAILED",
                Outcome::Unknown => "cannot be said",
            };
            let _ = writeln!(text, "- {word}: {} ({} ms)", check.title, check.ms);
            for line in &check.saw {
                let _ = writeln!(text, "  - {line}");
            }
            for line in check.because.iter().chain(&check.fix) {
                let _ = writeln!(text, "  - {line}");
            }
        }
        let mut object = json!({"schema": SCHEMA});
        if let (Value::Object(object), Ok(Value::Object(fields))) = (&mut object, serde_json::to_value(self))
        {
            object.extend(fields);
        }
        let _ = write!(text, "\n```json\n{object:#}\n```\n");
        text
    }
}
