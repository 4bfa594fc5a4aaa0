//! Replaces the gateway's token, or moves it between the gateway's configuration and the keychain.
//!
//! The journal holds no token. What a rollback needs is where secrets are kept (`set_aside`), or in the copy of the
//! configuration that lives until the change is proven. In between, the token is always in one place at least.

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse_api::{Code, ErrorEnvelope, SecretText, StepId, Text, TokenEdit, say};
use gatehouse_host::secrets::Kind;
use gatehouse_openclaw::client::CallError;
use gatehouse_openclaw::config::{Edit, KeyPath, OnDrift, file};
use gatehouse_openclaw::discovery::{Auth, Gateway, TokenSource};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::authentication::TOKEN;
use super::find_gateway;
use crate::context::Context;
use crate::errors::Explain;
use crate::link;
use crate::token::TokenStore;
use crate::transaction::configuration::{Edited, Place, let_in, own_words};
use crate::transaction::draft::{Draft, Found, TokenMoved};
use crate::transaction::inverse::Inverse;
use crate::transaction::serve::off_thread;
use crate::transaction::step::{Prepared, Reverted, Step};

/// How long a gateway that follows its file takes to let us in with what it says.
const LET_IN: Duration = Duration::from_secs(20);
/// Shorter ones can be guessed (128 bits in hexadecimal are 32).
const SHORTEST: usize = 16;
const LONGEST: usize = 512;

/// Where the gateway takes its token from, of the places that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// From its configuration.
    Plain,
    /// From us.
    Store,
}

/// See the module.
pub(crate) struct MoveToken {
    context: Context,
    edit: TokenEdit,
    ready: Option<Ready>,
}

struct Ready {
    found: Found,
    edited: Option<Edited>,
    moved: TokenMoved,
    before: Form,
    after: Form,
}

impl MoveToken {
    pub(crate) fn new(context: &Context, edit: &TokenEdit) -> Self {
        Self { context: context.clone(), edit: edit.clone(), ready: None }
    }
}

#[async_trait]
impl Step for MoveToken {
    fn id(&self) -> StepId {
        StepId::Authentication
    }

    fn title(&self) -> Text {
        say!("core.token.doing")
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(90)
    }

    async fn prepare(&mut self, draft: &mut Draft) -> Result<Prepared, ErrorEnvelope> {
        let Some(found) = draft.gateway.clone() else { return Err(no_token(&Auth::Missing)) };
        let Auth::Token(old) = &found.gateway.auth else { return Err(no_token(&found.gateway.auth)) };
        let before = form(&self.context, &found.gateway)?;
        let (after, new) = match &self.edit {
            TokenEdit::Rotate { secret } => (before, chosen(secret.as_ref(), old)?),
            TokenEdit::UseStore => (Form::Store, old.clone()),
            TokenEdit::UsePlain => (Form::Plain, old.clone()),
            TokenEdit::Generate => (before, old.clone()),
        };
        let rotates = new.expose_secret() != old.expose_secret();
        let title = self.says(before, after);
        if before == after && !rotates {
            return Ok(Prepared { title, ..Prepared::default() });
        }
        let mut edits = edits(&self.context, before, after, &new);
        if after == Form::Plain {
            edits.extend(draft.ledger.removal(is_container));
        }
        let edited = match edits.is_empty() {
            true => None,
            false => {
                let place = place(&self.context, &found, before, after).await;
                Some(place.prepare(&edits, OnDrift::Leave).await?)
            }
        };
        let prunes: Vec<Edit> = edited.iter().flat_map(|edited| edited.inverse().iter().cloned()).collect();
        let mut ledger = draft.ledger.clone();
        if after == Form::Plain {
            ledger = ledger.retained(is_container);
        }
        ledger.absorb(&prunes);
        let details = edited.as_ref().map_or_else(
            || vec![say!("core.token.in-store", store = store_name(self.context.token.kind()))],
            |edited| own_words(edited.changes()),
        );
        let prepared = Prepared {
            title,
            details,
            changes: true,
            inverse: Inverse::Token { before, rotates, prunes }.to_value()?,
            backup: edited.as_ref().filter(|_| rotates && before == Form::Plain).and_then(Edited::backup),
            ledger: Some(ledger),
            drops_connections: found.running && rotates,
            warnings: self.warnings(&found.gateway, after, rotates, old).await?,
            ..Prepared::default()
        };
        let moved = TokenMoved { old: old.clone(), new };
        self.ready = Some(Ready { found, edited, moved, before, after });
        Ok(prepared)
    }

