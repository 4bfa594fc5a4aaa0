use super::*;

fn said(language: Language, key: &str, arguments: &[(&str, &str)]) -> Option<String> {
    let argument =
        |name: &str| arguments.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
    render(language, key, &argument)
}

/// Everything in braces, sorted.
fn holes(text: &str) -> Vec<&str> {
    let mut holes: Vec<&str> =
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    holes.sort_unstable();
    holes
}

#[test]
fn every_text_is_there_in_both_languages_with_the_same_placeholders() {
    let mut number = 0;
    for entry in ENTRIES {
        let form = entry.english.is_none() && entry.chinese.is_none();
        assert_eq!(entry.english.is_some(), entry.chinese.is_some(), "{}", entry.key);
        let (Some(english), Some(chinese)) = (entry.english, entry.chinese) else {
            assert!(form, "{}", entry.key);
            continue;
        };
        number += 1;
        // "One device" needs no number.
        if !entry.key.ends_with(".one") {
            assert_eq!(holes(english), holes(chinese), "{}", entry.key);
        }
        assert!(!english.trim().is_empty() && !chinese.trim().is_empty(), "{}", entry.key);
    }
    assert!(number > 400, "{number}");
}

#[test]
fn a_number_has_both_forms_and_no_third() {
    let all: Vec<&str> = keys().collect();
    for key in &all {
        if let Some(base) = key.strip_suffix(".other") {
            assert!(all.contains(&format!("{base}.one").as_str()), "{base}");
            assert!(!all.contains(&base), "{base} is a text and has forms");
        }
    }
}

/// Chinese sentences end and pause with Chinese marks.
#[test]
fn chinese_is_punctuated_as_chinese() {
    let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
    for entry in ENTRIES {
        let letters: Vec<char> = entry.chinese.unwrap_or_default().chars().collect();
        for pair in letters.windows(2) {
            let wrong =
                is_chinese(pair[0]) && matches!(pair[1], ',' | ';' | ':' | '?' | '!' | '.' | '(' | ')');
            assert!(!wrong, "{}: {}{} in {:?}", entry.key, pair[0], pair[1], entry.chinese);
        }
    }
}

#[test]
fn a_key_of_another_version_is_not_guessed_at() {
    assert_eq!(said(Language::English, "no.such.key", &[]), None);
    assert_eq!(said(Language::English, "copy.label", &[]), None);
    assert_eq!(said(Language::English, "copy.label", &[("name", "{name}")]).as_deref(), Some("Copy {name}"));
}

#[test]
fn numbers_choose_their_form() {
    assert_eq!(Language::English.count("devices.waiting-count", 1), "1 device waiting");
    assert_eq!(Language::English.count("devices.waiting-count", 2), "2 devices waiting");
    assert_eq!(Language::SimplifiedChinese.count("devices.waiting-count", 1), "1 台设备待批准");
}

#[test]
fn every_key_is_found_where_it_stands() {
    for entry in ENTRIES {
        check(entry.key, entry.holes);
    }
}

#[test]
fn a_locale_chooses_its_language_and_never_a_wrong_script() {
    assert_eq!(Language::of_locale("zh_CN.UTF-8"), Language::SimplifiedChinese);
    assert_eq!(Language::of_locale("zh-Hans-SG"), Language::SimplifiedChinese);
    assert_eq!(Language::of_locale("zh_TW.UTF-8"), Language::English);
    assert_eq!(Language::of_locale("zha"), Language::English);
    assert_eq!(Language::of_locale("de_CH.UTF-8"), Language::English);
    assert_eq!(Language::of_locale(""), Language::English);
}

#[test]
fn of_the_languages_of_a_browser_the_one_with_the_largest_weight_counts() {
    use Language::{English, SimplifiedChinese};
    for (field, expected) in [
        ("zh-CN,zh;q=0.9,en;q=0.8", SimplifiedChinese),
        ("en-US,en;q=0.9,zh-CN;q=0.8", English),
        ("en;q=0.5, zh-Hans;q=0.7", SimplifiedChinese),
        ("de-CH,de;q=0.9,zh;q=0.3,en;q=0.4", English),
        ("fr,zh-SG;q=0.1", SimplifiedChinese),
        ("zh-TW,zh-Hant;q=0.9", English),
        ("zh;q=0,en;q=0", English),
        ("zh;q=2,en;q=0.1", English),
        ("*", English),
        ("", English),
        ("é,zh", SimplifiedChinese),
    ] {
        assert_eq!(Language::of_accepted(field), expected, "{field}");
    }
}

#[test]
fn of_the_variables_the_first_that_says_something_counts() {
    let from = |pairs: &'static [(&str, &str)]| {
        Language::of_variables(|name| {
            pairs.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        })
    };
    assert_eq!(from(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Language::SimplifiedChinese);
    assert_eq!(from(&[("LC_MESSAGES", "C"), ("LANG", "zh_CN.UTF-8")]), Language::English);
    assert_eq!(from(&[]), Language::English);
}
