//! Takes real steps back.

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, Text, say};
use gatehouse_openclaw::config::{Edit, Expected, OnDrift, file};

use super::configuration::{Edited, Place, boot, drift_line, own_words, request_restart, restarted};
use super::inverse::Inverse;
use super::journal::step_text;
use super::serve;
use super::step::{Revert, Reverted, Reverter};
use super::steps::{Form, bring_back, configure, find, remember, remember_acme, take_token_back};
use crate::context::Context;
use crate::edge_config;
use crate::errors::Explain;

const ATTEMPTS: u8 = 3;

/// See the module.
pub(crate) struct TakeBack {
    context: Context,
}

impl TakeBack {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone() }
    }
}

#[async_trait]
impl Reverter for TakeBack {
    async fn revert(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope> {
        match understand(what)? {
            inverse @ (Inverse::File { .. } | Inverse::Patch { .. }) => {
                self.configuration(what, &inverse).await
            }
            Inverse::Serve if what.live => {
                serve::follow_settings(&self.context).await.map(|()| Reverted::default())
            }
            Inverse::Serve | Inverse::Certificate => Ok(Reverted::default()),
            Inverse::MapPort => {
                if what.live {
                    serve::follow_port(&self.context).await;
                }
                Ok(Reverted::default())
            }
            Inverse::Settings { previous } => {
                remember(&self.context, previous.map(|open| *open)).await.map(|()| Reverted::default())
            }
            Inverse::Acme { previous } => {
                let acme = previous.map(|acme| *acme);
                remember_acme(&self.context, acme, what.live).await.map(|()| Reverted::default())
            }
            Inverse::Brought { imported, wanted } => {
                bring_back(&self.context, imported, wanted).await?;
                if what.live {
                    serve::follow_settings(&self.context).await?;
                }
                Ok(Reverted::default())
            }
            Inverse::Token { before, rotates, prunes } => {
                take_token_back(&self.context, before, rotates, &prunes, what.backup.as_deref()).await
            }
            Inverse::Edge { previous } => {
                configure(&self.context, previous).await.map(|()| Reverted::default())
            }
        }
    }

    async fn preview(&self, what: &Revert) -> Result<Reverted, ErrorEnvelope> {
        let line = |text: Text| Ok(Reverted { details: vec![text], ..Reverted::default() });
        match understand(what)? {
            inverse @ (Inverse::File { .. } | Inverse::Patch { .. }) => {
                self.preview_edit(what, &inverse).await
            }
            Inverse::Serve => line(say!("core.undo.listen")),
            Inverse::MapPort => line(say!("core.map.undo")),
            Inverse::Certificate => line(say!("core.undo.certificate")),
            Inverse::Settings { previous: None } => line(say!("core.undo.stay-closed")),
            Inverse::Settings { previous: Some(_) } => line(say!("core.undo.open-before")),
            Inverse::Acme { previous: None } => line(say!("core.acme.undo-none")),
            Inverse::Acme { previous: Some(_) } => line(say!("core.acme.undo-before")),
            Inverse::Brought { .. } => line(say!("core.undo.brought")),
            Inverse::Token { before: Form::Plain, .. } => line(say!("core.undo.token-plain")),
            Inverse::Token { before: Form::Store, .. } => line(say!("core.undo.token-store")),
            Inverse::Edge { previous } => {
                let now = self.context.settings.current();
                let details = edge_config::differences(&now.edge, &previous);
                Ok(Reverted { details, ..Reverted::default() })
            }
        }
    }
}

impl TakeBack {
    async fn configuration(&self, what: &Revert, inverse: &Inverse) -> Result<Reverted, ErrorEnvelope> {
        if self.restore_bytes(what, inverse)? {
            if restarts(inverse) && find(&self.context).await.is_ok_and(|found| found.running) {
                self.restart().await?;
            }
            return Ok(Reverted::default());
        }
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match self.edit(what, inverse).await {
                Err(error) if error.code == Code::ConfigConflict && left > 0 => {}
                outcome => return outcome,
            }
        }
    }

    /// A file that nobody touched since becomes byte for byte what it was, comments included. A running gateway
    /// follows its file.
    fn restore_bytes(&self, what: &Revert, inverse: &Inverse) -> Result<bool, ErrorEnvelope> {
        let (Inverse::File { record, .. }, Some(backup)) = (inverse, &what.backup) else { return Ok(false) };
        match file::restore(&record.path, backup, &record.after_sha256) {
            Ok(file::Restored::Identical | file::Restored::Already) => Ok(true),
            Ok(file::Restored::Changed) => Ok(false),
            Err(error) => Err(error.explain()),
        }
    }

    async fn edit(&self, what: &Revert, inverse: &Inverse) -> Result<Reverted, ErrorEnvelope> {
        let (edited, running) = self.prepare(what, inverse).await?;
        let restart = running && restarts(inverse);
        if !edited.is_noop() {
            edited.write().await?;
            find(&self.context).await?;
            if restart {
                self.restart().await?;
            }
        }
        Ok(told(&edited, what.force_drift, restart))
    }

    /// A gateway that restarts by itself already may not take the request; what counts is that it comes back.
    async fn restart(&self) -> Result<(), ErrorEnvelope> {
        let Some(client) = self.context.link.client() else { return Ok(()) };
        let before = boot(&client);
        if let Err(error) = request_restart(&client).await {
            tracing::debug!(%error, "the gateway was not asked to restart");
        }
        restarted(&client, before.as_deref()).await
    }

    async fn preview_edit(&self, what: &Revert, inverse: &Inverse) -> Result<Reverted, ErrorEnvelope> {
        let (edited, running) = self.prepare(what, inverse).await?;
        Ok(told(&edited, what.force_drift, running && restarts(inverse)))
    }

    async fn prepare(&self, what: &Revert, inverse: &Inverse) -> Result<(Edited, bool), ErrorEnvelope> {
        let on_drift = if what.force_drift { OnDrift::Overwrite } else { OnDrift::Leave };
        let found = find(&self.context).await?;
        let place = match inverse.edits().iter().any(compares_secret) {
            true => Place::File(found.gateway.config_path.clone()),
            false => Place::of(&self.context, &found).await,
        };
        Ok((place.prepare(inverse.edits(), on_drift).await?, found.running))
    }
}

fn told(edited: &Edited, overwritten: bool, restarts_gateway: bool) -> Reverted {
    Reverted {
        details: own_words(edited.changes()),
        drift: edited.drift().iter().map(|drift| drift_line(drift, overwritten)).collect(),
        restarts_gateway: restarts_gateway && !edited.is_noop(),
    }
}

/// The gateway shows secrets to nobody, so whether one still is ours can only be seen in its file, which it follows.
fn compares_secret(edit: &Edit) -> bool {
    matches!(edit, Edit::Restore { ours: Expected::Digest(_), .. })
}

fn restarts(inverse: &Inverse) -> bool {
    matches!(inverse, Inverse::File { restart: true, .. } | Inverse::Patch { restart: true, .. })
}

fn understand(what: &Revert) -> Result<Inverse, ErrorEnvelope> {
    serde_json::from_value(what.inverse.clone()).map_err(|error| {
        ErrorEnvelope::new(
            Code::Version,
            say!("core.journal.version"),
            say!("core.journal.version-because", step = step_text(what.step), error = error),
        )
        .fix(say!("core.journal.version-fix"))
    })
}
