use std::io;
use std::path::PathBuf;

use super::*;

fn io(kind: io::ErrorKind) -> io::Error {
    io::Error::from(kind)
}

#[test]
fn every_error_of_the_state_folder_says_what_to_do() {
    let path = || PathBuf::from("/state");
    let table = [
        (HomeError::Unknown, Code::Usage),
        (HomeError::Relative(path()), Code::Usage),
        (HomeError::Io { path: path(), source: io(io::ErrorKind::StorageFull) }, Code::Storage),
        (HomeError::Io { path: path(), source: io(io::ErrorKind::PermissionDenied) }, Code::Permission),
        (HomeError::ForeignOwner { path: path(), owner: 501 }, Code::Permission),
        (HomeError::NoFolder(path()), Code::Permission),
        (HomeError::SocketPathTooLong(path()), Code::Usage),
    ];
    for (error, code) in table {
        let envelope = error.explain();

        assert_eq!(envelope.code, code, "{error}");
        assert!(envelope.fix.is_some(), "{error}");
    }
}

#[test]
fn a_lock_that_is_held_names_its_holder() {
    let held = LockError::Held { pid: Some(42) }.explain();
    assert_eq!((held.code, held.evidence), (Code::AlreadyRunning, vec!["pid 42".into()]));

    assert!(LockError::Held { pid: None }.explain().evidence.is_empty());

    let failed =
        LockError::Io { path: PathBuf::from("/state/lock"), source: io(io::ErrorKind::ReadOnlyFilesystem) };
    assert_eq!(failed.explain().code, Code::Storage);
}

#[test]
fn every_error_of_secrets_has_a_code_and_a_fix() {
    let table = [
        (SecretError::Locked("asleep".into()), Code::Permission),
        (SecretError::Denied("no".into()), Code::Permission),
        (SecretError::Missing { name: "local-ca-key".into() }, Code::Failed),
        (SecretError::InvalidName("..".into()), Code::Failed),
        (SecretError::Unavailable("no bus".into()), Code::Failed),
    ];
    for (error, code) in table {
        let envelope = error.explain();

        assert_eq!(envelope.code, code, "{error}");
        assert!(envelope.fix.is_some(), "{error}");
    }
}
