//! The log on standard error: `14:02:11 warn edge: what happened key=value`.
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
    // A directive names the beginning of a module path, and those of all our crates begin alike.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .log_internal_errors(false)
        .event_format(Lines { look, clock })
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
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
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    #[test]
    fn our_crates_are_heard_others_only_when_they_warn_and_nobody_makes_a_line() {
        let written = Written::default();
        let writer = written.clone();
        let look = Look {
            terminal: false,
            color: false,
            utf8: true,
            width: 80,
            language: crate::words::Language::English,
        };
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("warn,gatehouse=info"))
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .event_format(Lines { look, clock: Clock::local() })
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "gatehouse_core::controller", name = "a\u{1b}[2J\nb", "heard");
            tracing::info!(target: "hyper", "not heard");
            tracing::warn!(target: "hyper::proto", "heard too");
        });

        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("info core: heard name=") && !text.contains('\u{1b}'), "{text:?}");
        assert!(lines[1].ends_with("warn hyper: heard too"), "{text}");
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
