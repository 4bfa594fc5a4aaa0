//! `gatehouse selftest`: what this machine can do, proven without the gateway and the state of its user.

use std::path::{Path, PathBuf};

use gatehouse_api::{Code, ErrorEnvelope, say};
use gatehouse_core::errors;
use gatehouse_core::selftest::{self, Check, Notifications, Options, Outcome as Verdicts, Report};
use gatehouse_files::{PUBLIC, write_atomic};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::serve::signals::Signals;
use crate::{
    args::Selftest,
    output::{Form, Page, Tone},
    session::{Outcome, Session, Verdict},
};

/// Runs the checks, shows each as it ends, and writes the report.
pub(crate) async fn run(args: &Selftest, session: &mut Session) -> Outcome {
    let options = Options { full: args.full, notifications: notifications().await };
    let (stop, stopping) = watch::channel(false);
    let interrupts = tokio::spawn(interrupts(stop));
    let human = session.out.form() == Form::Human;
    let report = selftest::run(&options, stopping, |check| {
        if human {
            session.out.page(&line(check));
        }
    })
    .await;
    interrupts.abort();
    let report = report?;
    let written = args.report.as_deref().map(|path| write(path, &report)).transpose()?;
    match session.out.form() {
        Form::Human => session.out.page(&end(&report, written.as_deref())),
        Form::Json | Form::Lines => session.out.object(&object(&report, written.as_deref())),
    }
    Ok(match (report.failed, report.unknown) {
        (0, 0) => Verdict::Done,
        (0, _) => Verdict::Warnings,
        (_, _) => Verdict::Told(Code::Failed),
    })
}

/// The check under way ends and takes its things away; a second signal ends the program at once.
async fn interrupts(stop: watch::Sender<bool>) {
    let Ok(mut signals) = Signals::new() else { return };
    signals.next().await;
    stop.send_replace(true);
    let number = signals.next().await.number;
    std::process::exit(128 + number);
}

/// On macOS only the app in its bundle may ask; the core asks on Linux.
#[cfg(all(target_os = "macos", feature = "tray"))]
async fn notifications() -> Option<Notifications> {
    tokio::task::spawn_blocking(crate::app::notifications_allowed).await.ok()
}

#[cfg(not(all(target_os = "macos", feature = "tray")))]
async fn notifications() -> Option<Notifications> {
    std::future::ready(None).await
}

fn write(path: &Path, report: &Report) -> Result<PathBuf, ErrorEnvelope> {
    let written = write_atomic(path, report.to_file().as_bytes(), PUBLIC);
    written.map_err(|error| errors::file(say!("cli.selftest.report-failed"), path, &error))?;
    Ok(path.to_owned())
}

fn object(report: &Report, written: Option<&Path>) -> Value {
    let mut object = crate::output::fields(report);
    if let (Value::Object(object), Some(path)) = (&mut object, written) {
        object.insert("report".to_owned(), json!(path.to_string_lossy()));
    }
    object
}

fn line(check: &Check) -> Page {
    let (tone, word) = match check.outcome {
        Verdicts::Passed => (Tone::Good, say!("cli.selftest.passed")),
        Verdicts::Failed => (Tone::Bad, say!("cli.selftest.failed")),
        Verdicts::Unknown => (Tone::Warn, say!("cli.selftest.unknown")),
    };
    let mut page = Page::new();
    page.toned(0, tone, word, say!("cli.selftest.line", title = check.title, ms = check.ms));
    for text in check.saw.iter().chain(&check.because).chain(&check.fix) {
        page.item(text);
    }
    page
}

fn end(report: &Report, written: Option<&Path>) -> Page {
    let (tone, word) = match (report.failed, report.unknown) {
        (0, 0) => (Tone::Good, say!("cli.selftest.good")),
        (0, _) => (Tone::Warn, say!("cli.selftest.partly")),
        (_, _) => (Tone::Bad, say!("cli.selftest.bad")),
    };
    let (passed, failed, unknown) = (report.passed, report.failed, report.unknown);
    let counts = say!("cli.selftest.counts", passed = passed, failed = failed, unknown = unknown);
    let mut page = Page::verdict(tone, word, counts);
    if report.cleaned {
        page.item(say!("cli.selftest.cleaned"));
    }
    if let Some(path) = written {
        page.field(say!("cli.selftest.written"), path.to_string_lossy().into_owned());
    }
    page
}
