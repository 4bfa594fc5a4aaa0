//! `gatehouse version`: this program, and the one that runs.

use gatehouse_api::say;
use gatehouse_api::socket::PROTOCOL;
use serde_json::json;

use crate::{
    output::{Form, Page, Tone},
    session::{Session, Verdict},
};

/// Shows the versions. It works where nothing runs.
pub(crate) async fn run(session: &mut Session) -> Verdict {
    let version = env!("CARGO_PKG_VERSION");
    let core = session.client().await.map(|client| client.core().clone()).ok();
    if session.out.form() != Form::Human {
        session.out.object(&json!({"version": version, "protocol": PROTOCOL, "core": core}));
        return Verdict::Done;
    }
    let mut page = Page::verdict(Tone::Plain, "gatehouse", version);
    match core {
        Some(core) => page.field(
            say!("cli.version.running"),
            &say!("cli.version.process", version = core.version, pid = core.pid),
        ),
        None => page.field(say!("cli.version.running"), say!("cli.no")),
    }
    session.out.page(&page);
    Verdict::Done
}
