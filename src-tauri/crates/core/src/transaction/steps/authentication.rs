//! Makes sure that the gateway asks for a secret.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{Code, ErrorEnvelope, StepId, Text, say};
use gatehouse_openclaw::config::{Edit, OnDrift};
use gatehouse_openclaw::discovery::Auth;
use secrecy::ExposeSecret as _;

use super::{find_gateway, token};
use crate::context::Context;
use crate::errors::{self, Explain};
use crate::link;
use crate::transaction::configuration::{Edited, Place, let_in, own_words, restarted};
use crate::transaction::draft::{Draft, Found};
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Step};

pub(super) const TOKEN: &str = "gateway.auth.token";
pub(super) const MODE: &str = "gateway.auth.mode";
/// How long a gateway that follows its file takes to do so.
const FOLLOW: Duration = Duration::from_secs(5);
const LET_IN: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct Authentication {
    context: Context,
    edited: Option<Edited>,
}

impl Authentication {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone(), edited: None }
    }
}

#[async_trait]
impl Step for Authentication {
    fn id(&self) -> StepId {
        StepId::Authentication
    }

    fn title(&self) -> Text {
        say!("core.doing.authentication")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(120)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let Some(found) = draft.gateway.clone() else { return Ok(Prepared::default()) };
        let (edits, restarts, title) = match &found.gateway.auth {
            Auth::Token(_) => return Ok(nothing(say!("core.authentication.token"))),
            Auth::Password(_) => return Ok(nothing(say!("core.authentication.password"))),
            Auth::TrustedProxy { .. } => {
                let mut prepared = nothing(say!("core.authentication.proxy"));
                prepared.warnings.push(say!("core.authentication.proxy-warning"));
                return Ok(prepared);
            }
            Auth::Unresolvable { .. } => {
                let mut prepared = nothing(say!("core.authentication.unreadable"));
                let why = link::no_secret(&found.gateway.auth);
                prepared.warnings.push(errors::both(&why));
                return Ok(prepared);
            }
            Auth::Missing => {
                (vec![set(TOKEN, self.token().await?)], found.running, say!("core.authentication.give"))
            }
            Auth::None => (
                vec![set(MODE, "token".to_owned()), set(TOKEN, self.token().await?)],
                found.running,
                say!("core.authentication.ask"),
            ),
        };
        let edited = Place::of(&self.context, &found).await.prepare(&edits, OnDrift::Leave).await?;
        let mut ledger = draft.ledger.clone();
        ledger.absorb(edited.inverse());
        let prepared = Prepared {
            title,
            details: own_words(edited.changes()),
            changes: !edited.is_noop(),
            inverse: edited.record(restarts && matches!(found.gateway.auth, Auth::None)).to_value()?,
            backup: edited.backup(),
            ledger: Some(ledger),
            restarts_gateway: restarts,
            drops_connections: found.running,
            ..Prepared::default()
        };
        self.edited = Some(edited);
        Ok(prepared)
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(edited) = self.edited.take() else { return Ok(Text::default()) };
        let before = edited.boot();
        let restarts = edited.write().await?;
        let found = find_gateway::find(&self.context).await?;
        match (found.running, restarts, self.context.link.client()) {
            (true, true, Some(client)) => restarted(&client, before.as_deref()).await?,
            (true, _, _) => self.let_in(&found).await?,
            (false, _, _) => {}
        }
        draft.gateway = Some(found);
        Ok(say!("core.authentication.done"))
    }
}

impl Authentication {
    /// The token that was stored here before, else a new one. One that is stored and cannot be had now is no reason for
    /// a new one: the keychain may only be locked.
    async fn token(&self) -> Result<String, ErrorEnvelope> {
        let store = self.context.token.clone();
        let kept = off_thread(move || store.held()).await?.map_err(|error| error.explain())?;
        kept.map_or_else(token::fresh, |kept| Ok(kept.expose_secret().to_owned()))
    }

    /// Waits until the running gateway lets us in with the new secret, restart included. One that had none made one up
    /// at its start and keeps to that: it reads the file, says so, and goes on refusing until it restarts.
    async fn let_in(&self, found: &Found) -> Result<(), ErrorEnvelope> {
        let Some(client) = self.context.link.client() else {
            return Err(not_let_in(say!("core.authentication.no-connection")));
        };
        let followed = let_in(&client, FOLLOW).await;
        if followed.is_err() && self.context.link.is_refused() {
            self.restart(found.gateway.port).await?;
        }
        let_in(&client, LET_IN).await.map_err(|link| not_let_in(format!("{link:?}").into()))
    }

    async fn restart(&self, port: u16) -> Result<(), ErrorEnvelope> {
        let machine = self.context.machine.clone();
        let asked = off_thread(move || {
            let pid = machine.holder(port).and_then(|holder| holder.pid).ok_or(io::ErrorKind::NotFound)?;
            machine.ask_to_restart(pid)
        })
        .await?;
        asked.map_err(|error| not_let_in(say!("core.authentication.no-restart", error = error)))
    }
}

fn nothing(title: Text) -> Prepared {
    Prepared { title, ..Prepared::default() }
}

fn set(path: &str, value: String) -> Edit {
    Edit::Set { path: path.into(), value: value.into() }
}

fn not_let_in(why: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayAuth,
        say!("core.authentication.not-taken"),
        say!("core.authentication.not-let-in", seconds = LET_IN.as_secs(), why = why),
    )
    .fix_with(say!("core.gateway.restart-again"), "openclaw gateway restart")
}
