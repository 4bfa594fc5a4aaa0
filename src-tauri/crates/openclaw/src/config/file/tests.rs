use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::super::{ConfigError, Edit};
use super::{Restored, backup_path, prepare, read_view, restore};

const TEXT: &str = r#"// my gateway
{
  gateway: {
    port: 0x4965, // hex
    'bind': "loopback",
    controlUi: { allowedOrigins: ["https://a.example", /* mine */ 'https://b.example'] },
    auth: { token: "very-secret" },
  },
}
"#;

fn config(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openclaw.json");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn open_edits() -> Vec<Edit> {
    vec![
        Edit::AddToArray {
            path: "gateway.controlUi.allowedOrigins".into(),
            values: vec!["https://mine.example:8443".to_owned()],
        },
        Edit::AddToArray {
            path: "gateway.trustedProxies".into(),
            values: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
        },
        Edit::Set { path: "gateway.publicOrigin".into(), value: json!("https://mine.example:8443") },
    ]
}

#[test]
fn every_line_that_is_not_ours_survives_an_edit() {
    let (_folder, path) = config(TEXT);

    prepare(&path, &open_edits()).unwrap().commit().unwrap();

    let after = fs::read_to_string(&path).unwrap();
    for kept in
        ["// my gateway\n", "port: 0x4965, // hex", "'bind': \"loopback\",", "/* mine */ 'https://b.example'"]
    {
        assert!(after.contains(kept), "{kept} is missing in\n{after}");
    }
    let view = read_view(&path).unwrap();
    assert_eq!(view.allowed_origins.unwrap().len(), 3);
    assert_eq!(view.trusted_proxies.unwrap(), ["127.0.0.1", "::1"]);
}

