//! How many columns text takes, and where a line may end within Chinese.
//!
//! Guarantees: a character of Chinese, Japanese or Korean, and an emoji, counts two columns; no line begins with a
//! closing mark or ends with an opening one.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns.
pub(crate) fn of(text: &str) -> usize {
    text.width()
}

/// Text with spaces behind it, `columns` wide at least.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(of(text))))
}

/// The parts of a word between which a line may end.
pub(crate) fn breakable(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let letters = rest.char_indices().zip(rest.chars().skip(1));
        let end = letters
            .filter(|((_, before), after)| may_end_between(*before, *after))
            .map(|((at, before), _)| at + before.len_utf8())
            .next();
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind;
        Some(part)
    })
}

/// Whether text ends with a mark of Chinese, which has its space within.
pub(crate) fn brings_room(text: &str) -> bool {
    text.ends_with(['，', '。', '、', '；', '：', '！', '？', '）', '》', '」'])
}

fn may_end_between(before: char, after: char) -> bool {
    let wide = |letter: char| letter.width() == Some(2);
    let opens = matches!(before, '（' | '《' | '“' | '‘' | '「');
    let closes = matches!(
        after,
        '，' | '。'
            | '、'
            | '；'
            | '：'
            | '！'
            | '？'
            | '）'
            | '》'
            | '”'
            | '’'
            | '」'
            | '…'
            | ','
            | '.'
    );
    (wide(before) || wide(after)) && !opens && !closes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns_a_character() {
        assert_eq!((of("网关"), of("gateway"), of("é")), (4, 7, 1));
        assert_eq!(padded("网关", 6), "网关  ");
    }

    #[test]
    fn a_line_may_end_between_chinese_characters_and_never_before_a_closing_mark() {
        let parts: Vec<_> = breakable("端口443被“nginx”占用。").collect();
        assert_eq!(parts, ["端", "口", "443", "被", "“nginx”", "占", "用。"]);
        assert_eq!(breakable("https://mini.local").collect::<Vec<_>>(), ["https://mini.local"]);
        assert_eq!(breakable("").count(), 0);
    }
}
