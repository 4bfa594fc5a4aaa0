//! In which language this program speaks.

use std::borrow::Cow;
use std::ffi::OsString;

pub(crate) use gatehouse_words::Language;

use crate::output::plain::locale_is_utf8;

/// The language of the command line: `--lang`, else `GATEHOUSE_LANG`, else the locale's. What a terminal cannot show is
/// not chosen for it: without UTF-8 only `--lang` and `GATEHOUSE_LANG` bring Chinese.
pub(crate) fn of_command_line(words: &[OsString], variable: impl Fn(&str) -> Option<String>) -> Language {
    let mut words = words.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    let mut flag = None;
    while let Some(word) = words.next() {
        if word == "--lang" {
            flag = words.next().map(Cow::into_owned);
        } else if let Some(value) = word.strip_prefix("--lang=") {
            flag = Some(value.to_owned());
        }
    }
    let chosen = flag.or_else(|| variable("GATEHOUSE_LANG").filter(|value| !value.is_empty()));
    match chosen {
        Some(chosen) => Language::of_locale(&chosen),
        None if locale_is_utf8(&variable) => Language::of_variables(variable),
        None => Language::English,
    }
}

/// The language that the user set for the system.
#[cfg(feature = "tray")]
pub(crate) fn of_system() -> Language {
    #[cfg(target_os = "macos")]
    return Language::of_locale(
        &objc2_foundation::NSLocale::preferredLanguages()
            .firstObject()
            .map(|tag| tag.to_string())
            .unwrap_or_default(),
    );
    #[cfg(not(target_os = "macos"))]
    Language::of_variables(|name| std::env::var(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str], variables: &[(&str, &str)]) -> Language {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        of_command_line(&words, |name| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_flag_comes_before_the_variable_and_that_before_the_locale() {
        let chinese = [("LANG", "zh_CN.UTF-8")];
        assert_eq!(chosen(&["gatehouse", "status"], &chinese), Language::SimplifiedChinese);
        assert_eq!(chosen(&["gatehouse", "--lang", "en", "status"], &chinese), Language::English);
        assert_eq!(chosen(&["gatehouse", "status", "--lang=zh-Hans"], &[]), Language::SimplifiedChinese);
        let both = [("LANG", "zh_CN.UTF-8"), ("GATEHOUSE_LANG", "en")];
        assert_eq!(chosen(&["gatehouse"], &both), Language::English);
    }

    #[test]
    fn a_terminal_without_utf_8_gets_english_unless_told() {
        assert_eq!(chosen(&["gatehouse"], &[("LANG", "zh_CN.GB2312")]), Language::English);
        let told = [("LANG", "zh_CN.GB2312"), ("GATEHOUSE_LANG", "zh-Hans")];
        assert_eq!(chosen(&["gatehouse"], &told), Language::SimplifiedChinese);
    }

    #[test]
    fn what_stands_behind_two_dashes_is_no_flag() {
        assert_eq!(chosen(&["gatehouse", "--", "--lang=zh-Hans"], &[]), Language::English);
    }
}
