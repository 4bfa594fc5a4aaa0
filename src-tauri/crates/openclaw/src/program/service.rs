//! Starting, stopping and restarting a gateway that somebody else runs: through OpenClaw's own command line, which knows
//! its service manager.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{Program, ProgramError, json_in};
use crate::logs::{Redaction, one_line};
use crate::process;

/// A service manager may wait for the old process (20 s) and for the new one; 40 s were seen on a busy machine.
const LIMIT: Duration = Duration::from_secs(150);
const LONGEST_WORDS: usize = 600;

/// What to do with the gateway's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceAction {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Restart it.
    Restart,
    /// Have the system's service manager run it.
    Install,
    /// Write the service anew, also where one is there: its port, its program, its variables.
    Reinstall,
    /// Take the service away. Configuration and state stay.
    Uninstall,
}

impl ServiceAction {
    /// The command, for a person to read.
    #[must_use]
    pub fn command(self) -> String {
        let words: Vec<&str> = self.args().iter().copied().filter(|word| *word != "--json").collect();
        format!("openclaw {}", words.join(" "))
    }

    /// `--force` because nobody can be asked: without it OpenClaw refuses to stop an operator's gateway.
    fn args(self) -> &'static [&'static str] {
        match self {
            Self::Start => &["gateway", "start", "--json"],
            Self::Stop => &["gateway", "stop", "--force", "--json"],
            Self::Restart => &["gateway", "restart", "--json"],
            Self::Install => &["gateway", "install", "--json"],
            Self::Reinstall => &["gateway", "install", "--force", "--json"],
            Self::Uninstall => &["gateway", "uninstall", "--json"],
        }
    }
}

impl Program {
    /// Does it, and answers what OpenClaw said of it. `secrets` are left out of what it said.
    ///
    /// # Errors
    /// [`ProgramError::Declined`] with OpenClaw's words where it did not; else [`ProgramError`].
    pub async fn service(
        &self,
        action: ServiceAction,
        secrets: &[SecretString],
    ) -> Result<String, ProgramError> {
        let output = process::run(self.command(action.args()), LIMIT)
            .await
            .map_err(|source| ProgramError::Start { path: self.path.clone(), source })?
            .ok_or(ProgramError::TimedOut { after: LIMIT })?;
        let redaction = Redaction::new(secrets.iter().map(ExposeSecret::expose_secret));
        match json_in(&output.stdout).map(|answer| said(&answer, &redaction)) {
            Some(Ok(message)) if output.status.success() => Ok(message),
            Some(Err(why)) => Err(ProgramError::Declined { why }),
            Some(Ok(_)) => Err(ProgramError::Failed {
                status: output.status.to_string(),
                stderr: SecretString::from(String::from_utf8_lossy(&output.stderr).into_owned()),
            }),
            None => Err(ProgramError::Output { what: "JSON" }),
        }
    }
}

/// OpenClaw says `{action, ok, message | error}`, and in other places `{ok: false, error: {message}}`.
fn said(answer: &Value, redaction: &Redaction) -> Result<String, String> {
    let words = |value: Option<&Value>| {
        let text = value.and_then(|value| value.as_str().or_else(|| value.get("message")?.as_str()));
        let text: String = one_line(text.unwrap_or_default(), redaction);
        text.chars().take(LONGEST_WORDS).collect::<String>()
    };
    let message = words(answer.get("message"));
    match answer.get("ok").and_then(Value::as_bool) {
        // Told as a success of something that there is none of; where there is to be none, it is one.
        Some(true)
            if answer.get("result").and_then(Value::as_str) == Some("not-loaded")
                && answer.get("action").and_then(Value::as_str) != Some("uninstall") =>
        {
            Err(if message.is_empty() {
                "the gateway's service is not installed".to_owned()
            } else {
                message
            })
        }
        Some(true) => Ok(message),
        Some(false) | None => {
            let error = words(answer.get("error"));
            Err(if error.is_empty() { message } else { error })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    fn fake(folder: &tempfile::TempDir, body: &str) -> Program {
        let path = folder.path().join("openclaw");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Program {
            path,
            node: None,
            home: folder.path().to_path_buf(),
            state_dir: None,
            config_path: None,
            profile: None,
        }
    }

    #[test]
    fn both_shapes_of_a_refusal_are_understood() {
        let nothing = Redaction::default();
        for answer in [
            json!({"action": "stop", "ok": false, "error": "no"}),
            json!({"ok": false, "error": {"type": "cli_error", "message": "no"}}),
            json!({"ok": true, "result": "not-loaded", "message": "no"}),
        ] {
            assert_eq!(said(&answer, &nothing), Err("no".to_owned()), "{answer}");
        }
        assert_eq!(said(&json!({"ok": true, "message": "yes"}), &nothing), Ok("yes".to_owned()));
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_openclaws_words_without_secrets_and_control_characters() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"printf '%s' '{"ok":false,"error":"\u001b[31mno: s3cret-value\nreally"}'; exit 1"#;
        let secrets = [SecretString::from("s3cret-value")];

        let refused = fake(&folder, script).service(ServiceAction::Stop, &secrets).await;

        let Err(ProgramError::Declined { why }) = refused else { panic!("{refused:?}") };
        assert_eq!(why, "no: [hidden] really");
    }

    #[tokio::test]
    async fn stopping_is_asked_for_with_force_because_nobody_can_be_asked() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"echo "{\"ok\":true,\"message\":\"$*\"}""#;

        let stopped = fake(&folder, script).service(ServiceAction::Stop, &[]).await.unwrap();

        assert_eq!(stopped, "gateway stop --force --json");
    }

    #[tokio::test]
    async fn success_without_a_successful_exit_is_none() {
        let folder = tempfile::tempdir().unwrap();

        let failed = fake(&folder, r#"echo '{"ok":true}'; exit 3"#).service(ServiceAction::Start, &[]).await;

        assert!(matches!(failed, Err(ProgramError::Failed { .. })), "{failed:?}");
    }
}
