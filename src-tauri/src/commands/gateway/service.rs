//! `gatehouse gateway install`, `uninstall` and `repair`, and who runs the gateway as a part of its status.

use gatehouse_api::{
    GatewayAction, GatewayRepair, GatewayService, GatewayServiceState as State, Reply, Request, say,
};

use super::change;
use crate::{
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Whether something is to be done about it.
pub(super) fn needs_attention(service: &GatewayService) -> bool {
    !matches!(
        service.state,
        State::Runs | State::Own | State::Starting | State::HandStarted | State::NoManager
    )
}

/// Who runs it: the verdict, the three signals that it was made of, and what next.
pub(super) fn show(page: &mut Page, service: &GatewayService) {
    let tone = if needs_attention(service) { Tone::Warn } else { Tone::Good };
    page.toned(2, tone, say!("cli.gateway.service"), &service.title);
    page.item(&service.because);
    page.field(say!("cli.field.service"), &service.name);
    page.field(&*service.manager, &service.job);
    page.field(say!("cli.field.port"), &service.port);
    page.field(say!("cli.field.answers"), &service.health);
    if let Some(version) = &service.installed_version {
        page.field(say!("cli.field.installed"), format!("OpenClaw {version}"));
    }
    words::fix(page, service.fix.as_ref());
}

pub(super) async fn install(session: &mut Session) -> Outcome {
    control(GatewayAction::Install, Tone::Good, session).await
}

pub(super) async fn uninstall(session: &mut Session) -> Outcome {
    session.client().await?;
    session.consent(say!("cli.gateway.ask-uninstall")).await?;
    control(GatewayAction::Uninstall, Tone::Plain, session).await
}

async fn control(action: GatewayAction, tone: Tone, session: &mut Session) -> Outcome {
    let Reply::Gateway(gateway) = change::with_steps(Request::GatewayControl { action }, session).await?
    else {
        return Err(unexpected());
    };
    let word = match action {
        GatewayAction::Uninstall => say!("cli.word.removed"),
        GatewayAction::Install | GatewayAction::Start | GatewayAction::Stop | GatewayAction::Restart => {
            say!("cli.word.installed")
        }
    };
    let mut page = Page::verdict(tone, word, super::identity(&gateway));
    if let Some(service) = &gateway.service {
        show(&mut page, service);
    }
    session.out.result(&page, &gateway);
    let warned = gateway.service.as_deref().is_some_and(needs_attention);
    Ok(Verdict::warned(warned && action == GatewayAction::Install))
}

/// Shows what a repair would do, and does it after a yes.
pub(super) async fn repair(dry_run: bool, session: &mut Session) -> Outcome {
    let plan = ask(session, true).await?;
    if plan.steps.is_empty() {
        let page = page(&plan, say!("cli.word.unchanged"));
        session.out.result(&page, &plan);
        return Ok(Verdict::warned(needs_attention(&plan.service)));
    }
    if dry_run {
        session.out.result(&page(&plan, say!("cli.service.would")), &plan);
        return Ok(Verdict::Done);
    }
    if !session.globals.yes {
        session.out.context(&page(&plan, say!("cli.service.would")));
        session.consent(say!("cli.gateway.ask-repair")).await?;
    }
    let done = ask(session, false).await?;
    session.out.result(&page(&done, say!("cli.word.done")), &done);
    Ok(Verdict::warned(needs_attention(&done.service)))
}

async fn ask(session: &mut Session, dry_run: bool) -> Result<GatewayRepair, gatehouse_api::ErrorEnvelope> {
    match change::with_steps(Request::GatewayRepair { dry_run }, session).await? {
        Reply::GatewayRepair(repair) => Ok(*repair),
        _ => Err(unexpected()),
    }
}

fn page(repair: &GatewayRepair, word: gatehouse_api::Text) -> Page {
    let tone = if needs_attention(&repair.service) { Tone::Warn } else { Tone::Good };
    let mut page = Page::verdict(tone, word, &repair.service.title);
    page.item(&repair.service.because);
    for step in &repair.steps {
        page.toned(2, Tone::Plain, "-", &step.text);
        page.command(&step.command);
    }
    if repair.steps.is_empty() {
        page.item(if needs_attention(&repair.service) {
            say!("cli.gateway.cannot-repair")
        } else {
            say!("cli.gateway.nothing-to-repair")
        });
        words::fix(&mut page, repair.service.fix.as_ref());
    }
    page
}