    async fn apply(&mut self, draft: &mut Draft) -> Result<Text, ErrorEnvelope> {
        let Some(ready) = self.ready.take() else { return Ok(Text::default()) };
        let Ready { found, edited, moved, before, after } = ready;
        let rotates = moved.rotates();
        let (store, old, new) = (self.context.token.clone(), moved.old.clone(), moved.new.clone());
        off_thread(move || match after {
            Form::Store => {
                if rotates {
                    store.set_aside(&old).map_err(|error| error.explain())?;
                }
                store.store(&new).map_err(|error| error.explain())?;
                store.write_helper()?;
                store.try_helper(&new)
            }
            // A copy that was imported stays a copy.
            Form::Plain if rotates && store.known() => store.store(&new).map_err(|error| error.explain()),
            Form::Plain => Ok(()),
        })
        .await??;
        if let Some(edited) = &edited {
            edited.write().await?;
        } else if found.running {
            reload(&self.context).await?;
        }
        draft.gateway = Some(find_gateway::find(&self.context).await?);
        if found.running
            && let Some(client) = self.context.link.client()
        {
            // Whether it takes the token is proven in the next step.
            let _ = let_in(&client, LET_IN).await;
        }
        if before == Form::Store && after == Form::Plain {
            let store = self.context.token.clone();
            off_thread(move || store.forget()).await?.map_err(|error| error.explain())?;
        }
        draft.token = Some(moved);
        Ok(say!("core.token.moved"))
    }
}

impl MoveToken {
    fn says(&self, before: Form, after: Form) -> Text {
        let store = store_name(self.context.token.kind());
        match (&self.edit, before == after) {
            (TokenEdit::Rotate { .. }, _) => say!("core.token.rotate"),
            (_, true) => say!("core.token.there"),
            (_, false) if after == Form::Store => say!("core.token.to-store", store = store),
            (_, false) => say!("core.token.to-plain"),
        }
    }

    async fn warnings(
        &self,
        gateway: &Gateway,
        after: Form,
        rotates: bool,
        token: &SecretString,
    ) -> Result<Vec<Text>, ErrorEnvelope> {
        if rotates {
            return Ok(vec![say!("core.token.signs-out-all"), say!("core.token.no-way-back")]);
        }
        if after == Form::Plain {
            return Ok(vec![say!("core.token.plain-warning")]);
        }
        let (config, token) = (gateway.config_path.clone(), token.clone());
        let journal = self.context.journal.clone();
        let copies = off_thread(move || {
            let beside = copies(&config, &token);
            beside.into_iter().chain(held_in(&journal, &token)).collect::<Vec<_>>()
        })
        .await?;
        let mut warnings = Vec::new();
        if self.context.token.kind() == Kind::File {
            warnings.push(say!("core.token.file-warning"));
        } else {
            warnings.push(say!("core.token.locked-warning"));
        }
        if !copies.is_empty() {
            warnings.push(say!("core.token.copies-warning", files = copies.join(", ")));
        }
        Ok(warnings)
    }
}

