//! A page of short lines, made without knowing where it will be shown.

use super::{Look, plain};

/// What a word means, which a terminal may show as a colour. The word always says it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Needs attention.
    Warn,
    /// Wrong.
    Bad,
    /// Less important.
    Faint,
    /// What the line is about.
    Strong,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("31"),
            Self::Faint => Some("2"),
            Self::Strong => Some("1"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Words { indent: usize, hang: usize, words: Vec<(Tone, String)> },
    Art(String),
}

/// Lines that wrap, and pictures that do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    lines: Vec<Line>,
}

/// Where values begin on lines of [`Page::field`].
const FIELD: usize = 13;

impl Page {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The first line: the verdict in one word, and what it is about.
    pub(crate) fn verdict(tone: Tone, word: &str, about: &str) -> Self {
        let mut page = Self::new();
        page.push(0, 2, &[(tone, word), (Tone::Plain, about)]);
        page
    }

    /// A line of text.
    pub(crate) fn text(&mut self, text: &str) {
        self.push(0, 0, &[(Tone::Plain, text)]);
    }

    /// A line of text below what came before.
    pub(crate) fn item(&mut self, text: &str) {
        self.push(2, 4, &[(Tone::Plain, text)]);
    }

    /// A line of text with a word before it, below what came before.
    pub(crate) fn toned(&mut self, indent: usize, tone: Tone, word: &str, text: &str) {
        self.push(indent, indent + 2, &[(tone, word), (Tone::Plain, text)]);
    }

    /// A named value; names are at most ten characters long.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        let padded = format!("{name:<width$}", width = FIELD - 3);
        self.lines.push(Line::Words {
            indent: 2,
            hang: FIELD,
            words: std::iter::once((Tone::Faint, padded)).chain(split(Tone::Plain, value)).collect(),
        });
    }

    /// What to type next; never wrapped within.
    pub(crate) fn command(&mut self, command: &str) {
        self.lines.push(Line::Words { indent: 4, hang: 4, words: vec![(Tone::Strong, command.to_owned())] });
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.lines.push(Line::Words { indent: 0, hang: 0, words: Vec::new() });
    }

    /// A picture of our own making, line by line as it is.
    pub(crate) fn art(&mut self, picture: &str) {
        self.lines.extend(picture.lines().map(|line| Line::Art(line.to_owned())));
    }

    /// The lines of another page.
    pub(crate) fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    fn push(&mut self, indent: usize, hang: usize, spans: &[(Tone, &str)]) {
        let words = spans.iter().flat_map(|(tone, text)| split(*tone, text)).collect();
        self.lines.push(Line::Words { indent, hang, words });
    }

    /// The page as text, each line ended.
    pub(crate) fn render(&self, look: Look) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Art(art) => text.push_str(art),
                Line::Words { indent, hang, words } => wrap(&mut text, *indent, *hang, words, look),
            }
            text.push('\n');
        }
        text
    }
}

/// Text in the colour of a tone.
pub(crate) fn painted(tone: Tone, text: &str) -> String {
    match tone.code() {
        Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        None => text.to_owned(),
    }
}

/// Text as words. A word ends only at a plain space: other white space is a stranger's and is shown as an escape.
fn split(tone: Tone, text: &str) -> impl Iterator<Item = (Tone, String)> {
    text.split(' ').filter(|word| !word.is_empty()).map(move |word| (tone, word.to_owned()))
}

fn wrap(text: &mut String, indent: usize, hang: usize, words: &[(Tone, String)], look: Look) {
    let mut column = indent;
    let mut fresh = true;
    if !words.is_empty() {
        text.push_str(&" ".repeat(indent));
    }
    for (tone, word) in words {
        let word = plain::text(word, look.utf8);
        let length = word.chars().count();
        if fresh {
            fresh = false;
        } else if column + 1 + length > look.width && column > hang {
            text.push('\n');
            text.push_str(&" ".repeat(hang));
            column = hang;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(&if look.color { painted(*tone, &word) } else { word });
        column += length;
    }
}

#[cfg(test)]
mod tests;
