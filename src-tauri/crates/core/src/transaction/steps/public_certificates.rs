//! Changes how public certificates are got: remembered first, then in force; what is served is not touched.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ErrorEnvelope, StepId, Text, say};

use crate::context::Context;
use crate::errors::Explain;
use crate::public;
use crate::settings::AcmeSettings;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve::{self, off_thread};
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct PublicCertificates {
    context: Context,
    next: Option<AcmeSettings>,
}

impl PublicCertificates {
    pub(crate) fn new(context: &Context, next: Option<&AcmeSettings>) -> Self {
        Self { context: context.clone(), next: next.cloned() }
    }
}

#[async_trait]
impl Step for PublicCertificates {
    fn id(&self) -> StepId {
        StepId::Commit
    }

    fn title(&self) -> Text {
        say!("core.acme.step")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let previous = self.context.settings.current().acme.clone();
        Ok(Prepared {
            title: say!("core.acme.step-does"),
            details: public::differences(previous.as_ref(), self.next.as_ref()),
            changes: self.next != previous,
            inverse: Inverse::Acme { previous: previous.map(Box::new) }.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        remember(&self.context, self.next.take(), true).await?;
        Ok(say!("core.acme.step-done"))
    }
}

/// Writes it, and puts it in force where the edge serves; at start it comes into force with what is served.
pub(crate) async fn remember(
    context: &Context,
    acme: Option<AcmeSettings>,
    live: bool,
) -> Result<(), ErrorEnvelope> {
    let settings = context.settings.clone();
    let written = off_thread(move || settings.update(|settings| settings.acme = acme)).await?;
    written.map_err(|error| error.explain())?;
    if !live {
        return Ok(());
    }
    let open = context.served.load().as_ref().map(|served| served.plan.public.clone());
    serve::follow_public(context, open.unwrap_or_default()).await
}
