//! `gatehouse gateway`: the gateway behind the address.

mod service;

use std::time::Duration;

use gatehouse_api::{
    Code, ErrorEnvelope, GatewayAction, GatewayLog, GatewaySummary, GatewayVerdict, Reply, Request, Text, say,
};
use serde_json::json;

use super::change;
use crate::{
    args::Gateway,
    output::{Form, Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// How often a log that is followed is asked for.
const AGAIN: Duration = Duration::from_secs(1);
/// How many lines are asked for then: more than come in a second.
const OVERLAP: usize = 300;

/// Runs one of them.
pub(crate) async fn run(command: &Gateway, session: &mut Session) -> Outcome {
    match command {
        Gateway::Status => status(session).await,
        Gateway::Start => control(GatewayAction::Start, say!("cli.word.started"), session).await,
        Gateway::Stop => control(GatewayAction::Stop, say!("cli.word.stopped"), session).await,
        Gateway::Restart => control(GatewayAction::Restart, say!("cli.word.restarted"), session).await,
        Gateway::Install => service::install(session).await,
        Gateway::Uninstall => service::uninstall(session).await,
        Gateway::Repair { dry_run } => service::repair(*dry_run, session).await,
        Gateway::Log { follow: false, lines } => {
            let log = read(usize::from(*lines), session).await?;
            session.out.result(&lines_of(&log.lines), &log);
            Ok(Verdict::Done)
        }
        Gateway::Log { follow: true, lines } => follow(usize::from(*lines), session).await,
    }
}

async fn control(action: GatewayAction, word: Text, session: &mut Session) -> Outcome {
    let Reply::Gateway(gateway) = change::with_steps(Request::GatewayControl { action }, session).await?
    else {
        return Err(unexpected());
    };
    let page = Page::verdict(Tone::Good, word, identity(&gateway));
    session.out.result(&page, &gateway);
    Ok(Verdict::Done)
}

async fn read(lines: usize, session: &mut Session) -> Result<GatewayLog, ErrorEnvelope> {
    match session.ask(Request::GatewayLog { lines }).await? {
        Reply::GatewayLog(log) => Ok(log),
        _ => Err(unexpected()),
    }
}

/// Shows lines as they come. A gateway that restarts is waited for.
async fn follow(lines: usize, session: &mut Session) -> Outcome {
    if session.out.form() == Form::Json {
        return Err(ErrorEnvelope::new(Code::Usage, say!("cli.stream.title"), say!("cli.stream.because"))
            .fix_with(say!("cli.stream.fix"), "gatehouse gateway log -f --jsonl"));
    }
    let mut shown = read(lines, session).await?.lines;
    show(&shown, session);
    while !session.out.closed() {
        tokio::time::sleep(AGAIN).await;
        let now = match read(OVERLAP, session).await {
            Ok(log) => log.lines,
            Err(error) if error.code == Code::GatewayUnreachable => continue,
            Err(error) => return Err(error),
        };
        show(fresh(&shown, &now), session);
        shown = now;
    }
    Ok(Verdict::Done)
}

fn show(lines: &[String], session: &mut Session) {
    match session.out.form() {
        Form::Human if lines.is_empty() => {}
        Form::Human => session.out.page(&lines_of(lines)),
        Form::Json | Form::Lines => {
            for line in lines {
                session.out.object(&json!({"line": line}));
            }
        }
    }
}

fn lines_of(lines: &[String]) -> Page {
    let mut page = Page::new();
    for line in lines {
        page.text(line);
    }
    page
}

/// What is new: what follows the longest end of the old lines with which, or within which, the new ones begin.
fn fresh<'a>(old: &[String], new: &'a [String]) -> &'a [String] {
    for length in (1..=old.len()).rev() {
        let end = &old[old.len() - length..];
        if let Some(at) = new.windows(length).rposition(|window| window == end) {
            return &new[at + length..];
        }
    }
    new
}

async fn status(session: &mut Session) -> Outcome {
    let Reply::Gateway(gateway) = session.ask(Request::GatewayStatus).await? else {
        return Err(unexpected());
    };
    session.out.result(&page(&gateway), &gateway);
    Ok(match gateway.verdict {
        GatewayVerdict::Running => {
            Verdict::warned(gateway.service.as_deref().is_some_and(service::needs_attention))
        }
        GatewayVerdict::Starting => Verdict::Warnings,
        GatewayVerdict::AuthRefused => Verdict::Told(gatehouse_api::Code::GatewayAuth),
        GatewayVerdict::Stopped => Verdict::Told(gatehouse_api::Code::GatewayUnreachable),
        GatewayVerdict::PortTaken => Verdict::Told(gatehouse_api::Code::PortTaken),
        GatewayVerdict::NotFound => Verdict::Told(gatehouse_api::Code::GatewayNotFound),
    })
}

fn page(gateway: &GatewaySummary) -> Page {
    let (tone, word) = words::gateway(gateway.verdict);
    let mut first = word.chars();
    let word: String =
        first.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(first).collect();
    let mut page = Page::verdict(tone, &word, identity(gateway));
    if let Some(detail) = &gateway.detail {
        page.item(detail);
    }
    if let Some(path) = &gateway.config_path {
        page.field(say!("cli.field.config"), path);
    }
    if gateway.supervised {
        page.field(say!("cli.field.run-by"), "Gatehouse");
    }
    if let Some(service) = &gateway.service {
        service::show(&mut page, service);
    }
    page
}

/// The gateway as a part of the status.
pub(crate) fn summary(gateway: &GatewaySummary) -> Page {
    let mut page = Page::new();
    let (_, word) = words::gateway(gateway.verdict);
    page.field(
        say!("cli.field.gateway"),
        say!("cli.joined-with-comma", first = word, second = identity(gateway)),
    );
    if let Some(detail) = &gateway.detail {
        page.field("", detail);
    }
    page
}

fn identity(gateway: &GatewaySummary) -> Text {
    let mut identity = Text::from(&gateway.url);
    if let Some(version) = &gateway.version {
        let name = format!("OpenClaw {version}");
        identity = say!("cli.joined-with-comma", first = name, second = identity);
    }
    if let Some(pid) = gateway.pid {
        let process = say!("cli.process", pid = pid);
        identity = say!("cli.joined-with-comma", first = identity, second = process);
    }
    identity
}

#[cfg(test)]
mod tests {
    use super::fresh;

    #[test]
    fn only_new_lines_are_shown_also_where_more_or_fewer_are_asked_for() {
        let lines = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        for (old, new, shown) in [
            ("abc", "abcde", "de"),
            ("abc", "bcd", "d"),
            ("abc", "abc", ""),
            ("c", "abcabcd", "d"),
            ("abc", "xyz", "xyz"),
            ("", "ab", "ab"),
            ("abc", "", ""),
            ("bc", "abcx", "x"),
        ] {
            assert_eq!(fresh(&lines(old), &lines(new)), lines(shown), "{old} {new}");
        }
    }
}
