//! Listens, and proves that the port is ours on every address: a successful bind is no proof (§4.1 of the fact sheet
//! on networks), our own certificate at the other end is.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId, Text, say};

use crate::address_plan::PlannedAddress;
use crate::context::{Context, Listeners, Served};
use crate::probe::{self, ProbeError};
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct Listen {
    context: Context,
}

impl Listen {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for Listen {
    fn id(&self) -> StepId {
        StepId::Listen
    }

    fn title(&self) -> Text {
        say!("core.doing.listen")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(Prepared::default()) };
        let changes = !self.context.door.listening().same(&served.ports.listeners())
            || self.context.served.load().as_deref() != Some(&served);
        let ports = &served.ports;
        let mut details = vec![say!("core.listen.https", port = ports.https)];
        details.extend(ports.https_reason.iter().map(|reason| say!("core.listen.not-443", reason = reason)));
        details.push(match (ports.redirect, &ports.redirect_reason) {
            (Some(port), _) => say!("core.listen.redirect", port = port),
            (None, Some(reason)) => say!("core.listen.no-redirect-because", reason = reason),
            (None, None) => say!("core.listen.no-redirect"),
        });
        Ok(Prepared {
            title: say!("core.listen.title", port = ports.https),
            details,
            changes,
            always: true,
            inverse: Inverse::Serve.to_value()?,
            warnings: ports.https_reason.iter().map(|reason| not_standard(ports.https, reason)).collect(),
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(Text::default()) };
        serve::listen(&self.context, served.clone()).await?;
        self.prove(&served).await?;
        Ok(say!("core.listen.done", port = served.ports.https))
    }
}

impl Listen {
    async fn prove(&self, served: &Served) -> Result<(), ErrorEnvelope> {
        let trust = probe::Trust::of(&self.context).map_err(|error| error.explain())?;
        for address in &served.plan.addresses {
            match probe::tls(address, &trust).await {
                Ok(facts) if trust.is_ours(address, &facts.leaf_sha256) => {}
                // Its certificate comes next. Whose the port is shows under the loopback name as well.
                Err(ProbeError::NoCertificateFor { .. }) => self.is_ours(address, &trust).await?,
                Ok(_) | Err(ProbeError::OtherCertificate { .. }) => {
                    return Err(foreign(&self.context, address.connect).await);
                }
                Err(error) => return Err(error.explain()),
            }
        }
        Ok(())
    }

    async fn is_ours(&self, address: &PlannedAddress, trust: &probe::Trust) -> Result<(), ErrorEnvelope> {
        let asked = PlannedAddress { host: "localhost".to_owned(), ..address.clone() };
        match probe::tls(&asked, trust).await {
            Ok(facts) if trust.is_ours(&asked, &facts.leaf_sha256) => Ok(()),
            Ok(_) | Err(ProbeError::OtherCertificate { .. }) => {
                Err(foreign(&self.context, address.connect).await)
            }
            Err(error) => Err(error.explain()),
        }
    }
}

/// Stops listening.
pub(crate) struct Close {
    context: Context,
}

impl Close {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Step for Close {
    fn id(&self) -> StepId {
        StepId::Listen
    }

    fn title(&self) -> Text {
        say!("core.doing.close")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        Ok(Prepared {
            title: say!("core.listen.stop"),
            changes: self.context.door.listening() != Listeners::default(),
            inverse: Inverse::Serve.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        serve::close(&self.context).await;
        Ok(say!("core.listen.stopped"))
    }
}

fn not_standard(port: u16, reason: &Text) -> Text {
    say!("core.listen.not-standard", port = port, reason = reason)
}

async fn foreign(context: &Context, address: std::net::SocketAddr) -> ErrorEnvelope {
    let (machine, port) = (context.machine.clone(), address.port());
    let holder = serve::off_thread(move || machine.holder(port)).await.ok().flatten();
    let by = holder.map_or_else(|| say!("core.another-program"), |holder| crate::ports_plan::name(&holder));
    ErrorEnvelope::new(
        Code::PortTaken,
        say!("core.listen.foreign", holder = by, address = address),
        say!("core.listen.foreign-because"),
    )
    .evidence(say!("core.listen.foreign-evidence"))
    .fix_with(say!("core.port.stop-or-choose"), "gatehouse open --to lan --port 8443")
}
