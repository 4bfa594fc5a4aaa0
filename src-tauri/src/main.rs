//! The program `gatehouse`. It reads its words, dispatches, and ends with an exit status; decisions are the core's.

// macOS' notifications need a class of Objective-C; nothing else here does.
#![cfg_attr(not(target_os = "macos"), forbid(unsafe_code))]

#[cfg(feature = "tray")]
mod app;
mod args;
#[cfg(feature = "tray")]
mod clipboard;
mod commands;
mod log;
mod output;
mod session;
mod words;

use std::{ffi::OsString, io::Write, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, error::ErrorKind};
use gatehouse_api::{Code, ErrorEnvelope, SCHEMA, say};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    args::{Cli, Globals},
    output::when::Clock,
    session::Session,
};

/// See the workspace's manifest for what it saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The offset of the local clock can be read only while there is one thread.
    let clock = Clock::local();
    let words: Vec<OsString> = std::env::args_os().filter(|word| !is_process_serial_number(word)).collect();
    let language = words::of_command_line(&words, |name| std::env::var(name).ok());
    let read = args::help::in_language(Cli::command(), language).try_get_matches_from(&words);
    let mut cli = match read.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return explain(&error, &words),
    };
    cli.globals.language = language;
    let Some(command) = cli.command else { return without_command(cli.globals, clock, &words) };
    run(Session::new(cli.globals, clock), |session, runtime| {
        runtime.block_on(commands::run(command, session))
    })
}

/// The tray app, or why there is none.
#[cfg_attr(not(feature = "tray"), allow(unused_variables))]
fn without_command(globals: Globals, clock: Clock, words: &[OsString]) -> ExitCode {
    #[cfg(feature = "tray")]
    if app::has_display() {
        return run(Session::new(globals, clock), |session, runtime| app::run(session, runtime));
    }
    let reason = if cfg!(feature = "tray") { say!("cli.no-screen") } else { say!("cli.no-command") };
    let text = say!("cli.serve-instead", reason = reason).in_language(globals.language);
    explain(&Cli::command().error(ErrorKind::MissingSubcommand, text), words)
}

/// Runs on this thread, with a runtime beside it.
fn run(mut session: Session, work: impl FnOnce(&mut Session, &Runtime) -> session::Outcome) -> ExitCode {
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let outcome = work(&mut session, &runtime);
            // A question that was left open must not hold the program.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => {
            let because = say!("cli.threads.because", error = error);
            Err(ErrorEnvelope::new(Code::Failed, say!("cli.threads.title"), because))
        }
    };
    end(outcome, session)
}

/// Prints what went wrong and makes the exit status.
fn end(outcome: session::Outcome, mut session: Session) -> ExitCode {
    let status = match outcome {
        Ok(verdict) => verdict.exit_status(),
        Err(error) => {
            session.out.error(&error);
            error.code.exit_status()
        }
    };
    let language = session.globals.language;
    match session.out.finish() {
        Some(error) if status == 0 => {
            let text = say!("cli.result-not-written", error = error).in_language(language);
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::from(Code::Storage.exit_status())
        }
        Some(_) | None => ExitCode::from(status),
    }
}

/// What the Finder adds to the words of a program that it starts.
fn is_process_serial_number(word: &OsString) -> bool {
    word.to_str().is_some_and(|word| word.starts_with("-psn_"))
}

/// Help, or what is wrong with the words: as text, or as an object where one was asked for.
fn explain(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let wants_object =
        words.iter().take_while(|word| *word != "--").any(|word| word == "--json" || word == "--jsonl");
    if !is_help && wants_object {
        let text = error.render().to_string();
        let said: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
        let because = said.join(" ");
        let because = because.trim_start_matches("error: ");
        let envelope = ErrorEnvelope::new(Code::Usage, say!("cli.usage.title"), because)
            .fix_with(say!("cli.see-which"), "gatehouse --help");
        let object = output::flat::flat(json!({"schema": SCHEMA, "error": envelope}));
        let _ = writeln!(std::io::stdout(), "{object:#}");
    } else if is_help {
        let _ = write!(std::io::stdout(), "{}", error.render());
    } else {
        let _ = write!(std::io::stderr(), "{}", error.render());
    }
    ExitCode::from(if is_help { 0 } else { Code::Usage.exit_status() })
}
