//! The catalogue of texts that window, tray, notifications and command line share: `catalogue/<language>.json`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Language {
    /// English, also the fallback.
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans")]
    SimplifiedChinese,
}

type Catalogue = HashMap<String, String>;

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../catalogue/en.json")));
static CHINESE: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../../catalogue/zh-Hans.json")));

impl Language {
    /// The language of a locale such as `zh_CN.UTF-8` or `en-GB`; traditional Chinese gets English.
    pub(crate) fn of_locale(locale: &str) -> Self {
        let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        let traditional = ["hant", "-tw", "-hk", "-mo"].iter().any(|mark| tag.contains(mark));
        if (tag == "zh" || tag.starts_with("zh-")) && !traditional {
            Self::SimplifiedChinese
        } else {
            Self::English
        }
    }

    /// The language that the user set for the system.
    pub(crate) fn of_system() -> Self {
        #[cfg(target_os = "macos")]
        let locale =
            objc2_foundation::NSLocale::preferredLanguages().firstObject().map(|tag| tag.to_string());
        // The order of POSIX.
        #[cfg(not(target_os = "macos"))]
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self::of_locale(&locale.unwrap_or_default())
    }

    /// The text of a key, with `{name}` replaced. A key that is nowhere is shown as it is, which tests forbid.
    pub(crate) fn text(self, key: &str, values: &[(&str, &str)]) -> String {
        let found = match self {
            Self::English => None,
            Self::SimplifiedChinese => CHINESE.get(key),
        };
        let mut text = found.or_else(|| ENGLISH.get(key)).map_or_else(|| key.to_owned(), Clone::clone);
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// The same for a number of things: `key.one` or `key.other`, with `{count}`.
    pub(crate) fn count(self, key: &str, count: usize) -> String {
        let form = if self == Self::English && count == 1 { "one" } else { "other" };
        self.text(&format!("{key}.{form}"), &[("count", &count.to_string())])
    }
}

fn read(json: &str) -> Catalogue {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys() {
        let mut english: Vec<_> = ENGLISH.keys().collect();
        let mut chinese: Vec<_> = CHINESE.keys().collect();
        english.sort();
        chinese.sort();
        assert!(!english.is_empty());
        assert_eq!(english, chinese);
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
    fn numbers_choose_their_form() {
        assert_eq!(Language::English.count("devices.waiting-count", 1), "1 device waiting");
        assert_eq!(Language::English.count("devices.waiting-count", 2), "2 devices waiting");
        assert_eq!(Language::SimplifiedChinese.count("devices.waiting-count", 1), "1 台设备待批准");
    }
}
