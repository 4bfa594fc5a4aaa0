//! The languages, and how a locale chooses one.

use serde::{Deserialize, Serialize};

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// English, also the fallback.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese.
    #[serde(rename = "zh-Hans")]
    SimplifiedChinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::SimplifiedChinese];

    /// Its tag, as `--lang` takes it and a file of the catalogue is called.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::SimplifiedChinese => "zh-Hans",
        }
    }

    /// The language of a locale such as `zh_CN.UTF-8` or `en-GB`; traditional Chinese gets English.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        let traditional = ["hant", "-tw", "-hk", "-mo"].iter().any(|mark| tag.contains(mark));
        if (tag == "zh" || tag.starts_with("zh-")) && !traditional {
            Self::SimplifiedChinese
        } else {
            Self::English
        }
    }

    /// The language of an `Accept-Language` field (RFC 9110, 12.5.4): of those that we have the one with the largest
    /// weight, the first of equals; English where there is none.
    #[must_use]
    pub fn of_accepted(field: &str) -> Self {
        let mut best = (0, Self::English);
        for range in field.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight =
                match parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))) {
                    Some(text) => thousandths(text),
                    None => 1000,
                };
            let language = Self::of_locale(tag);
            let ours =
                language != Self::English || tag.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("en"));
            if ours && weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    /// The language of messages in the order of POSIX: `LC_ALL`, `LC_MESSAGES`, `LANG`.
    #[must_use]
    pub fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(variable)
            .find(|value| !value.is_empty());
        Self::of_locale(&locale.unwrap_or_default())
    }

    /// The text of a key, with `{name}` replaced. A key or a value that is missing shows the key, which tests forbid.
    #[must_use]
    pub fn text(self, key: &str, values: &[(&str, &str)]) -> String {
        let value =
            |name: &str| values.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
        crate::render(self, key, &value).unwrap_or_else(|| key.to_owned())
    }

    /// The same for a number of things: `key.one` or `key.other`, with `{count}`.
    #[must_use]
    pub fn count(self, key: &str, count: usize) -> String {
        self.text(key, &[("count", &count.to_string())])
    }
}

/// A weight such as `0.85`, times 1000; 0 where it is none.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse()) {
        ("0", Ok(part)) => part,
        ("1", Ok(0)) => 1000,
        _ => 0,
    }
}
