//! The steps of a running change on standard error: a line each, rewritten in place on a terminal that nobody else
//! writes to.

use gatehouse_api::{Progress, StepState, say};

use super::{Out, page, plain, width, words};

/// Shows steps as they come.
#[derive(Debug)]
pub(crate) struct Steps {
    in_place: bool,
    open_line: bool,
}

impl Steps {
    /// Steps that are rewritten in place where that can be seen.
    pub(crate) fn in_place(out: &Out) -> Self {
        Self { in_place: out.remarks_look().terminal, open_line: false }
    }

    /// Steps between lines of a log: only their ends are shown.
    pub(crate) fn in_a_log() -> Self {
        Self { in_place: false, open_line: false }
    }

    /// Shows one step.
    pub(crate) fn show(&mut self, progress: &Progress, out: &mut Out) {
        let look = out.remarks_look();
        let (tone, word) = words::step_state(progress.state);
        let running = progress.state == StepState::Running;
        if running && !self.in_place {
            return;
        }
        let step = words::step(progress.step);
        // What is done to the gateway has no steps of the journal.
        let text = match (progress.text.is_empty(), progress.change.as_str()) {
            (true, _) => step,
            (false, "gateway") => progress.text.clone(),
            (false, _) => say!("cli.named-value", name = step, value = progress.text),
        };
        let text = plain::text(&text.in_language(look.language), look.utf8);
        let word = width::padded(&word.in_language(look.language), 8);
        let line = format!("{}/{} {word} {text}", progress.number, progress.of);
        // A line that is rewritten must not wrap.
        let line = if self.in_place { plain::clip(&line, look.width.saturating_sub(1)) } else { line };
        let line = if look.color { page::painted(tone, &line) } else { line };
        let back = if self.open_line { "\r\u{1b}[K" } else { "" };
        let end = if running { "" } else { "\n" };
        out.raw_remark(&format!("{back}{line}{end}"));
        self.open_line = running;
    }

    /// Ends a line that was left open.
    pub(crate) fn end(&mut self, out: &mut Out) {
        if std::mem::take(&mut self.open_line) {
            out.raw_remark("\r\u{1b}[K");
        }
    }
}
