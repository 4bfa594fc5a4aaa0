//! `gatehouse open`: the transaction, its steps, and the address at the end.

use std::time::Duration;

use super::{change, plan, status};
use crate::{
    args::Open,
    output::{Form, Page, Tone, fields},
    session::{Outcome, Session, Verdict, unexpected},
};
use gatehouse_api::{
    Address, Change, ChangeState, ErrorEnvelope, OpenRequest, Reply, Request, StepId, TrustedBy, say,
};

/// How long a change over SSH waits for its confirmation, in seconds.
const OVER_SSH: u32 = 120;

/// Opens an address, or shows how.
pub(crate) async fn run(args: &Open, session: &mut Session) -> Outcome {
    let over_ssh = std::env::var_os("SSH_CONNECTION").is_some_and(|value| !value.is_empty());
    let request = args.address.request(args.to, confirm_within(args.confirm_within, over_ssh));
    if args.dry_run {
        return plan::show(Request::PlanOpen(request), session).await;
    }
    if request.map_port.is_some() {
        // Somebody must run before anybody is asked; and who is asked knows what follows.
        let Reply::Plan(plan) = session.ask(Request::PlanOpen(request.clone())).await? else {
            return Err(unexpected());
        };
        let step = plan.steps.iter().find(|step| step.id == StepId::MapPort && step.changes);
        if let Some(step) = step {
            let url = plan.addresses.first().map_or("", String::as_str);
            session.consent(say!("cli.open.map-ask", step = step.title, url = url)).await?;
        }
    }
    open(request, session).await
}

async fn open(request: OpenRequest, session: &mut Session) -> Outcome {
    let mut made = change::make(Request::Open(request), session).await?;
    let snapshot = status::fetch(session).await?;
    match session.out.form() {
        Form::Human => session.out.page(&page(&made, &snapshot.addresses, session)),
        Form::Json | Form::Lines => {
            let mut object = fields(&made);
            object["addresses"] = fields(&snapshot.addresses);
            session.out.object(&object);
        }
    }
    if made.state == Some(ChangeState::AwaitingConfirmation) && session.can_ask() {
        keep(&mut made, session).await?;
    }
    Ok(change::verdict(&made))
}

/// Asks whether to keep a change that would revert: whoever can answer still has a connection.
async fn keep(made: &mut Change, session: &mut Session) -> Result<(), ErrorEnvelope> {
    if !session.confirm(say!("cli.open.keep")).await {
        return Ok(());
    }
    match session.ask(Request::Confirm).await? {
        Reply::Change(confirmed) => *made = confirmed,
        Reply::Done => made.state = Some(ChangeState::Committed),
        _ => return Err(unexpected()),
    }
    session.out.page(&Page::verdict(Tone::Good, say!("cli.word.kept"), &made.title));
    Ok(())
}

fn page(made: &Change, addresses: &[Address], session: &Session) -> Page {
    let mut page = change::page(made, say!("cli.word.done"), session.clock);
    status::addresses(&mut page, addresses, session.clock);
    if change::verdict(made) != Verdict::Told(gatehouse_api::Code::RolledBack) {
        // Every device trusts a public certificate already.
        if addresses.first().is_none_or(|best| best.trusted_by == TrustedBy::LocalCa) {
            page.text(say!("cli.open.next"));
            page.command("gatehouse cert export --ca gatehouse-ca.pem");
        } else {
            page.text(say!("cli.open.next-public"));
        }
        page.command("gatehouse devices watch");
    }
    page
}

/// The flag in seconds, or the custom over SSH; `None` = the change stays.
fn confirm_within(flag: Option<Duration>, over_ssh: bool) -> Option<u32> {
    match flag {
        Some(flag) => u32::try_from(flag.as_secs()).ok().filter(|seconds| *seconds > 0),
        None => over_ssh.then_some(OVER_SSH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_over_ssh_must_be_confirmed_unless_said_otherwise() {
        assert_eq!(confirm_within(None, true), Some(120));
        assert_eq!(confirm_within(None, false), None);
        assert_eq!(confirm_within(Some(Duration::from_secs(30)), true), Some(30));
        assert_eq!(confirm_within(Some(Duration::ZERO), true), None);
    }
}
