//! The catalogue of texts that window, tray, notifications, core and command line share: `/catalogue`.
//!
//! Guarantees: a key that the compiler was shown ([`check`]) exists, and its placeholders are exactly the named
//! arguments; a key that arrives at run time, from another version, may be unknown, and is then said to be.

mod language;

pub use language::Language;

/// A text in all languages. English is always there; where a number chooses between forms, the forms are.
struct Entry {
    key: &'static str,
    english: Option<&'static str>,
    chinese: Option<&'static str>,
    holes: &'static [&'static str],
}

include!(concat!(env!("OUT_DIR"), "/entries.rs"));

/// Holds for keys of the catalogue with exactly these arguments; everything else is an error of the compiler, because
/// the macro `gatehouse_api::say` asks in a constant.
#[doc(hidden)]
pub const fn check(key: &str, arguments: &[&str]) {
    assert!(find(key).is_some(), "no such key in /catalogue");
    let Some(at) = find(key) else { return };
    let holes = ENTRIES[at].holes;
    let mut number = 0;
    while number < holes.len() {
        assert!(
            contains(arguments, holes[number]),
            "the text of this key has a placeholder without an argument"
        );
        number += 1;
    }
    number = 0;
    while number < arguments.len() {
        assert!(
            contains(holes, arguments[number]),
            "the text of this key has no placeholder for this argument"
        );
        number += 1;
    }
}

/// The text of a key in a language, with `{name}` replaced by what `argument` says of it. The argument `count` chooses
/// between the forms `key.one` and `key.other`.
///
/// `None`: the key is not in this version's catalogue, or an argument is missing.
pub fn render(language: Language, key: &str, argument: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let entry = entry(key).filter(|entry| entry.english.is_some()).or_else(|| {
        let one = language == Language::English && argument("count").as_deref() == Some("1");
        entry(&format!("{key}.{}", if one { "one" } else { "other" }))
    })?;
    let template = match language {
        Language::English => entry.english,
        Language::SimplifiedChinese => entry.chinese.or(entry.english),
    }?;
    fill(template, argument)
}

/// All keys with a text, in order.
pub fn keys() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().filter(|entry| entry.english.is_some()).map(|entry| entry.key)
}

fn fill(template: &str, argument: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        text.push_str(before);
        text.push_str(&argument(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

fn entry(key: &str) -> Option<&'static Entry> {
    find(key).map(|at| &ENTRIES[at])
}

/// Where a key stands, by halving.
const fn find(key: &str) -> Option<usize> {
    let (mut low, mut high) = (0, ENTRIES.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match order(ENTRIES[middle].key.as_bytes(), key.as_bytes()) {
            0 => return Some(middle),
            1.. => high = middle,
            _ => low = middle + 1,
        }
    }
    None
}

/// Negative, zero, positive; the standard library's comparison is not for constants.
const fn order(one: &[u8], other: &[u8]) -> i32 {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return one[at] as i32 - other[at] as i32;
        }
        at += 1;
    }
    if one.len() == other.len() {
        0
    } else if one.len() < other.len() {
        -1
    } else {
        1
    }
}

const fn contains(all: &[&str], one: &str) -> bool {
    let mut at = 0;
    while at < all.len() {
        if order(all[at].as_bytes(), one.as_bytes()) == 0 {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests;
