//! Has the home's router open a port to the internet and pass it on to this machine, or takes that back.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, MappingState, OpenRequest, Scope, StepId, Text, say};
use gatehouse_host::mapping::MappingError;

use crate::context::Context;
use crate::errors::Explain;
use crate::mapping::Wish;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct MapPort {
    context: Context,
    /// The port of the router, 0 = the same as here; `None` = none is to be open.
    asked: Option<u16>,
    wish: Option<Wish>,
}

impl MapPort {
    pub(crate) fn open(context: &Context, request: &OpenRequest) -> Self {
        Self { context: context.clone(), asked: request.map_port, wish: None }
    }

    pub(crate) fn close(context: &Context) -> Self {
        Self { context: context.clone(), asked: None, wish: None }
    }

    /// Whether a change to `asked` has anything to do here.
    pub(crate) fn concerns(context: &Context, asked: Option<u16>) -> bool {
        asked.is_some()
            || context.router_port.state().is_some()
            || Wish::of(context.settings.current().open.as_ref()).is_some()
    }
}

/// Only an address that is open to the internet needs a port of the router.
pub(crate) fn allowed(request: &OpenRequest) -> Result<(), ErrorEnvelope> {
    if request.map_port.is_none() || request.scope == Scope::Internet {
        return Ok(());
    }
    let because = say!("core.map.not-internet-because");
    Err(ErrorEnvelope::new(Code::Usage, say!("core.map.not-internet"), because)
        .fix_with(say!("core.map.not-internet-fix"), "gatehouse open --to internet --map-port"))
}

#[async_trait]
impl Step for MapPort {
    fn id(&self) -> StepId {
        StepId::MapPort
    }

    fn title(&self) -> Text {
        say!("core.map.doing")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(45)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let inverse = Inverse::MapPort.to_value()?;
        let state = self.context.router_port.state();
        let Some((asked, ports)) = self.asked.zip(draft.ports.as_ref()) else {
            let title = match &state {
                Some(mapping) => say!("core.map.give-back", port = mapping.port),
                None => say!("core.map.none"),
            };
            return Ok(Prepared { title, changes: state.is_some(), inverse, ..Prepared::default() });
        };
        let wish = Wish::new(asked, ports.https);
        self.wish = Some(wish);
        let place = self.context.router_port.place().await.map_err(|error| error.explain())?;
        let stands = state.is_some_and(|mapping| {
            mapping.state == MappingState::Open
                && (mapping.port, mapping.to) == (wish.external_port, wish.port)
        });
        Ok(Prepared {
            title: say!("core.map.open", router = place.router.to_string(), port = wish.external_port),
            details: vec![
                say!("core.map.to", here = format!("{}:{}", place.here, wish.port)),
                say!("core.map.who"),
                say!("core.map.how-long"),
            ],
            changes: !stands,
            inverse,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let asked = self.context.router_port.want(self.wish).await;
        asked.map_err(|error: MappingError| error.explain())?;
        Ok(match self.context.router_port.state() {
            Some(mapping) => say!(
                "core.map.opened",
                external = mapping.external.unwrap_or_default(),
                protocol = mapping.protocol.unwrap_or_default()
            ),
            None => say!("core.map.given-back"),
        })
    }
}
