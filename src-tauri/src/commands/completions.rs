//! `gatehouse completions`: a script for a shell.

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde_json::json;

use crate::{
    args::{Cli, Completions, ShellWord},
    output::Form,
    session::{Session, Verdict},
};

/// Prints the script.
pub(crate) fn run(args: &Completions, session: &mut Session) -> Verdict {
    let shell = match args.shell {
        ShellWord::Bash => Shell::Bash,
        ShellWord::Zsh => Shell::Zsh,
        ShellWord::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "gatehouse", &mut script);
    match session.out.form() {
        Form::Human => session.out.data(&script),
        Form::Json | Form::Lines => {
            let script = String::from_utf8_lossy(&script);
            session.out.object(&json!({"shell": shell.to_string(), "script": script}));
        }
    }
    Verdict::Done
}
