use std::fs;

use super::*;

#[test]
fn a_token_of_a_person_is_trimmed_and_must_be_long_and_plain() {
    let long = "0123456789abcdef";
    assert_eq!(checked(&SecretText::new(format!(" {long}\n"))).unwrap().expose_secret(), long);
    for bad in
        ["", "short", "0123456789 abcdef", "0123456789abcdeé", "${OPENCLAW_TOKEN_HERE}", &"x".repeat(513)]
    {
        let error = checked(&SecretText::new(bad)).unwrap_err();
        assert_eq!(error.code, Code::Usage, "{bad}");
        assert!(bad.is_empty() || !format!("{error:?}").contains(bad), "{error:?}");
    }
}

#[test]
fn a_new_token_is_another_one_each_time_and_never_the_old_one() {
    let old = SecretString::from("0123456789abcdef");
    let (one, two) = (chosen(None, &old).unwrap(), chosen(None, &old).unwrap());
    assert_ne!(one.expose_secret(), two.expose_secret());
    assert_eq!(one.expose_secret().len(), 43);
    let same = chosen(Some(&SecretText::new("0123456789abcdef")), &old);
    assert_eq!(same.map(drop).unwrap_err().code, Code::Usage);
}

#[test]
fn copies_of_the_configuration_with_the_token_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("openclaw.json");
    for (name, text) in [
        ("openclaw.json", "{ token: 'hunter2-hunter2-x' }"),
        ("openclaw.json.bak", "{ token: 'hunter2-hunter2-x' }"),
        ("openclaw.json.bak.1", "{ token: 'older-older-older' }"),
        ("notes.txt", "hunter2-hunter2-x"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    assert_eq!(copies(&config, &"hunter2-hunter2-x".into()), ["openclaw.json.bak"]);
}
