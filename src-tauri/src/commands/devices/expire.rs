//! `gatehouse devices expire`: until when a paired device may stay.

use gatehouse_api::{Reply, Request, say};

use super::view;
use crate::{
    args::Stay,
    output::{Page, Tone},
    session::{Outcome, Session, Verdict, unexpected},
};

/// Sets it, or takes it back.
pub(super) async fn run(id: String, stay: Stay, session: &mut Session) -> Outcome {
    let expires_in = match stay {
        Stay::For(length) => Some(length.as_secs()),
        Stay::Forever => None,
    };
    let request = Request::DevicesExpire { device: id, expires_in };
    let Reply::Device(device) = session.ask(request).await? else { return Err(unexpected()) };
    let title = view::title(&device.name, &device.device_id);
    let page = match device.expires_at {
        Some(at) => {
            let mut page = Page::verdict(
                Tone::Good,
                say!("cli.field.expires"),
                say!("cli.named-value", name = session.clock.relative(at), value = title),
            );
            page.item(say!("cli.device.revoked-then"));
            page
        }
        None => Page::verdict(Tone::Good, say!("cli.device.stays"), &title),
    };
    session.out.result(&page, &device);
    Ok(Verdict::Done)
}
