//! Makes sure that only this machine reaches the gateway itself: everybody else comes through the edge.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId, Text, say};
use gatehouse_openclaw::config::{Edit, OnDrift, View};

use super::find_gateway;
use crate::context::Context;
use crate::transaction::configuration::{Edited, Place, own_words};
use crate::transaction::draft::{Draft, Found};
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Step};

pub(super) const BIND: &str = "gateway.bind";
/// A gateway that restarts within its process (`OPENCLAW_NO_RESPAWN`) keeps the bind that the process was started with.
fn still_wide() -> Text {
    say!("core.loopback.still-wide")
}

/// See the module.
pub(crate) struct Loopback {
    context: Context,
    edited: Option<Edited>,
    restart: bool,
}

impl Loopback {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone(), edited: None, restart: false }
    }

    /// Whether the running gateway listens for other machines.
    async fn listens_wide(&self, found: &Found) -> Result<bool, ErrorEnvelope> {
        if !found.running {
            return Ok(false);
        }
        let (machine, port) = (self.context.machine.clone(), found.gateway.port);
        let holder = off_thread(move || machine.holder(port)).await?;
        Ok(holder
            .is_some_and(|holder| holder.listening.iter().any(|at| !at.ip().to_canonical().is_loopback())))
    }
}

#[async_trait]
impl Step for Loopback {
    fn id(&self) -> StepId {
        StepId::Loopback
    }

    fn title(&self) -> Text {
        say!("core.doing.loopback")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(90)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let Some(found) = draft.gateway.clone() else { return Ok(Prepared::default()) };
        let place = Place::of(&self.context, &found).await;
        let view = place.view().await?;
        if view.tls_enabled {
            return Err(own_tls());
        }
        let wide = is_wide(&view) || self.listens_wide(&found).await?;
        if !wide {
            let title = say!("core.loopback.is");
            return Ok(Prepared { title, ..Prepared::default() });
        }
        let edit = Edit::Set { path: BIND.into(), value: "loopback".into() };
        let edited = place.prepare(&[edit], OnDrift::Leave).await?;
        let mut ledger = draft.ledger.clone();
        ledger.absorb(edited.inverse());
        self.restart = found.running;
        let warnings = if edited.is_noop() { vec![still_wide()] } else { Vec::new() };
        let prepared = Prepared {
            title: say!("core.loopback.let"),
            details: own_words(edited.changes()),
            changes: !edited.is_noop(),
            inverse: edited.record(found.running).to_value()?,
            backup: edited.backup(),
            ledger: Some(ledger),
            restarts_gateway: found.running && !edited.is_noop(),
            drops_connections: found.running && !edited.is_noop(),
            warnings,
            ..Prepared::default()
        };
        self.edited = Some(edited);
        Ok(prepared)
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(edited) = self.edited.take() else { return Ok(Text::default()) };
        edited.commit(self.restart).await?;
        let found = find_gateway::find(&self.context).await?;
        let wide = self.listens_wide(&found).await?;
        draft.gateway = Some(found);
        if wide {
            draft.warnings.push(still_wide());
            return Ok(say!("core.loopback.once"));
        }
        Ok(say!("core.loopback.is"))
    }
}

/// `auto` is loopback where that works, so what really listens decides.
fn is_wide(view: &View) -> bool {
    !matches!(view.bind.as_deref(), None | Some("loopback" | "auto"))
}

fn own_tls() -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::ConfigUnsupported,
        say!("core.loopback.own-tls"),
        say!("core.loopback.own-tls-because"),
    )
    .fix_with(say!("core.loopback.own-tls-fix"), "openclaw config set gateway.tls.enabled false")
}
