//! Strangers' text without its power over a terminal.
//!
//! Device names, paths, hosts and error texts come from other machines. Whatever moves a cursor, changes a title,
//! reverses reading order, is invisible or ends a line is shown as an escape.

use super::width;

/// Whether the locale's character set is UTF-8: `LC_ALL`, then `LC_CTYPE`, then `LANG`. Where nothing is set, as in
/// containers and over some SSH connections, the terminal of today is taken for one that can.
pub(crate) fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// `text` on one line and without power; without UTF-8, other characters become `?`.
pub(crate) fn text(text: &str, utf8: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if has_power(character) {
            plain.extend(character.escape_unicode());
        } else if utf8 || character.is_ascii() {
            plain.push(character);
        } else {
            plain.push_str(ascii(character));
        }
    }
    plain
}

/// JSON text that means the same and has no power; without UTF-8 it is all ASCII.
pub(crate) fn json(json: &str, utf8: bool) -> String {
    let mut plain = String::with_capacity(json.len());
    for character in json.chars() {
        // A raw control character in JSON text is its own white space; serde_json escapes those in strings.
        let keep = if character.is_ascii() { character != '\u{7f}' } else { utf8 && !has_power(character) };
        if keep {
            plain.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    plain
}

/// At most `columns` wide; what is wider ends with dots.
pub(crate) fn clip(text: &str, columns: usize) -> String {
    if width::of(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if width::of(&kept) > columns.saturating_sub(3) {
            kept.pop();
            break;
        }
    }
    format!("{kept}...")
}

fn has_power(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

fn ascii(character: char) -> &'static str {
    match character {
        '\u{2018}' | '\u{2019}' => "'",
        '\u{201c}' | '\u{201d}' => "\"",
        '\u{2013}' | '\u{2014}' => "-",
        '\u{2026}' => "...",
        '\u{a0}' => " ",
        _ => "?",
    }
}

#[cfg(test)]
mod tests;
