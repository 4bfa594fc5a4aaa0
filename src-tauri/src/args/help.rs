//! The help in another language than that of the doc comments, from the catalogue.
//!
//! Guarantees: each command and each of its words has a key, `cli.help.<command>.<word>`; what a word is called, and
//! what may stand behind it, is the same in every language.

use clap::{Arg, Command};
use gatehouse_api::{Text, say};

use crate::words::Language;

/// Where the keys of the help begin.
const ROOT: &str = "cli.help";

/// The command with its help in a language.
pub(crate) fn in_language(mut command: Command, language: Language) -> Command {
    if language == Language::English {
        return command;
    }
    // Adds what clap adds by itself: the words for help and version.
    command.build();
    translated(command, &Page::new(language), ROOT)
}

/// What all pages of help have in common.
struct Page {
    language: Language,
    template: String,
    commands: &'static str,
    arguments: &'static str,
    options: &'static str,
    everywhere: &'static str,
}

impl Page {
    fn new(language: Language) -> Self {
        // clap takes headings that live as long as the program; these four are made once.
        let heading = |text: Text| &*text.in_language(language).leak();
        let usage = say!("cli.help-page.usage").in_language(language);
        Self {
            language,
            template: format!("{{about-with-newline}}\n{usage}{{usage}}\n\n{{all-args}}{{after-help}}"),
            commands: heading(say!("cli.help-page.commands")),
            arguments: heading(say!("cli.help-page.arguments")),
            options: heading(say!("cli.help-page.options")),
            everywhere: heading(say!("cli.help-page.everywhere")),
        }
    }
}

fn translated(command: Command, page: &Page, path: &str) -> Command {
    let mut command = command
        .help_template(page.template.clone())
        .subcommand_help_heading(page.commands)
        .mut_args(|arg| argument(arg, page, path));
    if let Some(text) = said(page.language, &about_key(path, command.get_name())) {
        command = command.about(text.clone()).long_about(text);
    }
    if command.get_after_help().is_some() {
        command = command.after_help(say!("cli.help-page.exit-status").in_language(page.language));
    }
    command.mut_subcommands(|inner| {
        let path = format!("{path}.{}", inner.get_name());
        translated(inner, page, &path)
    })
}

fn argument(arg: Arg, page: &Page, path: &str) -> Arg {
    let Some(help) = said(page.language, &key(&arg, path)) else { return arg };
    let mut text = Text::from(help);
    let values = arg.get_possible_values();
    if arg.get_action().takes_values() && !values.is_empty() {
        let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
        text = say!("cli.help-page.values", help = text, values = names.join(", "));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        text = say!("cli.help-page.default", help = text, default = defaults.join(", "));
    }
    let heading = match (arg.is_global_set(), arg.is_positional()) {
        (true, _) => page.everywhere,
        (false, true) => page.arguments,
        (false, false) => page.options,
    };
    let text = text.in_language(page.language);
    arg.help(text.clone())
        .long_help(text)
        .help_heading(heading)
        .hide_possible_values(true)
        .hide_default_value(true)
}

/// The key of a command's sentence. The command `help` is the same everywhere.
fn about_key(path: &str, name: &str) -> String {
    if name == "help" { format!("{ROOT}.help.about") } else { format!("{path}.about") }
}

/// The key of a word's sentence. Words that every command takes have one.
fn key(arg: &Arg, path: &str) -> String {
    let id = arg.get_id().as_str();
    let everywhere = arg.is_global_set() || matches!(id, "help" | "version");
    format!("{}.{id}", if everywhere { ROOT } else { path })
}

fn said(language: Language, key: &str) -> Option<String> {
    gatehouse_words::render(language, key, &|_| None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn built() -> Command {
        let mut command = Cli::command();
        command.build();
        command
    }

    /// Every key and what clap made of the doc comment.
    fn collect(command: &Command, path: &str, all: &mut BTreeMap<String, String>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        all.insert(about_key(path, command.get_name()), about);
        if command.get_name() == "help" {
            return;
        }
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            // clap says of some commands that there is a longer help.
            let help = if arg.get_id() == "help" { "Print help".to_owned() } else { help };
            all.insert(key(arg, path), help);
        }
        for inner in command.get_subcommands() {
            collect(inner, &format!("{path}.{}", inner.get_name()), all);
        }
    }

    #[test]
    fn every_command_and_every_word_has_its_sentence_in_the_catalogue_and_no_sentence_is_left_over() {
        let mut all = BTreeMap::new();
        collect(&built(), ROOT, &mut all);
        let prefix = format!("{ROOT}.");
        let keys: Vec<&str> = gatehouse_words::keys().filter(|key| key.starts_with(&prefix)).collect();

        assert!(all.len() > 80, "{}", all.len());
        assert_eq!(keys, all.keys().map(String::as_str).collect::<Vec<_>>());
        for (key, english) in &all {
            assert_eq!(said(Language::English, key).as_deref(), Some(english.as_str()), "{key}");
            let chinese = said(Language::SimplifiedChinese, key).unwrap();
            assert!(!chinese.is_ascii(), "{key} is not in Chinese: {chinese}");
        }
    }

    #[test]
    fn the_help_in_chinese_has_the_same_words_and_reads_the_same() {
        let mut command = in_language(Cli::command(), Language::SimplifiedChinese);
        let help = command.render_long_help().to_string();
        assert!(help.contains("用法：gatehouse") && help.contains("--no-input"), "{help}");
        for english in ["Usage:", "Options:", "Commands:", "Print", "Possible", "default:"] {
            assert!(!help.contains(english), "{english} in {help}");
        }
        let words = ["gatehouse", "open", "--to", "internet", "--dry-run", "--json"];
        let matches = command.try_get_matches_from(words).unwrap();
        let open = matches.subcommand_matches("open").unwrap();
        assert!(open.get_flag("dry_run") && open.get_flag("json"));
    }
}
