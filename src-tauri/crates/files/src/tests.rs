use super::*;

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn replaces_content_and_sets_the_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    write_atomic(&path, b"one", PUBLIC).unwrap();
    write_atomic(&path, b"two", PRIVATE).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(mode_of(&path), PRIVATE);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
}

#[test]
fn keeps_a_symbolic_link_and_replaces_what_it_points_to() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.json");
    let link = folder.path().join("link.json");
    fs::write(&real, b"old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    write_atomic(&link, b"new", PRIVATE).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&real).unwrap(), b"new");
}

#[test]
fn leaves_nothing_behind_when_the_target_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("taken");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("child"), b"x").unwrap();
    assert!(write_atomic(&path, b"new", PRIVATE).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_private_folder_is_private_even_if_it_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b");
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    create_private_folder(&path).unwrap();
    assert_eq!(mode_of(&path), 0o700);
}

#[test]
fn reads_up_to_the_limit_and_refuses_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    assert!(read_bounded(&path, 3).unwrap().is_none());
    fs::write(&path, b"123").unwrap();
    assert_eq!(read_bounded(&path, 3).unwrap().unwrap(), b"123");
    assert_eq!(read_bounded(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn what_a_killed_writer_left_is_removed_and_what_a_live_one_writes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openclaw.json");
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let orphan = folder.path().join(format!(".openclaw.json.{}-0.tmp", ended.id()));
    let parent = rustix::process::getppid().unwrap().as_raw_nonzero();
    let live = folder.path().join(format!(".openclaw.json.{parent}-0.tmp"));
    let others = folder.path().join(".openclaw.json.backup.tmp");
    for file in [&orphan, &live, &others] {
        fs::write(file, b"secret").unwrap();
    }

    write_atomic(&path, b"new", PRIVATE).unwrap();

    assert!(!orphan.exists());
    assert!(live.exists() && others.exists());
}

#[test]
fn a_leftover_of_a_process_with_our_own_id_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    for number in 0..64 {
        fs::write(folder.path().join(format!(".f.{}-{number}.tmp", std::process::id())), b"").unwrap();
    }
    write_atomic(&path, b"new", PRIVATE).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
}
