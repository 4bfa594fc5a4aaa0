use super::*;

const IDS: [&str; 3] = ["abcd1111", "abcd2222", "ef009999"];

fn pick(wanted: &str) -> Result<String, Code> {
    choose(wanted, say!("core.choose.none-pending"), IDS.into_iter()).map_err(|error| error.code)
}

#[test]
fn an_unambiguous_beginning_is_enough() {
    assert_eq!(pick("abcd1"), Ok("abcd1111".into()));
    assert_eq!(pick(" EF00 "), Ok("ef009999".into()));
    assert_eq!(pick("abcd2222"), Ok("abcd2222".into()));
}

#[test]
fn an_ambiguous_or_too_short_beginning_is_refused() {
    assert_eq!(pick("abcd"), Err(Code::Usage));
    assert_eq!(pick("ef"), Err(Code::Usage));
    assert_eq!(pick(""), Err(Code::Usage));
}

#[test]
fn what_nobody_has_is_not_found() {
    assert_eq!(pick("0000"), Err(Code::NotFound));
}
