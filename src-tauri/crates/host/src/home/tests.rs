use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn at(path: &Path) -> Home {
    Home::resolve(&Environment { gatehouse_home: Some(path.to_path_buf()), ..Environment::default() })
        .unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A path of `bytes` bytes below `base`.
fn long(base: &Path, bytes: usize) -> PathBuf {
    let mut path = base.to_path_buf();
    while path.as_os_str().len() < bytes {
        let left = bytes - path.as_os_str().len() - 1;
        path.push("x".repeat(left.clamp(1, 100)));
    }
    path
}

#[test]
fn gatehouse_home_wins_and_must_be_absolute() {
    let environment = Environment {
        gatehouse_home: Some("/srv/gate".into()),
        home: Some("/home/u".into()),
        ..Environment::default()
    };
    assert_eq!(Home::resolve(&environment).unwrap().path(), Path::new("/srv/gate"));
    let relative = Environment { gatehouse_home: Some("gate".into()), ..environment };
    assert!(matches!(Home::resolve(&relative), Err(HomeError::Relative(_))));
}

#[test]
#[cfg(target_os = "linux")]
fn without_it_the_data_folder_of_the_user_is_taken() {
    let mut environment = Environment { home: Some("/home/u".into()), ..Environment::default() };
    assert_eq!(Home::resolve(&environment).unwrap().path(), Path::new("/home/u/.local/share/gatehouse"));
    environment.data_home = Some("/data".into());
    assert_eq!(Home::resolve(&environment).unwrap().path(), Path::new("/data/gatehouse"));
    environment.data_home = Some("relative".into());
    assert_eq!(Home::resolve(&environment).unwrap().path(), Path::new("/home/u/.local/share/gatehouse"));
}

#[test]
fn no_home_at_all_is_an_error() {
    assert!(matches!(Home::resolve(&Environment::default()), Err(HomeError::Unknown)));
}

#[test]
fn a_path_too_long_for_a_socket_falls_back_to_a_short_folder_of_ours() {
    let shared = TempDir::new().unwrap();
    let environment = |bytes: usize| Environment {
        gatehouse_home: Some(long(Path::new("/srv"), bytes)),
        runtime_dir: Some(shared.path().to_path_buf()),
        ..Environment::default()
    };
    let fits = Home::resolve(&environment(SOCKET_PATH_BYTES - 1 - SOCKET_NAME.len())).unwrap();
    assert_eq!(fits.socket(), fits.path().join(SOCKET_NAME));
    assert_eq!(fits.socket().as_os_str().len(), SOCKET_PATH_BYTES);
    let home = Home::resolve(&environment(SOCKET_PATH_BYTES - SOCKET_NAME.len())).unwrap();
    assert!(home.socket().starts_with(shared.path()), "{}", home.socket().display());
    assert!(home.socket().as_os_str().len() <= SOCKET_PATH_BYTES);
    assert_eq!(
        home.socket(),
        Home::resolve(&environment(SOCKET_PATH_BYTES - SOCKET_NAME.len())).unwrap().socket()
    );
    assert_ne!(home.socket(), Home::resolve(&environment(SOCKET_PATH_BYTES)).unwrap().socket());
}

#[test]
fn a_start_in_other_surroundings_finds_the_same_socket() {
    let (base, runtime) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut environment = Environment {
        gatehouse_home: Some(long(base.path(), 150)),
        runtime_dir: Some(runtime.path().to_path_buf()),
        ..Environment::default()
    };
    let first = Home::resolve(&environment).unwrap();
    first.create().unwrap();
    environment.runtime_dir = None;
    assert_eq!(Home::resolve(&environment).unwrap().socket(), first.socket());
    drop(runtime);
    let later = Home::resolve(&environment).unwrap();
    assert!(later.socket().starts_with("/tmp"), "{}", later.socket().display());
    fs::write(later.path().join(SOCKET_POINTER), "/etc/passwd").unwrap();
    assert_eq!(Home::resolve(&environment).unwrap().socket(), later.socket());
}

#[test]
fn a_real_socket_can_be_bound_at_either_place() {
    let base = TempDir::new().unwrap();
    for path in [base.path().join("short"), long(base.path(), 150)] {
        let home = Home::resolve(&Environment {
            gatehouse_home: Some(path),
            runtime_dir: Some(base.path().to_path_buf()),
            ..Environment::default()
        });
        let home = home.unwrap();
        home.create().unwrap();
        std::os::unix::net::UnixListener::bind(home.socket()).unwrap();
        assert_eq!(mode(home.socket().parent().unwrap()), 0o700);
    }
}

#[test]
fn the_folder_is_made_private_and_an_open_one_is_narrowed() {
    let base = TempDir::new().unwrap();
    let home = at(&base.path().join("a/b"));
    home.create().unwrap();
    assert_eq!(mode(home.path()), 0o700);
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    home.create().unwrap();
    assert_eq!(mode(home.path()), 0o700);
}

#[test]
fn a_link_or_a_file_in_place_of_the_sockets_folder_is_refused() {
    let base = TempDir::new().unwrap();
    let folder = base.path().join("socket");
    symlink(base.path(), &folder).unwrap();
    assert!(matches!(create_in_shared(&folder), Err(HomeError::NoFolder(_))));
    fs::remove_file(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    assert!(matches!(create_in_shared(&folder), Err(HomeError::NoFolder(_))));
    fs::remove_file(&folder).unwrap();
    create_in_shared(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    create_in_shared(&folder).unwrap();
    assert_eq!(mode(&folder), 0o700);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let root = Path::new("/proc/1");
    let metadata = fs::metadata(root).unwrap();
    if metadata.uid() == process::uid() {
        // As root, take a folder that is not root's.
        let base = TempDir::new().unwrap();
        if std::os::unix::fs::chown(base.path(), Some(12_345), None).is_err() {
            return;
        }
        let home = at(base.path());
        assert!(matches!(home.create(), Err(HomeError::ForeignOwner { owner: 12_345, .. })));
        assert!(matches!(create_in_shared(base.path()), Err(HomeError::ForeignOwner { .. })));
        return;
    }
    assert!(matches!(owned(root, &metadata), Err(HomeError::ForeignOwner { .. })));
}

#[test]
fn only_one_lock_at_a_time_and_the_other_names_its_holder() {
    let base = TempDir::new().unwrap();
    let home = at(base.path());
    let lock = home.lock().unwrap();
    let error = home.lock().unwrap_err();
    assert!(matches!(error, LockError::Held { pid: Some(pid) } if pid == process::pid()), "{error}");
    assert!(error.to_string().contains(&process::pid().to_string()));
    drop(lock);
    drop(home.lock().unwrap());
    assert_eq!(fs::read_to_string(base.path().join("lock")).unwrap(), format!("{}\n", process::pid()));
}

#[test]
fn a_lock_of_a_killed_process_is_free_and_its_longer_pid_is_gone() {
    let base = TempDir::new().unwrap();
    fs::write(base.path().join("lock"), "99999999999999\n").unwrap();
    let _lock = at(base.path()).lock().unwrap();
    assert_eq!(fs::read_to_string(base.path().join("lock")).unwrap(), format!("{}\n", process::pid()));
}

#[test]
fn a_lock_without_a_folder_says_where() {
    let error = at(Path::new("/no/such/folder")).lock().unwrap_err();
    assert!(
        matches!(&error, LockError::Io { .. }) && error.to_string().contains("/no/such/folder"),
        "{error}"
    );
}

#[test]
fn only_what_is_ours_is_removed_and_the_folder_only_where_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let environment = Environment { gatehouse_home: Some(path.clone()), ..Environment::default() };
    let home = Home::resolve(&environment).unwrap();
    home.create().unwrap();
    fs::create_dir(home.certificates()).unwrap();
    fs::write(home.certificates().join("leaf.pem"), "x").unwrap();
    for name in ["settings.json", "settings.last-good.json", "settings.broken-1.json", "app.json"] {
        fs::write(path.join(name), "{}").unwrap();
    }
    fs::write(path.join("settings.txt"), "mine").unwrap();

    assert_eq!(home.remove(home.lock().unwrap()).unwrap(), [path.join("settings.txt")]);

    fs::remove_file(path.join("settings.txt")).unwrap();
    assert!(home.remove(home.lock().unwrap()).unwrap().is_empty());
    assert!(!path.exists());
}