/// Takes a [`MoveToken`] back. What somebody else did to the token since is left alone.
pub(crate) async fn take_back(
    context: &Context,
    before: Form,
    rotates: bool,
    prunes: &[Edit],
    backup: Option<&[u8]>,
) -> Result<Reverted, ErrorEnvelope> {
    let found = find_gateway::find(context).await?;
    let store = context.token.clone();
    let old = match (rotates, before) {
        (true, Form::Plain) => backup.and_then(file::plain_token),
        (true, Form::Store) => off_thread(move || store.aside()).await?.map_err(|error| error.explain())?,
        (false, _) => None,
    };
    let (old, running) = match (old, &found.gateway.auth) {
        (Some(old), _) => (old, found.running),
        // It was proven, and what it replaced is gone.
        (None, _) if rotates => return Ok(Reverted::default()),
        (None, Auth::Token(token)) => (token.clone(), found.running),
        (None, auth) => return Err(no_token(auth)),
    };
    if form(context, &found.gateway).is_err() {
        return Ok(Reverted { drift: vec![say!("core.token.drift")], ..Reverted::default() });
    }
    if before == Form::Store {
        let (store, token) = (context.token.clone(), old.clone());
        off_thread(move || {
            store.store(&token).map_err(|error| error.explain())?;
            store.write_helper()
        })
        .await??;
    }
    let now = form(context, &found.gateway)?;
    let mut edits = edits(context, now, before, &old);
    edits.extend(prunes.iter().filter(|edit| matches!(edit, Edit::Prune { .. })).cloned());
    if !edits.is_empty() {
        let place = place(context, &found, now, before).await;
        place.prepare(&edits, OnDrift::Leave).await?.write().await?;
    } else if running && rotates {
        // A gateway that cannot be asked reads the token when it starts.
        if let Err(error) = reload(context).await {
            tracing::warn!(%error, "the gateway was not told to read its token again");
        }
    }
    find_gateway::find(context).await?;
    let (store, gone) = (context.token.clone(), before == Form::Plain && !rotates);
    off_thread(move || {
        store.drop_aside()?;
        if gone { store.forget() } else { Ok(()) }
    })
    .await?
    .map_err(|error| error.explain())?;
    Ok(Reverted::default())
}

/// The gateway reads its references again, and takes what it then has at once (openclaw-gateway §7).
///
/// It also reads them at moments of its own, for example still after the change before this one. Where it ends our connection
/// or no longer lets us in, it has read the new one; whether it takes that is proven later.
async fn reload(context: &Context) -> Result<(), ErrorEnvelope> {
    let told = match context.link.reached().await {
        Ok(client) => match client.ask("secrets.reload", json!({})).await {
            Ok(_) | Err(CallError::Lost) => Ok(()),
            Err(error) => Err(error.explain()),
        },
        Err(error) => Err(error),
    };
    match told {
        Err(error) if context.link.is_refused() => {
            tracing::info!(%error, "the gateway has read its token again");
            Ok(())
        }
        told => told,
    }
}

/// A reference is much longer than a token, and the gateway refuses a write that makes a small configuration smaller by
/// half (`size-drop`). It follows its file.
async fn place(context: &Context, found: &Found, before: Form, after: Form) -> Place {
    match (before, after) {
        (Form::Store, Form::Plain) => Place::File(found.gateway.config_path.clone()),
        (Form::Plain | Form::Store, _) => Place::of(context, found).await,
    }
}

fn edits(context: &Context, before: Form, after: Form, token: &SecretString) -> Vec<Edit> {
    let replace = |path: KeyPath, value| Edit::Replace { path, value };
    match (before, after) {
        (Form::Store, Form::Store) => Vec::new(),
        (Form::Plain, Form::Store) => vec![
            replace(TokenStore::provider_path(), Some(context.token.provider())),
            replace(TOKEN.into(), Some(TokenStore::reference())),
        ],
        (Form::Plain, Form::Plain) => vec![replace(TOKEN.into(), Some(token.expose_secret().into()))],
        (Form::Store, Form::Plain) => vec![
            replace(TOKEN.into(), Some(token.expose_secret().into())),
            replace(TokenStore::provider_path(), None),
        ],
    }
}

/// What holds the entry of our program in the gateway's configuration.
pub(crate) fn is_container(path: &KeyPath) -> bool {
    *path == KeyPath::from("secrets") || *path == KeyPath::from("secrets.providers")
}

