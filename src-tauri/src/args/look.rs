//! Words that say how results look.

use clap::ValueEnum;

/// The languages of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LanguageWord {
    /// English.
    #[value(name = "en")]
    English,
    /// Simplified Chinese.
    #[value(name = "zh-Hans")]
    SimplifiedChinese,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
