//! A page of short lines, made without knowing where it will be shown.

use gatehouse_api::Text;

use super::{Look, plain, width};

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
    Words { indent: usize, hang: usize, field: bool, spans: Vec<(Tone, Text)> },
    Command(String),
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
    pub(crate) fn verdict(tone: Tone, word: impl Into<Text>, about: impl Into<Text>) -> Self {
        let mut page = Self::new();
        page.push(0, 2, vec![(tone, word.into()), (Tone::Plain, about.into())]);
        page
    }

    /// A line of text.
    pub(crate) fn text(&mut self, text: impl Into<Text>) {
        self.push(0, 0, vec![(Tone::Plain, text.into())]);
    }

    /// A line of text below what came before.
    pub(crate) fn item(&mut self, text: impl Into<Text>) {
        self.push(2, 4, vec![(Tone::Plain, text.into())]);
    }

    /// A line of text with a word before it, below what came before.
    pub(crate) fn toned(&mut self, indent: usize, tone: Tone, word: impl Into<Text>, text: impl Into<Text>) {
        self.push(indent, indent + 2, vec![(tone, word.into()), (Tone::Plain, text.into())]);
    }

    /// A named value; names are at most ten columns wide.
    pub(crate) fn field(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let spans = vec![(Tone::Faint, name.into()), (Tone::Plain, value.into())];
        self.lines.push(Line::Words { indent: 2, hang: FIELD, field: true, spans });
    }

    /// What to type next; never wrapped within.
    pub(crate) fn command(&mut self, command: &str) {
        self.lines.push(Line::Command(command.to_owned()));
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.push(0, 0, Vec::new());
    }

    /// A picture of our own making, line by line as it is.
    pub(crate) fn art(&mut self, picture: &str) {
        self.lines.extend(picture.lines().map(|line| Line::Art(line.to_owned())));
    }

    /// The lines of another page.
    pub(crate) fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    fn push(&mut self, indent: usize, hang: usize, spans: Vec<(Tone, Text)>) {
        self.lines.push(Line::Words { indent, hang, field: false, spans });
    }

    /// The page as text, each line ended.
    pub(crate) fn render(&self, look: Look) -> String {
        let mut text = String::new();
        for line in &self.lines {
            match line {
                Line::Art(art) => text.push_str(art),
                Line::Command(command) => wrap(&mut text, 4, 4, &[Piece::whole(Tone::Strong, command)], look),
                Line::Words { indent, hang, field, spans } => {
                    let mut pieces: Vec<Piece> = Vec::new();
                    for (number, (tone, span)) in spans.iter().enumerate() {
                        let mut span = span.in_language(look.language);
                        if *field && number == 0 {
                            let room = (FIELD - 3).saturating_sub(width::of(&span));
                            span.push_str(&" ".repeat(room));
                            pieces.push(Piece::whole(*tone, &span));
                        } else {
                            split(*tone, &span, &mut pieces);
                        }
                    }
                    wrap(&mut text, *indent, *hang, &pieces, look);
                }
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

/// What a line is never broken within.
struct Piece {
    tone: Tone,
    text: String,
    /// Whether there is a space before it.
    spaced: bool,
}

impl Piece {
    fn whole(tone: Tone, text: &str) -> Self {
        Self { tone, text: text.to_owned(), spaced: true }
    }
}

/// Text as pieces: words, and within Chinese the characters. A word ends only at a plain space: other white space is a
/// stranger's and is shown as an escape.
fn split(tone: Tone, text: &str, pieces: &mut Vec<Piece>) {
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        for (number, part) in width::breakable(word).enumerate() {
            pieces.push(Piece { tone, text: part.to_owned(), spaced: number == 0 });
        }
    }
}

fn wrap(text: &mut String, indent: usize, hang: usize, pieces: &[Piece], look: Look) {
    let mut column = indent;
    let mut fresh = true;
    // Chinese marks bring their own room.
    let mut roomy = false;
    if !pieces.is_empty() {
        text.push_str(&" ".repeat(indent));
    }
    for Piece { tone, text: piece, spaced } in pieces {
        let piece = plain::text(piece, look.utf8);
        let length = width::of(&piece);
        let space = usize::from(*spaced && !roomy);
        roomy = width::brings_room(&piece);
        if fresh {
            fresh = false;
        } else if column + space + length > look.width && column > hang {
            text.push('\n');
            text.push_str(&" ".repeat(hang));
            column = hang;
        } else if space == 1 {
            text.push(' ');
            column += 1;
        }
        text.push_str(&if look.color { painted(*tone, &piece) } else { piece });
        column += length;
    }
}

#[cfg(test)]
mod tests;
