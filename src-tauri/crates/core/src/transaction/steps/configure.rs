//! One patch of the gateway's configuration: allowed origins, trusted proxies, the public origin.
//!
//! What is there already is not added twice; what an earlier change added and this one does not need is taken away;
//! what somebody else put there is never touched, except an origin that the user names.

use std::time::Duration;

use async_trait::async_trait;
use gatehouse_api::{AddressScope, Code, ErrorEnvelope, Scope, StepId, Text, say};
use gatehouse_openclaw::config::{Edit, KeyPath, OnDrift, View};

use super::token::is_container;
use super::{authentication, loopback};
use crate::address_plan::AddressPlan;
use crate::context::Context;
use crate::errors;
use crate::transaction::configuration::{Edited, Place, drift_line, own_words};
use crate::transaction::draft::Draft;
use crate::transaction::ledger::Ledger;
use crate::transaction::step::{Prepared, Step};

pub(crate) const ORIGINS: &str = "gateway.controlUi.allowedOrigins";
pub(crate) const PROXIES: &str = "gateway.trustedProxies";
const PUBLIC_ORIGIN: &str = "gateway.publicOrigin";

/// What the configuration is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Fit for the addresses of the plan.
    Open(Scope),
    /// Free of what Gatehouse added.
    Close,
    /// With this origin.
    Add(String),
    /// Without this origin.
    Remove(String),
    /// With these origins of what is open, too.
    Cover(Vec<String>),
}

/// See the module.
pub(crate) struct Configure {
    context: Context,
    wish: Wish,
    edited: Option<Edited>,
}

impl Configure {
    pub(crate) fn new(context: &Context, wish: Wish) -> Self {
        Self { context: context.clone(), wish, edited: None }
    }

    async fn edit(&self, draft: &Draft) -> Result<(Edited, Vec<Text>, bool), ErrorEnvelope> {
        let Some(found) = &draft.gateway else { return Err(no_gateway()) };
        let place = Place::of(&self.context, found).await;
        let (edits, warnings) = match &self.wish {
            Wish::Open(scope) => {
                let plan = draft.addresses.as_ref().ok_or_else(no_gateway)?;
                let fronted = self.context.settings.current().is_fronted();
                (for_plan(plan, *scope, &draft.ledger, fronted), Vec::new())
            }
            Wish::Close => (draft.ledger.removal(taken_back_at_close), Vec::new()),
            Wish::Add(origin) => (vec![allow(vec![origin.clone()])], Vec::new()),
            Wish::Cover(origins) => (vec![allow(origins.clone())], Vec::new()),
            Wish::Remove(origin) => removal(origin, &place.view().await?, &self.context)?,
        };
        Ok((place.prepare(&edits, OnDrift::Leave).await?, warnings, found.running))
    }

    fn ledger(&self, now: &Ledger, edited: &Edited) -> Ledger {
        let mut ledger = match self.wish {
            Wish::Close => return now.retained(taken_back_at_close),
            Wish::Open(_) | Wish::Add(_) | Wish::Remove(_) | Wish::Cover(_) => now.clone(),
        };
        ledger.absorb(edited.inverse());
        if let Wish::Add(origin) = &self.wish {
            ledger.choose(origin);
        }
        ledger
    }

    fn title(&self, noop: bool) -> Text {
        match (&self.wish, noop) {
            (Wish::Open(_) | Wish::Cover(_), true) => say!("core.configure.fits"),
            (Wish::Open(_) | Wish::Cover(_), false) => say!("core.configure.fit"),
            (Wish::Close, true) => say!("core.configure.nothing"),
            (Wish::Close, false) => say!("core.configure.take-back"),
            (Wish::Add(origin), true) => say!("core.configure.allowed", origin = origin),
            (Wish::Add(origin), false) => say!("core.configure.allow", origin = origin),
            (Wish::Remove(origin), _) => say!("core.configure.disallow", origin = origin),
        }
    }
}

#[async_trait]
impl Step for Configure {
    fn id(&self) -> StepId {
        StepId::Configure
    }

    fn title(&self) -> Text {
        say!("core.doing.edit-config")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(90)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let (edited, mut warnings, running) = match self.edit(draft).await {
            Ok(edit) => edit,
            Err(error) if self.wish == Wish::Close => return Ok(left_behind(&draft.ledger, &error)),
            Err(error) => return Err(error),
        };
        warnings.extend(edited.drift().iter().map(|drift| drift_line(drift, false)));
        let changes = !edited.is_noop();
        let prepared = Prepared {
            title: Self::title(self, !changes),
            details: own_words(edited.changes()),
            changes,
            inverse: edited.record(false).to_value()?,
            backup: edited.backup(),
            ledger: Some(self.ledger(&draft.ledger, &edited)),
            drops_connections: running && touches_proxies(&edited),
            warnings,
            ..Prepared::default()
        };
        self.edited = Some(edited);
        Ok(prepared)
    }

