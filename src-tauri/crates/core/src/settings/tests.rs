use gatehouse_api::Scope;

use super::*;

fn opened() -> OpenSettings {
    let request = OpenRequest {
        scope: Scope::Lan,
        hosts: vec!["box.example".into()],
        port: None,
        redirect_port: None,
        map_port: None,
        only: Vec::new(),
        confirm_within: None,
    };
    OpenSettings::new(request, 8443)
}

#[test]
fn what_was_saved_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    let until = OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
    SettingsStore::open(&path)
        .update(|settings| {
            settings.open = Some(opened());
            settings.pause = Some(PauseSettings { until: Some(until) });
        })
        .unwrap();

    let loaded = SettingsStore::open(&path);

    assert_eq!(loaded.current().open, Some(opened()));
    assert_eq!(loaded.current().pause, Some(PauseSettings { until: Some(until) }));
    assert_eq!(loaded.problem(), None);
}

#[test]
fn keys_of_other_versions_survive_a_save() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(
        &path,
        r#"{"schema":1,"colour":"blue","open":{"request":{"scope":"lan"},"port":8443,"later":{"a":1}}}"#,
    )
    .unwrap();

    SettingsStore::open(&path)
        .update(|settings| settings.pause = Some(PauseSettings { until: None }))
        .unwrap();

    let text: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(text["colour"], "blue");
    assert_eq!(text["open"]["later"]["a"], 1);
}

#[test]
fn a_broken_file_is_set_aside_and_the_last_good_settings_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    SettingsStore::open(&path).update(|settings| settings.open = Some(opened())).unwrap();
    std::fs::write(&path, "{ not json").unwrap();

    let store = SettingsStore::open(&path);

    assert_eq!(store.current().open, Some(opened()));
    assert_eq!(store.problem().unwrap().code, Code::Storage);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{ not json");

    store.update(|settings| settings.open = None).unwrap();

    assert_eq!(store.problem(), None);
    let kept = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("broken-"))
        .unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "{ not json");
    assert_eq!(SettingsStore::open(&path).current().open, None);
}

#[test]
fn a_file_of_a_newer_version_is_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(&path, r#"{"schema":7}"#).unwrap();

    let store = SettingsStore::open(&path);

    assert!(matches!(
        store.update(|settings| settings.open = None),
        Err(SettingsError::Newer { found: 7, .. })
    ));
    assert_eq!(store.problem().unwrap().code, Code::Version);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), r#"{"schema":7}"#);
}

#[test]
fn a_save_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("settings.json");
    let store = SettingsStore::open(&path);

    assert!(store.update(|settings| settings.open = Some(opened())).is_err());

    assert_eq!(store.current().open, None);
}

#[test]
fn a_front_proxy_and_routes_where_they_once_stood_are_settings_of_the_edge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(
        &path,
        r#"{"schema":1,"front":"cloudflare","routes":"/v1 api","edge":{"routes":"/v2 api"}}"#,
    )
    .unwrap();
    let store = SettingsStore::open(&path);
    assert_eq!(store.current().edge["front"], "cloudflare");
    assert_eq!(store.current().edge["routes"], "/v2 api", "what stands there now counts");
    store.update(|settings| settings.own_gateway = true).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((kept.get("front"), &kept["edge"]["front"]), (None, &"cloudflare".into()));
}
