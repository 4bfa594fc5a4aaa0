//! Words for a person: the English text, and the key and the arguments by which another language says the same.
//!
//! Guarantees: a text that [`crate::say!`] made has a key of the catalogue and exactly its arguments, which the
//! compiler checks; its English is the catalogue's. Text that is not ours (a name, a path, what a system says) has no
//! key and is shown as it is in every language. On the wire, the first is an object and the second a string.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;

use gatehouse_words::{Language, render};
use serde::{Deserialize, Serialize};

/// Words of the catalogue with their arguments, or somebody's own words. As a string it is English.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Text(
    #[cfg_attr(test, ts(type = "string | { key: string, args?: Record<string, Text>, text: string }"))] Form,
);

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    /// Somebody's own words.
    Own(String),
    /// Words of the catalogue; in a box, because errors travel through many a `Result`.
    Said(Box<Said>),
}

#[derive(Clone, Serialize, Deserialize)]
struct Said {
    key: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<Cow<'static, str>, Text>,
    /// In English.
    text: String,
}

impl Text {
    /// What [`crate::say!`] makes.
    #[doc(hidden)]
    #[must_use]
    pub fn said<const N: usize>(key: &'static str, arguments: [(&'static str, Self); N]) -> Self {
        let args = BTreeMap::from(arguments.map(|(name, value)| (Cow::Borrowed(name), value)));
        let mut said = Said { key: Cow::Borrowed(key), args, text: String::new() };
        said.text = said.render(Language::English).unwrap_or_else(|| key.to_owned());
        Self(Form::Said(Box::new(said)))
    }

    /// In a language; in English where that language, or this version, does not know the key.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        match &self.0 {
            Form::Own(text) => text.clone(),
            Form::Said(said) if language == Language::English => said.text.clone(),
            Form::Said(said) => said.render(language).unwrap_or_else(|| said.text.clone()),
        }
    }

    /// In English: what logs hold and scripts compare.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Own(text) => text,
            Form::Said(said) => &said.text,
        }
    }

    /// The key in the catalogue; `None` = somebody's own words.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &self.0 {
            Form::Own(_) => None,
            Form::Said(said) => Some(&said.key),
        }
    }

    /// The same text with other words where they are somebody's own; those of the catalogue stay.
    #[must_use]
    pub fn with_own_words(&self, other: &dyn Fn(&str) -> String) -> Self {
        match &self.0 {
            Form::Own(text) => Self(Form::Own(other(text))),
            Form::Said(said) => {
                let args = said.args.iter().map(|(name, text)| (name.clone(), text.with_own_words(other)));
                let mut said = Said { key: said.key.clone(), args: args.collect(), text: String::new() };
                said.text = said.render(Language::English).unwrap_or_else(|| said.key.to_string());
                Self(Form::Said(Box::new(said)))
            }
        }
    }

    /// Several sentences as one, with a semicolon between them.
    #[must_use]
    pub fn list(texts: impl IntoIterator<Item = Self>) -> Self {
        texts
            .into_iter()
            .reduce(|first, next| crate::say!("core.and", first = first, next = next))
            .unwrap_or_default()
    }
}

impl Said {
    fn render(&self, language: Language) -> Option<String> {
        render(language, &self.key, &|name| self.args.get(name).map(|text| text.in_language(language)))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Form::Own(String::new()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key() {
            Some(key) => write!(formatter, "{:?} ({key})", self.as_str()),
            None => write!(formatter, "{:?}", self.as_str()),
        }
    }
}

/// The same key with the same arguments, or the same own words.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Own(one), Form::Own(other)) => one == other,
            (Form::Said(one), Form::Said(other)) => one.key == other.key && one.args == other.args,
            (Form::Own(_), Form::Said(_)) | (Form::Said(_), Form::Own(_)) => false,
        }
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self(Form::Own(words.to_owned()))
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self(Form::Own(words))
    }
}

impl From<&String> for Text {
    fn from(words: &String) -> Self {
        words.clone().into()
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// What can stand at a `{name}` of the catalogue.
pub trait Argument {
    /// As a text: with its key if it is one, else as it is.
    fn argument(&self) -> Text;
}

impl Argument for Text {
    fn argument(&self) -> Text {
        self.clone()
    }
}

impl<T: Argument + ?Sized> Argument for &T {
    fn argument(&self) -> Text {
        (**self).argument()
    }
}

macro_rules! shown_as_it_is {
    ($($type:ty),* $(,)?) => { $(
        impl Argument for $type {
            fn argument(&self) -> Text {
                self.to_string().into()
            }
        }
    )* };
}

shown_as_it_is!(
    str,
    String,
    Cow<'_, str>,
    char,
    u8,
    u16,
    u32,
    u64,
    usize,
    i32,
    i64,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    SocketAddr,
    std::path::Display<'_>,
    std::io::Error,
    serde_json::Error,
    time::Date,
    hyper::Method,
    hyper::StatusCode,
    fmt::Arguments<'_>,
);

/// Words of the catalogue: `say!("error.port-taken", port = 443)`. The compiler refuses a key that is not in
/// `/catalogue`, an argument that its text has no place for, and a place without an argument. `count` chooses between
/// `key.one` and `key.other`.
#[macro_export]
macro_rules! say {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        const _: () = $crate::words::check($key, &[$(stringify!($name)),*]);
        $crate::Text::said($key, [$((stringify!($name), $crate::text::Argument::argument(&$value))),*])
    }};
}

#[cfg(test)]
mod tests;
