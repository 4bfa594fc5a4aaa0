use clap::CommandFactory;

use super::*;

#[test]
fn the_words_contradict_each_other_nowhere() {
    Cli::command().debug_assert();
}

#[test]
fn a_status_is_a_number_or_a_class() {
    assert_eq!(parse_status("4XX").as_deref(), Ok("4xx"));
    assert_eq!(parse_status("404").as_deref(), Ok("404"));
    for text in ["6xx", "4x", "99", "600", "\u{e4}x", "abc"] {
        assert!(parse_status(text).is_err(), "{text}");
    }
}

#[test]
fn a_device_is_named_by_id_or_by_a_part_of_its_name() {
    let parse = |words: &[&str]| Cli::try_parse_from([&["gatehouse", "devices", "deny"], words].concat());
    assert!(parse(&["3f9a"]).is_ok());
    assert!(parse(&["--match", "iPhone"]).is_ok());
    assert!(parse(&[]).is_err());
    assert!(parse(&["3f9a", "--match", "iPhone"]).is_err());
}
