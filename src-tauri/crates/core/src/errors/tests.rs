use gatehouse_certs::{CertError, VaultError};
use time::OffsetDateTime;

use super::*;
use crate::settings::SettingsError;

fn io(kind: io::ErrorKind) -> io::Error {
    io::Error::from(kind)
}

#[test]
fn a_full_disk_a_read_only_disk_and_a_forbidden_file_are_told_apart() {
    let path = Path::new("/state/settings.json");
    let table = [
        (io::ErrorKind::StorageFull, Code::Storage, "Saving failed: the disk is full"),
        (io::ErrorKind::ReadOnlyFilesystem, Code::Storage, "Saving failed: the disk is read-only"),
        (io::ErrorKind::PermissionDenied, Code::Permission, "Saving is not allowed"),
        (io::ErrorKind::Other, Code::Storage, "Saving failed"),
    ];
    for (kind, code, title) in table {
        let envelope = file("Saving".into(), path, &io(kind));

        assert_eq!((envelope.code, envelope.title.as_str()), (code, title));
        assert!(envelope.because.starts_with("/state/settings.json: "));
    }
}

#[test]
fn certificate_errors_have_codes_that_a_view_can_act_on() {
    let path = || Path::new("/state/certs/leaf.pem").to_path_buf();
    let now = OffsetDateTime::UNIX_EPOCH;
    let table = [
        (CertError::Io { path: path(), source: io(io::ErrorKind::StorageFull) }, Code::Storage),
        (CertError::Vault(VaultError::Locked("asleep".into())), Code::Permission),
        (CertError::Vault(VaultError::Denied("no".into())), Code::Permission),
        (CertError::Vault(VaultError::Missing("gone".into())), Code::Certificate),
        (CertError::Vault(VaultError::Unavailable("no bus".into())), Code::Certificate),
        (CertError::AuthorityKeyMissing, Code::Certificate),
        (CertError::AuthorityKeyMismatch, Code::Certificate),
        (CertError::AuthorityDamaged { path: path(), detail: "no PEM".into() }, Code::Certificate),
        (CertError::AuthorityExpired { not_after: now }, Code::Certificate),
        (CertError::ClockBehind { now, created: now }, Code::Certificate),
        (CertError::OutsideConstraints { name: "example.com".into() }, Code::Certificate),
        (CertError::InvalidName { name: "a b".into() }, Code::Usage),
        (CertError::NoNames, Code::NoAddress),
        (CertError::TooManyNames { count: 200, limit: 100 }, Code::Usage),
        (CertError::Crypto { what: "signing", detail: "x".into() }, Code::Certificate),
    ];
    for (error, code) in table {
        let envelope = error.explain();

        assert_eq!(envelope.code, code, "{error}");
        assert!(envelope.because.ends_with('.') || code == Code::Storage, "{}", envelope.because);
    }
}

#[test]
fn settings_errors_say_what_to_do() {
    let path = Path::new("/state/settings.json").to_path_buf();

    let newer = SettingsError::Newer { path: path.clone(), found: 9 }.explain();
    assert_eq!(newer.code, Code::Version);
    assert_eq!(newer.fix.unwrap().text, "Run the newer Gatehouse.");

    let full = SettingsError::Write { path, source: io(io::ErrorKind::StorageFull) }.explain();
    assert_eq!(full.code, Code::Storage);
}

#[test]
fn a_problem_and_a_cause_say_the_same_as_the_error() {
    let error = ErrorEnvelope::new(Code::PortTaken, "Port 443 is taken", "nginx (pid 7) listens there.")
        .evidence("0.0.0.0:443");

    assert_eq!(cause(&error).text, "Port 443 is taken: nginx (pid 7) listens there.");
    assert_eq!(problem(error).because, "nginx (pid 7) listens there. (0.0.0.0:443)");
}
