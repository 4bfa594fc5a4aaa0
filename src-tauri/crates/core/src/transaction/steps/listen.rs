//! Listens, and proves that the port is ours on every address: a successful bind is no proof (§4.1 of the fact sheet
//! on networks), our own certificate at the other end is.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId};

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

    fn title(&self) -> &'static str {
        "Listening"
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(Prepared::default()) };
        let changes = !self.context.door.listening().same(&served.ports.listeners())
            || self.context.served.load().as_deref() != Some(&served);
        let ports = &served.ports;
        let mut details = vec![format!("HTTPS on port {}", ports.https)];
        details.extend(ports.https_reason.iter().map(|reason| format!("not 443: {reason}")));
        details.push(match (ports.redirect, &ports.redirect_reason) {
            (Some(port), _) => format!("plain HTTP on port {port} redirects there"),
            (None, Some(reason)) => format!("no redirect from plain HTTP: {reason}"),
            (None, None) => "no redirect from plain HTTP".to_owned(),
        });
        Ok(Prepared {
            title: format!("Listen on port {}.", ports.https),
            details,
            changes,
            always: true,
            inverse: Inverse::Serve.to_value()?,
            warnings: ports.https_reason.iter().map(|reason| not_standard(ports.https, reason)).collect(),
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<String, ErrorEnvelope> {
        let Some(served) = draft.served() else { return Ok(String::new()) };
        serve::listen(&self.context, served.clone()).await?;
        self.prove(&served).await?;
        Ok(format!("Port {} is ours on every address.", served.ports.https))
    }
}

impl Listen {
    async fn prove(&self, served: &Served) -> Result<(), ErrorEnvelope> {
        let trust = probe::Trust::of(&self.context.certificates).map_err(|error| error.explain())?;
        for address in &served.plan.addresses {
            match probe::tls(address, &trust).await {
                Ok(facts) if trust.is_ours(&facts.leaf_sha256) => {}
                Ok(_) | Err(ProbeError::OtherCertificate { .. }) => {
                    return Err(foreign(&self.context, address.connect).await);
                }
                Err(error) => return Err(error.explain()),
            }
        }
        Ok(())
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

    fn title(&self) -> &'static str {
        "Closing the address"
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        Ok(Prepared {
            title: "Stop listening.".to_owned(),
            changes: self.context.door.listening() != Listeners::default(),
            inverse: Inverse::Serve.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<String, ErrorEnvelope> {
        serve::close(&self.context).await;
        Ok("Nothing listens any more.".to_owned())
    }
}

fn not_standard(port: u16, reason: &str) -> String {
    format!("The port is {port}, not 443: {reason}")
}

async fn foreign(context: &Context, address: std::net::SocketAddr) -> ErrorEnvelope {
    let (machine, port) = (context.machine.clone(), address.port());
    let holder = serve::off_thread(move || machine.holder(port)).await.ok().flatten();
    let by = holder.map_or_else(|| "Another program".to_owned(), |holder| crate::ports_plan::name(&holder));
    ErrorEnvelope::new(
        Code::PortTaken,
        format!("{by} answers at {address}"),
        "It listens on this one address, so it gets the connections that are meant for Gatehouse.",
    )
    .evidence("the certificate presented there is not the one that Gatehouse serves")
    .fix_with("Stop that program, or choose another port.", "gatehouse open --to lan --port 8443")
}
