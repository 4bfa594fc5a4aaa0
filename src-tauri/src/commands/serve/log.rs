//! The log of a foreground core on standard error: `14:02:11 warn edge: what happened key=value`.
//!
//! `RUST_LOG` decides what is shown, else `-v` and `-q`. Strangers' text is neutralised here as everywhere.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::{
    args::Globals,
    output::{Look, Tone, page::painted, plain, when::Clock},
};

/// Starts the log of this process. Where there is one already, it stays.
pub(crate) fn start(globals: &Globals, look: Look, clock: Clock) {
    let usual = match (globals.quiet, globals.verbose) {
        (true, _) => "error",
        (false, 0) => "warn,gatehouse=info",
        (false, 1) => "info,gatehouse=debug",
        (false, _) => "debug",
    };
    // Names of our crates begin with the same word, which a directive takes as a prefix of module paths.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(usual)));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .log_internal_errors(false)
        .event_format(Lines { look, clock })
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// A directive for `gatehouse` said for each of our crates.
fn directives(usual: &str) -> String {
    let crates = ["api", "certs", "core", "edge", "files", "host", "openclaw"];
    let Some((rest, level)) = usual.split_once(",gatehouse=") else { return usual.to_owned() };
    let ours: Vec<_> = crates.iter().map(|name| format!(",gatehouse_{name}={level}")).collect();
    format!("{rest},gatehouse={level}{}", ours.concat())
}

/// One event on one line.
#[derive(Debug)]
struct Lines {
    look: Look,
    clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        let (tone, level) = match *event.metadata().level() {
            Level::ERROR => (Tone::Bad, "error"),
            Level::WARN => (Tone::Warn, "warn"),
            Level::INFO => (Tone::Plain, "info"),
            Level::DEBUG => (Tone::Faint, "debug"),
            Level::TRACE => (Tone::Faint, "trace"),
        };
        let level = if self.look.color { painted(tone, level) } else { level.to_owned() };
        let place = event.metadata().target().split("::").next().unwrap_or_default();
        let place = place.strip_prefix("gatehouse_").unwrap_or(place);
        let time = self.clock.time(self.clock.now());
        writeln!(writer, "{time} {level} {place}: {}", plain::text(&fields, self.look.utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_crates_are_heard_and_others_only_when_they_warn() {
        assert!(directives("warn,gatehouse=info").starts_with("warn,gatehouse=info,gatehouse_api=info"));
        assert_eq!(directives("debug"), "debug");
    }
}
