//! `gatehouse token copy`: the token on the clipboard, for a while.

use std::time::Duration;

use gatehouse_api::{ErrorEnvelope, SecretText, say};
use serde_json::json;

use crate::{
    output::{Page, Tone},
    session::{Outcome, Session, Verdict},
};

/// Copies it, waits, and takes it away.
pub(super) async fn run(length: Duration, session: &mut Session) -> Outcome {
    let token = super::ask(session).await?;
    let held = hold(&token, length)?;
    let mut page = Page::verdict(
        Tone::Good,
        say!("cli.token.copied"),
        say!("cli.token.copied-about", seconds = length.as_secs()),
    );
    page.item(say!("cli.token.copied-until"));
    session.out.remark(&page);
    let taken = held.wait().await;
    let about = if taken { say!("cli.token.taken-away") } else { say!("cli.token.overwritten") };
    session
        .out
        .result(&Page::verdict(Tone::Good, say!("cli.word.done"), about), &json!({"taken_away": taken}));
    Ok(Verdict::Done)
}

#[cfg(feature = "tray")]
struct Held(crate::clipboard::Secret);

#[cfg(feature = "tray")]
impl Held {
    /// Until its time is over, or somebody interrupts. Whether it was still there, and is gone now.
    async fn wait(self) -> bool {
        tokio::select! {
            () = self.0.over() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        let secret = self.0;
        tokio::task::spawn_blocking(move || secret.take_away()).await.unwrap_or(false)
    }
}

#[cfg(feature = "tray")]
fn hold(token: &SecretText, length: Duration) -> Result<Held, ErrorEnvelope> {
    crate::clipboard::hold(token, length).map(Held)
}

#[cfg(not(feature = "tray"))]
struct Held;

#[cfg(not(feature = "tray"))]
impl Held {
    #[allow(clippy::unused_async, reason = "the same as with a clipboard")]
    async fn wait(self) -> bool {
        false
    }
}

#[cfg(not(feature = "tray"))]
fn hold(_: &SecretText, _: Duration) -> Result<Held, ErrorEnvelope> {
    let because = say!("cli.token.no-clipboard-because");
    Err(ErrorEnvelope::new(gatehouse_api::Code::Failed, say!("cli.token.no-clipboard"), because)
        .fix_with(say!("cli.secret-ref.terminal-fix"), "gatehouse token reveal --i-understand"))
}
