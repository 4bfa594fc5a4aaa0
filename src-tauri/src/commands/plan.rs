//! Plans: what `--dry-run` prints.

use gatehouse_api::{ErrorEnvelope, Plan, Reply, Request, say};

use crate::{
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Asks for a plan and shows it.
pub(crate) async fn show(request: Request, session: &mut Session) -> Outcome {
    let plan = fetch(request, session).await?;
    session.out.result(&page(&plan), &plan);
    Ok(Verdict::warned(!plan.warnings.is_empty()))
}

/// Asks for a plan.
pub(super) async fn fetch(request: Request, session: &mut Session) -> Result<Plan, ErrorEnvelope> {
    match session.ask(request).await? {
        Reply::Plan(plan) => Ok(plan),
        _ => Err(unexpected()),
    }
}

/// A plan, for people.
pub(super) fn page(plan: &Plan) -> Page {
    let mut page =
        Page::verdict(Tone::Strong, say!("cli.plan.word"), &say!("cli.plan.about", title = plan.title));
    for (number, step) in plan.steps.iter().enumerate() {
        let (tone, word) = if step.changes {
            (Tone::Warn, say!("cli.plan.change"))
        } else {
            (Tone::Faint, say!("cli.step-state.skipped"))
        };
        page.toned(
            2,
            tone,
            word,
            say!("cli.plan.line", number = number + 1, step = words::step(step.id), title = step.title),
        );
        for detail in &step.details {
            page.toned(12, Tone::Plain, "", detail);
        }
    }
    for address in &plan.addresses {
        page.field(say!("cli.field.address"), address);
    }
    let restart =
        if plan.restarts_gateway { say!("cli.plan.restarts") } else { say!("cli.plan.keeps-running") };
    page.field(say!("cli.field.gateway"), restart);
    if plan.drops_connections {
        page.field(say!("cli.field.sessions"), say!("cli.plan.drops"));
    }
    for warning in &plan.warnings {
        page.toned(0, Tone::Warn, say!("cli.word.note"), warning);
    }
    page
}
