//! `gatehouse devices approve`: shows who and what, and lets in exactly that.
//!
//! What was shown is sent along. A device that asks for more meanwhile is shown anew and asked about anew, even
//! under `--yes`: that yes was for something else.

use std::time::Duration;

use gatehouse_api::{ApproveAs, Code, ErrorEnvelope, PairedDevice, PendingDevice, Reply, Request, say};

use super::view;
use crate::{
    output::{Page, Tone, words},
    session::{Outcome, Session, Verdict, unexpected},
};

/// How often a device may widen its wish before we stop asking about it.
const ROUNDS: usize = 5;

/// On which terms a device is let in.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) access: ApproveAs,
    pub(super) label: Option<String>,
    /// `None` = what was set for it before, else for ever.
    pub(super) expires: Option<Duration>,
}

/// Approves one device.
pub(super) async fn run(device: PendingDevice, terms: Terms, session: &mut Session) -> Outcome {
    let access = terms.access;
    let approved = approve(device, terms, false, session).await?;
    let mut page = page(&approved, access);
    if let Some(at) = approved.expires_at {
        page.item(say!("cli.device.expires", relative = session.clock.relative(at)));
    }
    session.out.result(&page, &approved);
    Ok(Verdict::Done)
}

/// Shows, asks where somebody can be asked, and approves. `asked` = a person has just said yes to what is shown.
pub(super) async fn approve(
    mut device: PendingDevice,
    terms: Terms,
    asked: bool,
    session: &mut Session,
) -> Result<PairedDevice, ErrorEnvelope> {
    let Terms { access, label, expires } = terms;
    let mut must_ask = !asked && !session.globals.yes && session.can_ask();
    if !asked {
        show(&device, access, session);
    }
    for _ in 0..ROUNDS {
        if must_ask && !session.confirm(say!("cli.device.ask")).await {
            return Err(ErrorEnvelope::new(
                Code::NeedsConfirmation,
                say!("cli.device.not-let-in"),
                say!("cli.answered-no"),
            ));
        }
        let request = Request::DevicesApprove {
            device: device.device_id.clone(),
            access,
            label: label.clone(),
            shown_scopes: Some(device.scopes.clone()),
            expires_in: expires.map(|length| length.as_secs()),
        };
        match session.ask(request).await {
            Ok(Reply::Device(approved)) => return Ok(*approved),
            Ok(_) => return Err(unexpected()),
            Err(error) if error.code == Code::Widened => {
                let wider = super::fetch(session).await?.pending;
                let now = wider.into_iter().find(|wider| wider.device_id == device.device_id);
                device = now.ok_or_else(|| error.clone())?;
                show(&device, access, session);
                if !session.can_ask() {
                    return Err(error);
                }
                must_ask = true;
            }
            Err(error) => return Err(error),
        }
    }
    let because = say!("cli.device.changes");
    Err(ErrorEnvelope::new(Code::Widened, say!("cli.device.not-let-in"), because)
        .fix_with(say!("cli.device.refuse"), format!("gatehouse devices deny {}", device.device_id)))
}

fn show(device: &PendingDevice, access: ApproveAs, session: &mut Session) {
    let mut page = Page::new();
    view::pending(&mut page, device, session.clock);
    page.toned(4, Tone::Strong, say!("cli.device.gets-word"), words::access(access));
    if session.can_ask() {
        session.out.context(&page);
    } else {
        session.out.remark(&page);
    }
}

fn page(device: &PairedDevice, access: ApproveAs) -> Page {
    let mut page =
        Page::verdict(Tone::Good, say!("cli.device.approved"), view::title(&device.name, &device.device_id));
    page.item(&say!("cli.device.gets", access = words::access(access)));
    page
}
