//! Gets the certificates of public names. The address is open already, because the authority looks there for its proof;
//! nothing is configured or kept before they are here.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ErrorEnvelope, StepId, Text, say};

use crate::context::Context;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct Issue {
    context: Context,
}

impl Issue {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for Issue {
    fn id(&self) -> StepId {
        StepId::Issue
    }

    fn title(&self) -> Text {
        say!("core.acme.doing")
    }

    /// Longer than an order waits.
    fn limit(&self) -> Duration {
        Duration::from_secs(330)
    }

    /// An order that was begun is kept on disk, and taken up when the name is opened again.
    fn interruptible(&self) -> bool {
        true
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let public = draft.addresses.as_ref().map(|plan| plan.public.clone()).unwrap_or_default();
        let missing = self.context.public.missing(&public);
        let names = |list: &[gatehouse_certs::acme::Identifier]| {
            list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        Ok(Prepared {
            title: match missing.is_empty() {
                true => say!("core.acme.have", names = names(&public)),
                false => say!("core.acme.get", names = names(&missing)),
            },
            changes: !missing.is_empty(),
            inverse: Inverse::Certificate.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(Text::default()) };
        let until = self.context.public.obtain(&served.plan.public).await?;
        // Browsers may now remember the name as HTTPS only.
        serve::listen(&self.context, served).await?;
        Ok(match until {
            Some(until) => say!("core.acme.got", date = until.date()),
            None => Text::default(),
        })
    }
}
