//! Reaches every address from outside, and tries what must be refused.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ErrorEnvelope, StepId, Text, say};

use crate::context::Context;
use crate::probe;
use crate::transaction::configuration::own_words;
use crate::transaction::draft::Draft;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct Verify {
    context: Context,
}

impl Verify {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for Verify {
    fn id(&self) -> StepId {
        StepId::Verify
    }

    fn title(&self) -> Text {
        say!("core.doing.verify")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn interruptible(&self) -> bool {
        true
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        Ok(Prepared {
            title: say!("core.verify.title"),
            details: own_words(&draft.urls()),
            always: true,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let running = draft.gateway.as_ref().is_some_and(|found| found.running);
        let report = probe::full(&self.context, running).await?;
        draft.warnings.extend(report.warnings.iter().cloned());
        Ok(report.summary())
    }
}
