//! Remembers what is to be open, so that the next start opens it again.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ErrorEnvelope, OpenRequest, StepId, Text, say};

use crate::context::Context;
use crate::errors::Explain;
use crate::kept;
use crate::settings::OpenSettings;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Step};

/// See the module.
pub(crate) struct Commit {
    context: Context,
    request: Option<OpenRequest>,
    open: Option<OpenSettings>,
}

impl Commit {
    pub(crate) fn open(context: &Context, request: &OpenRequest) -> Self {
        let request = OpenRequest { confirm_within: None, ..request.clone() };
        Self { context: context.clone(), request: Some(request), open: None }
    }

    pub(crate) fn close(context: &Context) -> Self {
        Self { context: context.clone(), request: None, open: None }
    }
}

#[async_trait]
impl Step for Commit {
    fn id(&self) -> StepId {
        StepId::Commit
    }

    fn title(&self) -> Text {
        say!("core.doing.commit")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let previous = self.context.settings.current().open.clone();
        self.open = self.request.clone().zip(draft.ports.clone()).map(|(request, ports)| OpenSettings {
            port_reason: ports.https_reason,
            redirect_port: ports.redirect,
            redirect_reason: ports.redirect_reason,
            unknown: previous.as_ref().map(|open| open.unknown.clone()).unwrap_or_default(),
            ..OpenSettings::new(request, ports.https)
        });
        let title = match self.open {
            Some(_) => say!("core.commit.open"),
            None => say!("core.commit.closed"),
        };
        Ok(Prepared {
            title: title.to_owned(),
            changes: self.open != previous,
            inverse: Inverse::Settings { previous: previous.map(Box::new) }.to_value()?,
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        remember(&self.context, self.open.take()).await?;
        let kept = self.context.settings.current().kept.clone();
        let served = self.context.served.load_full();
        let advertised = served.map(|served| kept::advertised(&served.plan)).unwrap_or_default();
        kept::remember(&self.context, advertised, kept).await?;
        Ok(say!("core.commit.done"))
    }
}

/// Writes what is to be open.
pub(crate) async fn remember(context: &Context, open: Option<OpenSettings>) -> Result<(), ErrorEnvelope> {
    let settings = context.settings.clone();
    let write = move || {
        settings.update(|settings| {
            let request = |open: &Option<OpenSettings>| open.as_ref().map(|open| open.request.clone());
            let (before, after) = (request(&settings.open), request(&open));
            // What was closed on purpose is not kept.
            if before != after {
                settings.last_addresses.clear();
            }
            if before.map(|it| it.scope) != after.map(|it| it.scope) {
                settings.kept.clear();
            }
            settings.open = open;
        })
    };
    let written = off_thread(write).await?;
    written.map(|_| ()).map_err(|error| error.explain())
}
