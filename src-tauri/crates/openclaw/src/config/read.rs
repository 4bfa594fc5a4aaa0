//! Reading JSON5 text.

use serde_json::Value;

const BOM: &str = "\u{feff}";
const DEEPEST: usize = 100;

/// The text without a byte order mark, and the mark.
pub(crate) fn split_bom(text: &str) -> (&'static str, &str) {
    match text.strip_prefix(BOM) {
        Some(rest) => (BOM, rest),
        None => ("", text),
    }
}

/// Reads JSON5. The error is a sentence for people and quotes nothing of the text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let (_, text) = split_bom(text);
    if deepest(text) > DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    json5::from_str(text).map_err(|error| match error.position() {
        Some(at) => format!("it is no valid JSON5 (line {}, column {})", at.line + 1, at.column + 1),
        None => "it is no valid JSON5".to_owned(),
    })
}

/// How deep the text is nested. Parsers recurse: a file of brackets must not exhaust the stack.
fn deepest(text: &str) -> usize {
    let mut chars = text.chars().peekable();
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    while let Some(next) = chars.next() {
        match next {
            '{' | '[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            '}' | ']' => depth = depth.saturating_sub(1),
            '"' | '\'' => skip_string(&mut chars, next),
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'));
            }
            '/' if chars.peek() == Some(&'*') => {
                chars.next();
                skip_comment(&mut chars);
            }
            _ => {}
        }
    }
    deepest
}

fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char) {
    while let Some(next) = chars.next() {
        if next == '\\' {
            chars.next();
        } else if next == quote {
            return;
        }
    }
}

fn skip_comment(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(next) = chars.next() {
        if next == '*' && chars.peek() == Some(&'/') {
            chars.next();
            return;
        }
    }
}

#[cfg(test)]
mod tests;
