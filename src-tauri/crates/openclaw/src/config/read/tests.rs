use serde_json::json;

use super::parse;

#[test]
fn reads_comments_bare_keys_trailing_commas_and_a_byte_order_mark() {
    let text = "\u{feff}// first\n{ gateway: { 'port': 0x4965, /* [[[ */ list: ['a\\'[', \"b\",], }, }";

    assert_eq!(parse(text.as_bytes()), Ok(json!({"gateway": {"port": 18789, "list": ["a'[", "b"]}})));
}

#[test]
fn an_error_names_the_place_and_quotes_nothing() {
    let error = parse(b"{ gateway: { token: secret-word } }").unwrap_err();

    assert!(error.contains("line 1"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_file_of_brackets_is_refused_before_a_parser_recurses_into_it() {
    let error = parse("[".repeat(500_000).as_bytes()).unwrap_err();

    assert!(error.contains("nested"), "{error}");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    assert_eq!(parse(&[b'{', 0xff, b'}']), Err("it is not UTF-8 text".to_owned()));
}
