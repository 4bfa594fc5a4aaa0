//! Everything that the command line writes.
//!
//! Guaranteed here, so that no command can forget it: no control character of a stranger reaches a terminal, lines
//! wrap at the terminal's width (80 columns without one), colours and UTF-8 are used only where they are understood,
//! and a closed standard output is no failure.

pub(crate) mod flat;
pub(crate) mod page;
pub(crate) mod plain;
pub(crate) mod progress;
pub(crate) mod qr;
pub(crate) mod when;
pub(crate) mod width;
pub(crate) mod words;

use std::io::{self, IsTerminal, Write};

use gatehouse_api::{ErrorEnvelope, SCHEMA, Text};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) use page::{Page, Tone};

use crate::args::{Color, Globals};
use crate::words::Language;

/// In which form results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Lines for a person.
    Human,
    /// One JSON object over several lines.
    Json,
    /// JSON objects, a line each.
    Lines,
}

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether it is a terminal.
    pub(crate) terminal: bool,
    /// Whether it shows colours.
    pub(crate) color: bool,
    /// Whether it shows UTF-8.
    pub(crate) utf8: bool,
    /// Columns.
    pub(crate) width: usize,
    /// In which language.
    pub(crate) language: Language,
}

/// Columns where there is no terminal to ask.
const COLUMNS: usize = 80;

impl Look {
    fn of(stream: &(impl IsTerminal + std::os::fd::AsFd), color: Color, language: Language) -> Self {
        let terminal = stream.is_terminal();
        let plain = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain("NO_COLOR") && !dumb,
        };
        let columns = rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col));
        let width = columns.filter(|columns| *columns > 0).unwrap_or(COLUMNS).clamp(40, 100);
        // Who chose Chinese has a terminal that shows it, whatever the locale says.
        let utf8 = language != Language::English || plain::locale_is_utf8(|name| std::env::var(name).ok());
        Self { terminal, color, utf8, width, language }
    }
}

/// One of the two streams.
struct Sink {
    writer: Box<dyn Write + Send>,
    look: Look,
    closed: bool,
    error: Option<io::Error>,
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) {
        if self.closed {
            return;
        }
        if let Err(error) = self.writer.write_all(bytes).and_then(|()| self.writer.flush()) {
            self.closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.error = Some(error);
            }
        }
    }
}

/// Where results and remarks go. A write never fails for its caller: a change that was made is made even where
/// nobody reads about it. [`Out::finish`] tells afterwards.
pub(crate) struct Out {
    results: Sink,
    remarks: Sink,
    form: Form,
    quiet: bool,
}

impl Out {
    /// Standard output and standard error, as the flags and the surroundings say.
    pub(crate) fn new(globals: &Globals) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let results = Look::of(&stdout, globals.color, globals.language);
        let remarks = Look::of(&stderr, globals.color, globals.language);
        let form = match (globals.json, globals.jsonl) {
            (_, true) => Form::Lines,
            (true, false) => Form::Json,
            (false, false) => Form::Human,
        };
        let sink = |writer: Box<dyn Write + Send>, look| Sink { writer, look, closed: false, error: None };
        Self {
            results: sink(Box::new(stdout), results),
            remarks: sink(Box::new(stderr), remarks),
            form,
            quiet: globals.quiet,
        }
    }

    /// The form of results.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// What standard output can show.
    pub(crate) fn look(&self) -> Look {
        self.results.look
    }

    /// What standard error can show.
    pub(crate) fn remarks_look(&self) -> Look {
        self.remarks.look
    }

    /// Whether standard output was closed by its reader, so that a stream may end.
    pub(crate) fn closed(&self) -> bool {
        self.results.closed
    }

    /// Prints a result: the page for a person, or an object with the fields of `value` beside `schema`.
    pub(crate) fn result(&mut self, page: &Page, value: &impl Serialize) {
        match self.form {
            Form::Human => self.page(page),
            Form::Json | Form::Lines => self.object(&fields(value)),
        }
    }

    /// Prints a page on standard output.
    pub(crate) fn page(&mut self, page: &Page) {
        let text = page.render(self.results.look);
        self.results.write(text.as_bytes());
    }

    /// Prints a JSON object on standard output, with `schema` first.
    pub(crate) fn object(&mut self, fields: &Value) {
        let mut object = Map::new();
        object.insert("schema".to_owned(), SCHEMA.into());
        if let Value::Object(fields) = fields {
            object.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        let object = flat::flat(Value::Object(object));
        let text = match self.form {
            Form::Lines => object.to_string(),
            Form::Human | Form::Json => format!("{object:#}"),
        };
        let text = plain::json(&text, self.results.look.utf8);
        self.results.write(format!("{text}\n").as_bytes());
    }

    /// Prints text that is data of our own making (a script, a certificate) exactly as it is.
    pub(crate) fn data(&mut self, bytes: &[u8]) {
        self.results.write(bytes);
    }

    /// Prints a page on standard error, unless the user wants quiet.
    pub(crate) fn remark(&mut self, page: &Page) {
        if !self.quiet {
            let text = page.render(self.remarks.look);
            self.remarks.write(text.as_bytes());
        }
    }

    /// Prints on standard error what a person must see before a question, even one who wants quiet.
    pub(crate) fn context(&mut self, page: &Page) {
        let text = page.render(self.remarks.look);
        self.remarks.write(text.as_bytes());
    }

    /// Prints a question on standard error and leaves the cursor behind it.
    pub(crate) fn question(&mut self, text: &Text) {
        let look = self.remarks.look;
        let text = plain::text(&text.in_language(look.language), look.utf8);
        self.remarks.write(format!("{text} ").as_bytes());
    }

    /// Writes to standard error what [`progress`] made for this very terminal.
    fn raw_remark(&mut self, text: &str) {
        if !self.quiet {
            self.remarks.write(text.as_bytes());
        }
    }

    /// Prints an error: for a person on standard error, for a program as an object on standard output.
    pub(crate) fn error(&mut self, error: &ErrorEnvelope) {
        match self.form {
            Form::Human => {
                let text = words::error(error).render(self.remarks.look);
                self.remarks.write(text.as_bytes());
            }
            Form::Json | Form::Lines => self.object(&keyed("error", error)),
        }
    }

    /// Whether something could not be written for another reason than a closed pipe.
    pub(crate) fn finish(self) -> Option<io::Error> {
        self.results.error
    }
}

/// `{key: value}`.
pub(crate) fn keyed(key: &str, value: &impl Serialize) -> Value {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

/// The fields of a struct as an object.
pub(crate) fn fields(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
