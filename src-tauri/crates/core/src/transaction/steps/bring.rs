//! Certificates that the user brings, and which names want certificates from their clients: remembered first, then in
//! force. What is served is swapped and no connection is touched; WebSockets of clients that may no longer be here end.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{ErrorEnvelope, StepId, Text, say};
use gatehouse_certs::Names;
use gatehouse_certs::clients::ClientRule;
use gatehouse_certs::imported::ImportSource;

use crate::brought::{Imported, Wanted};
use crate::context::Context;
use crate::errors::Explain;
use crate::transaction::draft::Draft;
use crate::transaction::inverse::Inverse;
use crate::transaction::serve::{self, off_thread};
use crate::transaction::step::{Prepared, Step};

/// What is brought, or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bringing {
    /// A certificate into a slot.
    Import {
        /// What it is called.
        slot: String,
        /// Where it comes from.
        source: ImportSource,
        /// What it is for.
        names: Names,
        /// What the user should know.
        remarks: Vec<Text>,
    },
    /// A slot becomes empty.
    Remove {
        /// What it is called.
        slot: String,
    },
    /// A name wants certificates from its clients.
    Require {
        /// Which.
        host: String,
        /// Whose.
        rule: ClientRule,
        /// What the user should know.
        remarks: Vec<Text>,
    },
    /// A name wants none.
    Release {
        /// Which.
        host: String,
    },
}

impl Bringing {
    /// In one line.
    pub(crate) fn title(&self) -> Text {
        match self {
            Self::Import { names, .. } => {
                let names: Vec<String> = names.texts().collect();
                say!("core.title.import", names = names.join(", "))
            }
            Self::Remove { slot } => say!("core.title.unimport", slot = slot),
            Self::Require { host, .. } => say!("core.title.require", host = host),
            Self::Release { host } => say!("core.title.release", host = host),
        }
    }

    /// Whether other names are served afterwards.
    pub(crate) fn changes_names(&self) -> bool {
        matches!(self, Self::Import { .. } | Self::Remove { .. })
    }

    fn applied(&self, mut imported: Imported, mut wanted: Wanted) -> (Imported, Wanted) {
        match self {
            Self::Import { slot, source, .. } => {
                imported.insert(slot.clone(), source.clone());
            }
            Self::Remove { slot } => {
                imported.remove(slot);
            }
            Self::Require { host, rule, .. } => {
                wanted.insert(host.clone(), rule.clone());
            }
            Self::Release { host } => {
                wanted.remove(host);
            }
        }
        (imported, wanted)
    }

    fn remarks(&self) -> Vec<Text> {
        match self {
            Self::Import { remarks, .. } | Self::Require { remarks, .. } => remarks.clone(),
            Self::Remove { .. } | Self::Release { .. } => Vec::new(),
        }
    }
}

/// See the module.
pub(crate) struct Bring {
    context: Context,
    what: Bringing,
}

impl Bring {
    pub(crate) fn new(context: &Context, what: &Bringing) -> Self {
        Self { context: context.clone(), what: what.clone() }
    }
}

#[async_trait]
impl Step for Bring {
    fn id(&self) -> StepId {
        StepId::Certificate
    }

    fn title(&self) -> Text {
        self.what.title()
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let settings = self.context.settings.current();
        let previous = (settings.imported.clone(), settings.client_certificates.clone());
        let next = self.what.applied(previous.0.clone(), previous.1.clone());
        if let (true, Some(open)) = (self.what.changes_names(), &settings.open) {
            let brought = &self.context.brought;
            let names = match &self.what {
                Bringing::Import { slot, names, .. } => brought.names_with(slot, Some(names)),
                Bringing::Remove { slot } => brought.names_with(slot, None),
                Bringing::Require { .. } | Bringing::Release { .. } => brought.names(),
            };
            let served = serve::with_names(&self.context, open, &names).await?;
            draft.ports = Some(served.ports);
            draft.addresses = Some(served.plan);
        }
        let (imported, wanted) = previous.clone();
        Ok(Prepared {
            title: self.what.title(),
            changes: next != previous || self.what.changes_names(),
            inverse: Inverse::Brought { imported, wanted }.to_value()?,
            warnings: self.what.remarks(),
            ..Prepared::default()
        })
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let settings = self.context.settings.current();
        let (imported, wanted) =
            self.what.applied(settings.imported.clone(), settings.client_certificates.clone());
        remember(&self.context, imported, wanted).await?;
        Ok(say!("core.bring.done"))
    }
}

/// Writes what is brought, and puts it in force.
pub(crate) async fn remember(
    context: &Context,
    imported: Imported,
    wanted: Wanted,
) -> Result<(), ErrorEnvelope> {
    let (settings, brought, now) = (context.settings.clone(), context.brought.clone(), context.clock.now());
    off_thread(move || {
        let written = settings.update(|settings| {
            settings.imported = imported;
            settings.client_certificates = wanted;
        });
        let settings = written.map_err(|error| error.explain())?;
        brought.follow(&settings, now);
        Ok(())
    })
    .await??;
    context.door.clients_changed();
    Ok(())
}
