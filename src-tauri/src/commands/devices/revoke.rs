//! `gatehouse devices revoke`: takes a key away, and says whether the device could come back.

use gatehouse_api::{Reply, Request, say};

use super::view;
use crate::{
    args::Which,
    output::{Page, Tone},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Revokes one device, after a yes.
pub(super) async fn run(which: &Which, rotate_token: bool, session: &mut Session) -> Outcome {
    let device = super::find(which, super::fetch(session).await?.paired, &say!("cli.device.state-paired"))?;
    let title = view::title(&device.name, &device.device_id);
    let question = if rotate_token {
        say!("cli.revoke.ask-rotate", title = title)
    } else {
        say!("cli.revoke.ask", title = title)
    };
    session.consent(question).await?;
    let request = Request::DevicesRevoke { device: device.device_id, rotate_token };
    let Reply::Revoked(report) = session.ask(request).await? else { return Err(unexpected()) };
    let mut page =
        Page::verdict(Tone::Good, say!("cli.revoke.done"), view::title(&report.name, &report.device_id));
    if !report.note.is_empty() {
        let (tone, word) = if report.can_return {
            (Tone::Warn, say!("cli.word.caution"))
        } else {
            (Tone::Plain, say!("cli.word.note"))
        };
        page.toned(2, tone, word, &report.note);
    }
    if report.can_return && !report.token_rotated {
        page.command(&format!("gatehouse devices revoke {} --rotate-token", report.device_id));
    }
    session.out.result(&page, &report);
    Ok(Verdict::Done)
}
