use std::time::Duration;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{Program, ProgramError};
use crate::testing;

const LIMIT: Duration = Duration::from_secs(10);

fn script(text: &str) -> (TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openclaw");
    testing::script(&path, text);
    let program = Program {
        path,
        node: None,
        home: folder.path().to_path_buf(),
        state_dir: Some(folder.path().join("state")),
        config_path: None,
        profile: None,
    };
    (folder, program)
}

#[tokio::test]
async fn a_dashboard_link_is_read_and_never_shown() {
    let (_folder, program) = script(
        r#"echo 'a warning'; echo '{"ok":true,"url":"http://127.0.0.1:1/#token=T",
           "browserUrl":"http://127.0.0.1:1/#bootstrapToken=very-secret&bootstrapProfile=owner",
           "browserBootstrapExpiresAtMs":2000}'"#,
    );

    let link = program.dashboard().await.unwrap();

    assert_eq!(link.bootstrap_token.expose_secret(), "very-secret");
    assert_eq!(link.expires_at.unwrap().unix_timestamp(), 2);
    assert!(!format!("{link:?}").contains("very-secret"));
}

#[tokio::test]
async fn the_environment_selects_the_gateway() {
    let (folder, program) = script(r#"echo "{\"state\":\"$OPENCLAW_STATE_DIR\",\"args\":\"$*\"}""#);

    let value = program.json(&["gateway", "status"], LIMIT).await.unwrap();

    assert_eq!(value["state"], folder.path().join("state").to_str().unwrap());
    assert_eq!(value["args"], "gateway status");
}

#[tokio::test]
async fn a_failure_keeps_its_words_out_of_the_message() {
    let (_folder, program) = script("echo 'token very-secret is wrong' >&2; exit 2");

    let error = program.json(&[], LIMIT).await.unwrap_err();

    assert!(!format!("{error} {error:?}").contains("very-secret"));
    let ProgramError::Failed { stderr, .. } = error else { panic!("{error}") };
    assert!(stderr.expose_secret().contains("very-secret"));
}

#[tokio::test]
async fn a_program_that_hangs_or_is_missing_is_an_error() {
    let (folder, program) = script("exec sleep 600");
    let missing = Program { path: folder.path().join("none"), ..program.clone() };

    let hanging = program.json(&[], Duration::from_millis(200)).await;

    assert!(matches!(hanging, Err(ProgramError::TimedOut { .. })));
    assert!(matches!(missing.json(&[], LIMIT).await, Err(ProgramError::Start { .. })));
}
