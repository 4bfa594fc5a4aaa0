//! Changes settings of the edge: in force first, then remembered, so that what is stored has been taken.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ConfigEdit, ErrorEnvelope, StepId, Text, say};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::edge_config::{self, EdgeConfig};
use crate::errors::Explain;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve::{self, off_thread};
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct ConfigureEdge {
    context: Context,
    edits: Vec<ConfigEdit>,
    replace: bool,
    next: Map<String, Value>,
}

impl ConfigureEdge {
    pub(crate) fn new(context: &Context, edits: &[ConfigEdit], replace: bool) -> Self {
        Self { context: context.clone(), edits: edits.to_vec(), replace, next: Map::new() }
    }

    /// Whether a proxy in front is declared by it, where none was.
    pub(super) fn declares_front(&self) -> bool {
        let settings = self.context.settings.current();
        let next = edge_config::edited(&settings.edge, &self.edits, self.replace);
        !settings.is_fronted() && next.is_ok_and(|next| EdgeConfig::of(&next).0.is_fronted())
    }
}

#[async_trait]
impl Step for ConfigureEdge {
    fn id(&self) -> StepId {
        StepId::Commit
    }

    fn title(&self) -> Text {
        say!("core.step.edge")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn prepare(&mut self, _draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let previous = self.context.settings.current().edge.clone();
        self.next = edge_config::edited(&previous, &self.edits, self.replace)?;
        Ok(Prepared {
            title: say!("core.step.edge-does"),
            details: edge_config::differences(&previous, &self.next),
            changes: self.next != previous,
            inverse: Inverse::Edge { previous }.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        configure(&self.context, std::mem::take(&mut self.next)).await?;
        Ok(say!("core.step.edge-done"))
    }
}

/// Puts settings of the edge in force and writes them.
pub(crate) async fn configure(context: &Context, edge: Map<String, Value>) -> Result<(), ErrorEnvelope> {
    serve::configure(context, &EdgeConfig::of(&edge).0).await?;
    let settings = context.settings.clone();
    let written = off_thread(move || settings.update(|settings| settings.edge = edge)).await?;
    written.map(|_| ()).map_err(|error| error.explain())
}
