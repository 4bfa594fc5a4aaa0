//! Plans: what `--dry-run` prints.

use gatehouse_api::{Plan, Reply, Request};

use crate::{
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Asks for a plan and shows it.
pub(crate) async fn show(request: Request, session: &mut Session) -> Outcome {
    let Reply::Plan(plan) = session.ask(request).await? else { return Err(unexpected()) };
    session.out.result(&page(&plan), &plan);
    Ok(Verdict::warned(!plan.warnings.is_empty()))
}

fn page(plan: &Plan) -> Page {
    let mut page = Page::verdict(Tone::Strong, "Plan", &format!("{}; nothing was changed", plan.title));
    for (number, step) in plan.steps.iter().enumerate() {
        let (tone, word) = if step.changes { (Tone::Warn, "change") } else { (Tone::Faint, "as is ") };
        page.toned(2, tone, word, &format!("{}. {}: {}", number + 1, words::step(step.id), step.title));
        for detail in &step.details {
            page.toned(12, Tone::Plain, "", detail);
        }
    }
    for address in &plan.addresses {
        page.field("Address", address);
    }
    let restart = if plan.restarts_gateway { "restarts" } else { "keeps running" };
    page.field("Gateway", restart);
    if plan.drops_connections {
        page.field("Sessions", "open connections are dropped once and come back by themselves");
    }
    for warning in &plan.warnings {
        page.toned(0, Tone::Warn, "Note:", warning);
    }
    page
}
