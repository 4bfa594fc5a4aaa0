use super::*;

fn cause() -> keyring_core::error::PlatformError {
    "something".into()
}

#[test]
fn errors_are_told_apart_and_never_show_a_value() {
    assert!(matches!(translate(&Error::NoStorageAccess(cause())), SecretError::Locked(_)));
    assert!(matches!(translate(&Error::PlatformFailure(cause())), SecretError::Unavailable(_)));
    for error in [Error::BadEncoding(b"hunter2".to_vec()), Error::BadDataFormat(b"hunter2".to_vec(), cause())]
    {
        let text = format!("{:?}", translate(&error));
        assert!(!text.contains("hunter2") && !text.contains("104"), "{text}");
    }
}
