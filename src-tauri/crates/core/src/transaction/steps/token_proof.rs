//! Proves with the running gateway that it takes its token, and no longer the one from before.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId, Text, say};
use gatehouse_openclaw::client::Link;
use gatehouse_openclaw::probe;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::context::Context;
use crate::errors::Explain;
use crate::transaction::draft::Draft;
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Step};

/// A gateway may want the old secret for some seconds after a change (openclaw-gateway §7).
const TAKEN: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(300);

/// See the module.
pub(crate) struct TokenProof {
    context: Context,
}

impl TokenProof {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for TokenProof {
    fn id(&self) -> StepId {
        StepId::Verify
    }

    fn title(&self) -> Text {
        say!("core.token.proving")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        Ok(Prepared { title: say!("core.token.prove"), always: true, ..Prepared::default() })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(moved) = draft.token.take() else { return Ok(say!("core.token.there")) };
        let Some(found) = &draft.gateway else { return Ok(say!("core.token.there")) };
        let told = if found.running {
            let tells = self.takes(&moved.new, found.gateway.base_path.as_deref()).await?;
            if moved.rotates() {
                self.refuses(&moved.old, found.gateway.base_path.as_deref(), tells).await?;
            }
            say!("core.token.proven")
        } else {
            draft.warnings.push(say!("core.token.not-proven"));
            say!("core.token.not-proven")
        };
        let store = self.context.token.clone();
        off_thread(move || store.drop_aside()).await?.map_err(|error| error.explain())?;
        Ok(told)
    }
}

impl TokenProof {
    /// Our own connection is asked where the gateway shows no page that could tell. Answers whether it shows one.
    async fn takes(&self, token: &SecretString, base: Option<&str>) -> Result<bool, ErrorEnvelope> {
        let until = Instant::now() + TAKEN;
        loop {
            let connected = self
                .context
                .link
                .client()
                .is_some_and(|client| matches!(&*client.status().borrow(), Link::Up { .. }));
            match probe::admits(self.context.link.address(), base, token).await {
                Some(true) => return Ok(true),
                None if connected => return Ok(false),
                Some(false) | None if Instant::now() < until => tokio::time::sleep(LOOK).await,
                Some(false) | None => return Err(failed(say!("core.token.not-admitted"))),
            }
        }
    }

    /// Where the gateway `tells`, no answer is none: it may be busy, and take the old token for a while yet.
    async fn refuses(
        &self,
        token: &SecretString,
        base: Option<&str>,
        tells: bool,
    ) -> Result<(), ErrorEnvelope> {
        let until = Instant::now() + TAKEN;
        loop {
            match probe::admits(self.context.link.address(), base, token).await {
                Some(false) => return Ok(()),
                None if !tells => return Ok(()),
                Some(true) | None if Instant::now() < until => tokio::time::sleep(LOOK).await,
                Some(true) | None => return Err(failed(say!("core.token.old-admitted"))),
            }
        }
    }
}

fn failed(because: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::VerifyFailed, say!("core.token.unproven"), because)
        .fix_with(say!("core.look.says"), "gatehouse gateway log")
}