fn form(context: &Context, gateway: &Gateway) -> Result<Form, ErrorEnvelope> {
    match &gateway.token_source {
        TokenSource::Plain => Ok(Form::Plain),
        source if context.token.is_ours(source) => Ok(Form::Store),
        TokenSource::Program { .. } | TokenSource::Elsewhere | TokenSource::Absent => {
            Err(ErrorEnvelope::new(
                Code::ConfigUnsupported,
                say!("core.token.elsewhere-title"),
                say!("core.token.elsewhere-because"),
            )
            .fix(say!("core.token.elsewhere-fix")))
        }
    }
}

/// The user's own token, or a new one of 32 random bytes.
fn chosen(secret: Option<&SecretText>, old: &SecretString) -> Result<SecretString, ErrorEnvelope> {
    let Some(secret) = secret else { return fresh().map(SecretString::from) };
    let secret = checked(secret)?;
    match secret.expose_secret() == old.expose_secret() {
        true => Err(usage(say!("core.token.same"))),
        false => Ok(secret),
    }
}

/// A token as a person hands it over.
pub(crate) fn checked(secret: &SecretText) -> Result<SecretString, ErrorEnvelope> {
    let text = secret.expose().trim();
    let plain = text.chars().all(|char| char.is_ascii_graphic());
    if !(SHORTEST..=LONGEST).contains(&text.len()) || !plain || text.contains("${") {
        return Err(usage(say!("core.token.not-usable", shortest = SHORTEST, longest = LONGEST)));
    }
    Ok(text.into())
}

/// 32 random bytes.
pub(crate) fn fresh() -> Result<String, ErrorEnvelope> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        ErrorEnvelope::new(
            Code::Failed,
            say!("core.authentication.no-token"),
            say!("core.authentication.no-random"),
        )
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Files beside the configuration that have the token in plain text, too: OpenClaw's backups and ours.
fn copies(config: &std::path::Path, token: &SecretString) -> Vec<String> {
    let (Some(folder), Some(name)) = (config.parent(), config.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut copies: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|other| {
            other.len() > name.len() && other.starts_with(name) && holds(&folder.join(other), token)
        })
        .collect();
    copies.sort();
    copies
}

/// Copies of the configuration that our own journal keeps for changes in effect, with their paths.
fn held_in(journal: &std::path::Path, token: &SecretString) -> Vec<String> {
    let entries = std::fs::read_dir(journal).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut held: Vec<String> =
        entries.filter(|path| holds(path, token)).map(|path| path.display().to_string()).collect();
    held.sort();
    held
}

fn holds(path: &std::path::Path, token: &SecretString) -> bool {
    let bytes = gatehouse_files::read_bounded(path, file::LARGEST).ok().flatten().unwrap_or_default();
    bytes.windows(token.expose_secret().len()).any(|window| window == token.expose_secret().as_bytes())
}

pub(crate) fn store_name(kind: Kind) -> Text {
    match kind {
        Kind::Keychain => say!("core.token.keychain"),
        Kind::SecretService => say!("core.token.secret-service"),
        Kind::File => say!("core.token.file"),
    }
}

/// Why there is no token to work on.
pub(crate) fn no_token(auth: &Auth) -> ErrorEnvelope {
    match auth {
        Auth::Missing | Auth::None => {
            ErrorEnvelope::new(Code::NotFound, say!("core.token.none"), say!("core.token.none-because"))
                .fix_with(say!("core.token.none-fix"), "gatehouse token generate")
        }
        Auth::Password(_) | Auth::TrustedProxy { .. } => ErrorEnvelope::new(
            Code::ConfigUnsupported,
            say!("core.token.not-used"),
            say!("core.token.not-used-because"),
        ),
        Auth::Unresolvable { .. } | Auth::Token(_) => link::no_secret(auth),
    }
}

fn usage(because: Text) -> ErrorEnvelope {
    ErrorEnvelope::new(Code::Usage, say!("core.token.not-taken"), because)
}

#[cfg(test)]
mod tests;
