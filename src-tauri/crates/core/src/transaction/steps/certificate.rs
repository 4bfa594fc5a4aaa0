//! Decides the addresses, and makes or reuses a certificate for them.

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, OpenRequest, StepId, Text, say};
use gatehouse_certs::{CertError, Decision};

use crate::context::Context;
use crate::errors::{self, Explain};
use crate::exposure::expiring;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve;
use crate::transaction::step::{Prepared, Step};

/// How long each of the four things may take that a purge does once something is gone: well below the limit of the step.
const PATIENCE: Duration = Duration::from_secs(8);

/// See the module.
pub(crate) struct Certificate {
    context: Context,
    request: OpenRequest,
}

impl Certificate {
    pub(crate) fn new(context: &Context, request: &OpenRequest) -> Self {
        Self { context: context.clone(), request: request.clone() }
    }
}

#[async_trait]
impl Step for Certificate {
    fn id(&self) -> StepId {
        StepId::Certificate
    }

    fn title(&self) -> Text {
        say!("core.doing.certificate")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let settings = self.context.settings.current();
        let served = serve::settle(&self.context, &self.request, settings.open.as_ref()).await?;
        let wanted = &served.plan.certificate;
        self.context.certificates.check(wanted).map_err(|error| error.explain())?;
        self.context.public.promise(&served, self.request.scope).await?;
        let decision = self.context.certificates.decide(wanted, self.context.clock.now());
        let changes = !matches!(decision, Decision::Keep);
        let names: Vec<String> = wanted.texts().collect();
        let title = match (changes, self.context.certificates.authority()) {
            (false, _) => say!("core.certificate.fits"),
            (true, Some(_)) => say!("core.certificate.issue"),
            (true, None) => {
                say!("core.certificate.make")
            }
        };
        let mut warnings = served.plan.warnings.clone();
        if let Some(leaf) = self.context.certificates.current().filter(|_| changes) {
            let pins = self.context.pins.list(&self.context.certificates);
            warnings.extend(expiring::warning(&pins, &leaf.sha256));
        }
        let prepared = Prepared {
            title,
            details: vec![names.join(", ").into()],
            changes,
            inverse: Inverse::Certificate.to_value()?,
            warnings,
            ..Prepared::default()
        };
        draft.ports = Some(served.ports);
        draft.addresses = Some(served.plan);
        Ok(prepared)
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(Text::default()) };
        let ensured = serve::certificate(&self.context, &served).await?;
        Ok(say!("core.certificate.until", date = ensured.facts.not_after.date()))
    }
}

/// Forgets certificates and authority.
pub(crate) struct Purge {
    context: Context,
}

impl Purge {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for Purge {
    fn id(&self) -> StepId {
        StepId::Certificate
    }

    fn title(&self) -> Text {
        say!("core.doing.purge")
    }

    fn limit(&self) -> Duration {
        // A keychain asks its owner for half a minute, and whoever issues may be asking it too; cut off there, the purge would
        // go on behind a change that was taken back.
        Duration::from_secs(150)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let certificates = &self.context.certificates;
        let authority = certificates.authority();
        let mut details: Vec<Text> =
            authority.iter().map(|authority| say!("core.purge.authority", name = authority.name)).collect();
        if certificates.current().is_some() || certificates.damaged() {
            details.push(say!("core.purge.local"));
        }
        details.extend(self.context.public.traces());
        let warnings =
            authority.map(|authority| say!("core.certificate.purge-warning", name = authority.name));
        Ok(Prepared {
            title: say!("core.certificate.purge"),
            changes: !details.is_empty(),
            details,
            inverse: Inverse::Certificate.to_value()?,
            warnings: warnings.into_iter().collect(),
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let certificates = self.context.certificates.clone();
        let purged = serve::off_thread(move || certificates.purge()).await;
        if let Ok(Err(error @ CertError::Vault(_))) = &purged {
            return Err(error.explain());
        }
        // The authority is gone and nothing brings it back: what fails from here on is told, and closing goes on.
        tell(draft, purged.and_then(|purged| purged.map_err(|error| error.explain())));
        let renewal = &self.context.public.renewal;
        let now = self.context.clock.now();
        // Whoever sets DNS records needs its secret to remove them.
        attempt(draft, async { renewal.give_up(now).await.map_err(|error| error.explain()) }).await;
        let public = self.context.public.clone();
        let forgotten = serve::off_thread(move || public.forget_secrets());
        attempt(draft, async { forgotten.await?.map_err(|error| error.explain()) }).await;
        // First wanted no more, then gone: what is gone would be asked for anew.
        attempt(draft, super::public_certificates::remember(&self.context, None, true)).await;
        attempt(draft, async { renewal.purge(now).await.map_err(|error| error.explain()) }).await;
        Ok(say!("core.certificate.purged"))
    }
}

/// Does it, or tells why it was not done in time.
async fn attempt(draft: &mut Draft, work: impl Future<Output = Result<(), ErrorEnvelope>> + Send) {
    let slow = || {
        let because = say!("core.slow.because", seconds = PATIENCE.as_secs());
        ErrorEnvelope::new(Code::Failed, say!("core.slow.title"), because)
    };
    tell(draft, tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(slow())));
}

fn tell(draft: &mut Draft, result: Result<(), ErrorEnvelope>) {
    let Err(error) = result else { return };
    let warning = errors::both(&error);
    if !draft.warnings.contains(&warning) {
        draft.warnings.push(warning);
    }
}

#[cfg(test)]
mod tests;