    async fn apply(&mut self, _draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(edited) = self.edited.take() else { return Ok(Text::default()) };
        edited.commit(false).await?;
        Ok(say!("core.configure.done"))
    }
}

fn allow(origins: Vec<String>) -> Edit {
    Edit::AddToArray { path: ORIGINS.into(), values: origins }
}

fn for_plan(plan: &AddressPlan, scope: Scope, ledger: &Ledger, fronted: bool) -> Vec<Edit> {
    let origins: Vec<String> = plan.origins(fronted).map(str::to_owned).collect();
    let path = KeyPath::from(ORIGINS);
    let surplus: Vec<String> = ledger
        .values(&path)
        .filter(|ours| !ledger.is_chosen(ours) && !origins.iter().any(|origin| origin == ours))
        .map(str::to_owned)
        .collect();
    let mut edits = Vec::new();
    if !surplus.is_empty() {
        edits.push(Edit::RemoveFromArray { path, values: surplus });
    }
    if !origins.is_empty() {
        edits.push(allow(origins));
    }
    let proxies = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
    edits.push(Edit::AddToArray { path: PROXIES.into(), values: proxies });
    let public = plan.addresses.iter().find(|address| address.scope == AddressScope::Internet);
    match (scope, public) {
        (Scope::Internet, Some(public)) => {
            edits.push(Edit::Set { path: PUBLIC_ORIGIN.into(), value: public.url.clone().into() })
        }
        (Scope::Internet, None) | (Scope::Mac | Scope::Lan, _) => {
            edits.extend(ledger.removal(|path| *path == KeyPath::from(PUBLIC_ORIGIN)));
        }
    }
    edits
}

/// A secret and a narrow bind stay: taking them back would leave the gateway less protected than an open address did.
/// Undoing the change that made them takes them back.
fn taken_back_at_close(path: &KeyPath) -> bool {
    let stays = [authentication::TOKEN, authentication::MODE, loopback::BIND];
    let holds = ["gateway", "gateway.auth"];
    !is_container(path) && !stays.iter().chain(&holds).any(|kept| *path == KeyPath::from(*kept))
}

fn removal(origin: &str, view: &View, context: &Context) -> Result<(Vec<Edit>, Vec<Text>), ErrorEnvelope> {
    if !view.allowed_origins.iter().flatten().any(|listed| listed == origin) {
        return Err(ErrorEnvelope::new(
            Code::NotFound,
            say!("core.configure.not-listed", origin = origin),
            say!("core.configure.not-listed-because"),
        )
        .fix_with(say!("core.look.list"), "gatehouse origins list"));
    }
    let served = context.served.load();
    let fronted = context.settings.current().is_fronted();
    let used = served.iter().any(|served| served.plan.origins(fronted).any(|ours| ours == origin));
    let warnings = match used {
        true => vec![say!("core.configure.in-use", origin = origin)],
        false => Vec::new(),
    };
    let values = vec![origin.to_owned()];
    Ok((vec![Edit::RemoveFromArray { path: ORIGINS.into(), values }], warnings))
}

/// The address is closed in any case; what could not be taken back stays ours and is taken back next time.
fn left_behind(ledger: &Ledger, error: &ErrorEnvelope) -> Prepared {
    let title = say!("core.configure.leave");
    if ledger.removal(taken_back_at_close).is_empty() {
        return Prepared { title, ..Prepared::default() };
    }
    let warning = say!("core.configure.left-behind", why = errors::both(error));
    Prepared { title, warnings: vec![warning], ..Prepared::default() }
}

/// The gateway drops every client when its list of proxies changes (openclaw-gateway §3.5).
fn touches_proxies(edited: &Edited) -> bool {
    let proxies = KeyPath::from(PROXIES);
    edited.inverse().iter().any(|edit| match edit {
        Edit::RemoveFromArray { path, .. } | Edit::Reinsert { path, .. } | Edit::Restore { path, .. } => {
            *path == proxies
        }
        Edit::AddToArray { .. }
        | Edit::Set { .. }
        | Edit::Replace { .. }
        | Edit::Remove { .. }
        | Edit::Prune { .. } => false,
    })
}

fn no_gateway() -> ErrorEnvelope {
    ErrorEnvelope::new(
        Code::GatewayNotFound,
        say!("core.configure.no-gateway"),
        say!("core.configure.no-gateway-because"),
    )
}
