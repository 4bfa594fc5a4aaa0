//! `gatehouse link`: the best address, to hand on. It holds no secret.

use gatehouse_api::{Address, Code, ErrorEnvelope, Snapshot};

use super::status;
use crate::{
    args::Link,
    output::{Form, Page, fields, qr, words},
    session::{Outcome, Session, Verdict},
};

/// Shows the address.
pub(crate) async fn run(args: &Link, session: &mut Session) -> Outcome {
    let snapshot = status::fetch(session).await?;
    let Some(address) = best(&snapshot) else {
        return Err(ErrorEnvelope::new(
            Code::NoAddress,
            "There is no address to hand on",
            "Nothing is open.",
        )
        .fix_with("Open one.", "gatehouse open --to lan"));
    };
    if session.out.form() != Form::Human {
        session.out.object(&fields(address));
        return Ok(Verdict::Done);
    }
    let mut page = Page::new();
    page.text(&address.url);
    page.item(&format!("{}; {}", words::address_scope(address.scope), words::trusted_by(address.trusted_by)));
    if args.qr {
        let look = session.out.look();
        match qr::code(&address.url, look.utf8, look.color) {
            Some(code) => page.art(&code),
            None => page.item("It is too long for a QR code."),
        }
    }
    session.out.page(&page);
    Ok(Verdict::Done)
}

/// The best address: the core lists it first.
pub(crate) fn best(snapshot: &Snapshot) -> Option<&Address> {
    snapshot.addresses.first()
}