#[test]
fn preparing_writes_nothing() {
    let (folder, path) = config(TEXT);

    let prepared = prepare(&path, &open_edits()).unwrap();

    assert!(!prepared.is_noop());
    assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn restoring_gives_the_same_bytes_and_is_safe_to_repeat() {
    let (_folder, path) = config(TEXT);
    let prepared = prepare(&path, &open_edits()).unwrap();
    prepared.commit().unwrap();

    let after = &prepared.record().after_sha256;
    assert_eq!(restore(&path, prepared.before(), after).unwrap(), Restored::Identical);
    assert_eq!(restore(&path, prepared.before(), after).unwrap(), Restored::Already);
    assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
}

#[test]
fn restoring_leaves_a_file_alone_that_somebody_changed_and_the_inverse_takes_over() {
    let (_folder, path) = config(TEXT);
    let prepared = prepare(&path, &open_edits()).unwrap();
    prepared.commit().unwrap();
    let theirs = fs::read_to_string(&path).unwrap().replace("// hex", "// changed by hand");
    fs::write(&path, &theirs).unwrap();

    assert_eq!(
        restore(&path, prepared.before(), &prepared.record().after_sha256).unwrap(),
        Restored::Changed
    );
    prepare(&path, &prepared.record().inverse).unwrap().commit().unwrap();

    let undone = fs::read_to_string(&path).unwrap();
    assert!(undone.contains("// changed by hand"));
    assert!(!undone.contains("mine.example"), "{undone}");
    assert_eq!(read_view(&path).unwrap().trusted_proxies, None);
}

#[test]
fn a_file_that_changed_since_it_was_read_is_not_written() {
    let (_folder, path) = config(TEXT);
    let prepared = prepare(&path, &open_edits()).unwrap();
    fs::write(&path, "{}").unwrap();

    assert!(matches!(prepared.commit(), Err(ConfigError::Conflict)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
}

#[test]
fn the_written_file_is_private_and_the_first_state_has_a_backup() {
    let (_folder, path) = config(TEXT);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();

    prepare(&path, &open_edits()).unwrap().commit().unwrap();
    let more = Edit::Set { path: "gateway.publicOrigin".into(), value: json!("https://other.example") };
    prepare(&path, &[more]).unwrap().commit().unwrap();

    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let backup = backup_path(&path);
    assert_eq!(fs::read_to_string(&backup).unwrap(), TEXT);
    assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_symbolic_link_stays_and_its_file_is_edited() {
    let (folder, real) = config(TEXT);
    let link = folder.path().join("link.json");
    symlink(&real, &link).unwrap();

    prepare(&link, &open_edits()).unwrap().commit().unwrap();

    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("mine.example"));
}

#[test]
fn a_read_only_file_is_left_alone_with_a_reason() {
    let (_folder, path) = config(TEXT);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();

    let error = prepare(&path, &open_edits()).unwrap().commit().unwrap_err();

    assert!(
        matches!(&error, ConfigError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
}

#[test]
fn what_cannot_be_edited_is_refused_with_the_reason() {
    for (text, reason) in [
        ("{ gateway: ", "JSON5"),
        ("[1, 2]", "no object"),
        ("", "JSON5"),
        ("{ gateway: {}, gateway: { port: 1 } }", "twice"),
    ] {
        let (_folder, path) = config(text);
        let error = prepare(&path, &open_edits()).unwrap_err();
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
    let (_folder, path) = config(&format!("{{ a: '{}' }}", "x".repeat(1 << 20)));
    assert!(prepare(&path, &open_edits()).unwrap_err().to_string().contains("1 MiB"));
    let (folder, _) = config("{}");
    let missing = prepare(&folder.path().join("none.json"), &open_edits());
    assert!(matches!(missing, Err(ConfigError::Missing { .. })));
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let (folder, path) = config(TEXT);
    let there = Edit::AddToArray {
        path: "gateway.controlUi.allowedOrigins".into(),
        values: vec!["https://a.example".to_owned()],
    };

    let prepared = prepare(&path, &[there]).unwrap();
    prepared.commit().unwrap();

    assert!(prepared.is_noop());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn debug_of_a_prepared_edit_shows_no_secret() {
    let (_folder, path) = config(TEXT);

    assert!(!format!("{:?}", prepare(&path, &open_edits()).unwrap()).contains("very-secret"));
}

fn layout() -> impl Strategy<Value = String> {
    let list = prop_oneof![
        Just("[]".to_owned()),
        Just("['w', \"x\"]".to_owned()),
        Just("[\n  'w', // one\n  'y' /* two */\n  // end\n]".to_owned()),
        Just("[ 'x', ]".to_owned()),
    ];
    let deep = (list.clone(), any::<bool>()).prop_map(|(list, one_line)| {
        if one_line { format!("{{list: {list} /* t */}}") } else { format!("{{\n\n  list: {list}, // t\n}}") }
    });
    (list, deep, any::<bool>()).prop_map(|(list, deep, bom)| {
        let mark = if bom { "\u{feff}" } else { "" };
        format!("{mark}// head\n{{ a: {{ list: {list}, deep: {deep} }}, // after\n  'c': .5, }}\n// tail")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn comments_survive_every_edit_and_restoring_gives_the_same_bytes(
        text in layout(),
        edits in super::super::apply::tests::arbitrary_edits(),
    ) {
        let touches_comments = edits.iter().any(|edit| {
            matches!(edit, Edit::Remove { .. } | Edit::Set { .. } | Edit::RemoveFromArray { .. })
        });
        let (_folder, path) = config(&text);
        if let Ok(prepared) = prepare(&path, &edits) {
            prepared.commit().unwrap();
            let after = fs::read_to_string(&path).unwrap();
            if !touches_comments {
                for mark in ["// head", "// tail", "// after", "// one", "/* two */", "// end", "/* t */", "// t\n"] {
                    prop_assert_eq!(text.matches(mark).count(), after.matches(mark).count(), "{} in {}", mark, after);
                }
            }
            let inverse = prepare(&path, &prepared.record().inverse).unwrap();
            prop_assert_eq!(
                super::object(&path, inverse.after()).unwrap(),
                super::object(&path, text.as_bytes()).unwrap()
            );
            restore(&path, prepared.before(), &prepared.record().after_sha256).unwrap();
            prop_assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
