//! A service manager that answers from a list, and remembers what it was asked.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use super::Run;
use crate::command::Finished;

/// Answers each call with the first answer whose words it begins with; where several fit, the first is used once.
#[derive(Debug, Default)]
pub(super) struct Script {
    answers: RefCell<Vec<(String, Finished)>>,
    calls: RefCell<Vec<String>>,
}

impl Script {
    pub(super) fn new(answers: &[(&str, i32, &str)]) -> Self {
        let answers = answers.iter().map(|(call, status, text)| {
            let (stdout, stderr) = if *status == 0 { (*text, "") } else { ("", *text) };
            let finished =
                Finished { status: Some(*status), stdout: stdout.to_owned(), stderr: stderr.to_owned() };
            ((*call).to_owned(), finished)
        });
        Self { answers: RefCell::new(answers.collect()), calls: RefCell::default() }
    }

    /// What was run, in order.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }
}

impl Run for &Script {
    fn run(&self, _: &str, arguments: &[&str], _: Duration) -> io::Result<Finished> {
        let call = arguments.join(" ");
        self.calls.borrow_mut().push(call.clone());
        let mut answers = self.answers.borrow_mut();
        let fits: Vec<usize> = (0..answers.len()).filter(|index| begins(&call, &answers[*index].0)).collect();
        match fits[..] {
            [] => Err(io::Error::other(format!("nobody expected: {call}"))),
            [only] => Ok(answers[only].1.clone()),
            [first, ..] => Ok(answers.remove(first).1),
        }
    }

    fn pause(&self, _: Duration) {}
}

/// Whether a call begins with these words, the last one whole unless it ends in a slash.
fn begins(call: &str, words: &str) -> bool {
    call.strip_prefix(words)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || words.ends_with('/'))
}
