use super::*;

#[test]
fn escape_sequences_lose_their_power() {
    assert_eq!(text("a\u{1b}[2J\u{9b}31m\r\nb\u{7}", true), "a\\u{1b}[2J\\u{9b}31m\\u{d}\\u{a}b\\u{7}");
}

#[test]
fn reading_order_and_invisible_characters_are_shown() {
    assert_eq!(text("x\u{202e}y\u{2066}\u{200b}\u{e0041}", true), "x\\u{202e}y\\u{2066}\\u{200b}\\u{e0041}");
}

#[test]
fn letters_of_every_script_stay_where_they_can_be_shown() {
    assert_eq!(text("Küche 厨房", true), "Küche 厨房");
    assert_eq!(text("Küche 厨房…", false), "K?che ??...");
}

#[test]
fn json_means_the_same_and_has_no_power() {
    let value = serde_json::json!({"name": "a\u{1b}\u{9b}\u{7f}\u{202e}ü\u{1f600}"});
    for utf8 in [true, false] {
        let plain = json(&value.to_string(), utf8);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&plain).unwrap(), value);
        assert!(!plain.contains(['\u{1b}', '\u{9b}', '\u{7f}', '\u{202e}']), "{plain}");
        assert_eq!(plain.is_ascii(), !utf8);
    }
}

#[test]
fn the_first_variable_that_is_set_decides_the_locale() {
    let locale = |pairs: &'static [(&str, &str)]| {
        locale_is_utf8(move |name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    };
    assert!(locale(&[("LANG", "de_DE.UTF-8")]));
    assert!(locale(&[("LC_CTYPE", "UTF-8"), ("LANG", "C")]));
    assert!(!locale(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
    assert!(locale(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
    assert!(!locale(&[("LANG", "C")]));
    assert!(locale(&[]));
}

#[test]
fn clipping_counts_characters() {
    assert_eq!(clip("äöüäöü", 6), "äöüäöü");
    assert_eq!(clip("äöüäöüä", 6), "äöü...");
}
