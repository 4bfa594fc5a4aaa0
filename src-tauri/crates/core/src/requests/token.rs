//! The gateway's shared token: how it stands, taking it into the keychain, replacing it, moving it, showing it.

use std::time::Duration;

use gatehouse_api::{
    Code, ErrorEnvelope, Fix, GatewayToken, Reply, SecretText, Text, TokenEdit, TokenPlace, TokenState, say,
};
use gatehouse_host::secrets::{Found, Kind, SecretError};
use gatehouse_openclaw::discovery::{Auth, Gateway, TokenSource};
use gatehouse_openclaw::probe;
use secrecy::{ExposeSecret as _, SecretString};

use super::changes::changing;
use super::{Desk, blocking};
use crate::errors::{Explain, capital};
use crate::transaction::{self, Intent, checked, no_token, store_name};

/// How long a keychain may take that a person asked about.
const ASKED: Duration = Duration::from_secs(10);

/// What was found of the token.
struct Look {
    gateway: Gateway,
    running: bool,
    place: TokenPlace,
    /// What is stored, where something ever was.
    stored: Option<Result<Found, SecretError>>,
}

pub(super) async fn status(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    told(desk).await.map(|token| Reply::Token(Box::new(token)))
}

async fn told(desk: &Desk) -> Result<GatewayToken, ErrorEnvelope> {
    let look = look(desk).await?;
    let accepted = match (&look.gateway.auth, look.running) {
        (Auth::Token(token), true) => accepted(desk, &look.gateway, token).await,
        _ => None,
    };
    let (paired, kind) = (desk.snapshots.borrow().devices.paired, desk.context.token.kind());
    Ok(describe(&look, accepted, paired, kind))
}

/// A keychain that is open again is used at once.
async fn look(desk: &Desk) -> Result<Look, ErrorEnvelope> {
    let store = desk.context.token.clone();
    let stored = blocking(move || Ok(store.known().then(|| store.ask(ASKED)))).await?;
    let found = transaction::find(&desk.context).await?;
    let gateway = Gateway::clone(&found.gateway);
    let place = place(desk, &gateway);
    // A marker without a value is an error of the store's; an unreadable marker is one, too.
    let stored = match stored {
        Some(Ok(None)) | None => None,
        Some(Ok(Some(found))) => Some(Ok(found)),
        Some(Err(error)) => Some(Err(error)),
    };
    Ok(Look { gateway, running: found.running, place, stored })
}

fn place(desk: &Desk, gateway: &Gateway) -> TokenPlace {
    match (&gateway.auth, &gateway.token_source) {
        (Auth::Password(_) | Auth::TrustedProxy { .. }, _) => TokenPlace::NotUsed,
        (_, TokenSource::Plain) => TokenPlace::Configuration,
        (_, source) if desk.context.token.is_ours(source) => TokenPlace::Store,
        (_, TokenSource::Program { .. } | TokenSource::Elsewhere) => TokenPlace::Elsewhere,
        // A variable that we see, too, or nothing at all.
        (Auth::Token(_) | Auth::Unresolvable { .. }, TokenSource::Absent) => TokenPlace::Elsewhere,
        (Auth::None | Auth::Missing, TokenSource::Absent) => TokenPlace::Nowhere,
    }
}

async fn accepted(desk: &Desk, gateway: &Gateway, token: &SecretString) -> Option<bool> {
    probe::admits(desk.context.link.address(), gateway.base_path.as_deref(), token).await
}

fn describe(look: &Look, accepted: Option<bool>, paired: usize, kind: Kind) -> GatewayToken {
    let state = state(look);
    let store =
        store_name(look.stored.as_ref().and_then(|found| Some(found.as_ref().ok()?.store)).unwrap_or(kind));
    let (title, because, fix) = words(look, state, accepted, &store);
    let signs_out = match look.place {
        TokenPlace::Configuration | TokenPlace::Store => {
            vec![say!("core.token.signs-out-all"), say!("core.token.stay", count = paired)]
        }
        TokenPlace::Elsewhere | TokenPlace::Nowhere | TokenPlace::NotUsed => Vec::new(),
    };
    GatewayToken {
        place: look.place,
        state,
        title,
        because,
        fix,
        store: crate::boot::kind(kind).to_owned(),
        stored: look.stored.is_some(),
        accepted,
        signs_out,
    }
}

fn state(look: &Look) -> TokenState {
    let used = match &look.gateway.auth {
        Auth::Token(token) => Some(token.expose_secret()),
        _ => None,
    };
    match (look.place, &look.stored) {
        (TokenPlace::NotUsed | TokenPlace::Nowhere, _) => TokenState::Absent,
        (TokenPlace::Configuration, Some(Ok(found))) if used != Some(found.value.expose_secret()) => {
            TokenState::Replaced
        }
        // What stands in the configuration is the token, whatever became of the copy.
        (TokenPlace::Configuration, _) => TokenState::Known,
        (TokenPlace::Store | TokenPlace::Elsewhere, Some(Ok(found))) if found.replaced => {
            TokenState::Replaced
        }
        (TokenPlace::Store | TokenPlace::Elsewhere, Some(Ok(_))) => TokenState::Known,
        (TokenPlace::Store | TokenPlace::Elsewhere, Some(Err(error))) => match error {
            SecretError::Locked(_) => TokenState::Locked,
            SecretError::Denied(_) => TokenState::Denied,
            SecretError::Missing { .. } => TokenState::Missing,
            SecretError::InvalidName(_) | SecretError::Unavailable(_) => TokenState::Unavailable,
        },
        (TokenPlace::Store, None) => TokenState::Missing,
        (TokenPlace::Elsewhere, None) if used.is_some() => TokenState::Known,
        (TokenPlace::Elsewhere, None) => TokenState::Unknown,
    }
}

/// What, why, and what next.
fn words(look: &Look, state: TokenState, accepted: Option<bool>, store: &Text) -> (Text, Text, Option<Fix>) {
    let fix = |text: Text, command: &str| Some(Fix { text, command: Some(command.to_owned()) });
    let import = || fix(say!("core.token.import-fix"), "gatehouse token import --secret-file -");
    let why = || match &look.stored {
        Some(Err(error)) => capital(&error.to_string()).into(),
        Some(Ok(_)) | None => Text::default(),
    };
    if state == TokenState::Known && accepted == Some(false) {
        return (say!("core.token.not-accepted"), say!("core.token.not-accepted-because"), import());
    }
    match state {
        TokenState::Known => match look.place {
            TokenPlace::Store => {
                (say!("core.token.is-in", store = store), say!("core.token.is-in-because"), None)
            }
            TokenPlace::Elsewhere => {
                (say!("core.token.is-elsewhere"), say!("core.token.elsewhere-because"), None)
            }
            TokenPlace::Configuration | TokenPlace::Nowhere | TokenPlace::NotUsed => {
                let move_it = fix(say!("core.token.move-fix"), "gatehouse token use-secret-ref");
                (say!("core.token.is-plain"), say!("core.token.is-plain-because"), move_it)
            }
        },
        TokenState::Locked => (
            say!("core.token.locked"),
            say!("core.token.because-start", why = why()),
            fix(say!("core.vault.unlock"), "gatehouse token status"),
        ),
        TokenState::Denied => (
            say!("core.token.denied"),
            say!("core.token.because-start", why = why()),
            fix(say!("core.vault.allow"), "gatehouse token status"),
        ),
        TokenState::Missing => (say!("core.token.missing"), say!("core.token.missing-because"), import()),
        TokenState::Replaced if look.place == TokenPlace::Configuration => (
            say!("core.token.copy-differs"),
            say!("core.token.copy-differs-because"),
            fix(say!("core.token.copy-fix"), "gatehouse token import"),
        ),
        TokenState::Replaced => (say!("core.token.replaced"), say!("core.token.replaced-because"), import()),
        TokenState::Unavailable => (
            say!("core.token.unavailable"),
            say!("core.token.because-start", why = why()),
            fix(say!("core.vault.log-in"), "gatehouse token status"),
        ),
        TokenState::Unknown => (say!("core.secret.unknown"), say!("core.token.elsewhere-because"), import()),
        TokenState::Absent if look.place == TokenPlace::NotUsed => {
            (say!("core.token.not-used"), say!("core.token.not-used-because"), None)
        }
        TokenState::Absent => (
            say!("core.token.none"),
            say!("core.token.none-because"),
            fix(say!("core.token.none-fix"), "gatehouse token generate"),
        ),
    }
}

/// The gateway decides whether it is the right one; where it does not run, its configuration does.
pub(super) async fn import(desk: &Desk, secret: Option<SecretText>) -> Result<Reply, ErrorEnvelope> {
    let _turn = desk.transactions.hold()?;
    let look = look(desk).await?;
    if matches!(look.place, TokenPlace::NotUsed | TokenPlace::Nowhere) {
        return Err(no_token(&look.gateway.auth));
    }
    let token = match (secret, &look.gateway.auth) {
        (Some(secret), _) => checked(&secret)?,
        // What our own store says is no news to it.
        (None, Auth::Token(token)) if look.place != TokenPlace::Store => token.clone(),
        (None, auth) => {
            let error = no_token(auth);
            return Err(ErrorEnvelope::new(Code::Usage, error.title, say!("core.token.which"))
                .fix_with(say!("core.token.import-fix"), "gatehouse token import --secret-file -"));
        }
    };
    let same = match (&look.gateway.auth, look.place) {
        (Auth::Token(used), TokenPlace::Configuration) => Some(used.expose_secret() == token.expose_secret()),
        _ => None,
    };
    let taken = match look.running {
        true => accepted(desk, &look.gateway, &token).await,
        false => None,
    };
    if taken.or(same) == Some(false) {
        return Err(ErrorEnvelope::new(
            Code::GatewayAuth,
            say!("core.token.not-taken"),
            say!("core.token.import-refused"),
        )
        .fix_with(say!("core.token.rotate-fix"), "gatehouse token rotate --secret-file -"));
    }
    let (store, ours) = (desk.context.token.clone(), look.place == TokenPlace::Store);
    blocking(move || {
        store.store(&token).map_err(|error| error.explain())?;
        if ours { store.write_helper() } else { Ok(()) }
    })
    .await?;
    tracing::info!("the gateway's token was taken into the store of secrets");
    status(desk).await
}

pub(super) async fn plan(desk: &Desk, edit: TokenEdit) -> Result<Reply, ErrorEnvelope> {
    may_generate(desk, &edit).await?;
    let paired = desk.snapshots.borrow().devices.paired;
    let rotates = matches!(edit, TokenEdit::Rotate { .. });
    let mut plan = desk.transactions.plan(&Intent::Token(edit)).await?;
    if rotates {
        plan.warnings.push(say!("core.token.stay", count = paired));
    }
    Ok(Reply::Plan(plan))
}

pub(super) async fn change(desk: &Desk, edit: TokenEdit) -> Result<Reply, ErrorEnvelope> {
    may_generate(desk, &edit).await?;
    let change = changing(desk, false, desk.transactions.run(Intent::Token(edit))).await?;
    Ok(Reply::Change(change))
}

/// A token is made only where there is certainly none.
async fn may_generate(desk: &Desk, edit: &TokenEdit) -> Result<(), ErrorEnvelope> {
    if *edit != TokenEdit::Generate {
        return Ok(());
    }
    let look = look(desk).await?;
    match (&look.gateway.auth, look.stored) {
        (Auth::None | Auth::Missing, Some(Err(error))) => Err(error.explain()),
        (Auth::None | Auth::Missing, _) => Ok(()),
        (Auth::Token(_) | Auth::Unresolvable { .. }, _) => Err(ErrorEnvelope::new(
            Code::Usage,
            say!("core.token.has-one"),
            say!("core.token.has-one-because"),
        )
        .fix_with(say!("core.token.rotate"), "gatehouse token rotate")),
        (auth @ (Auth::Password(_) | Auth::TrustedProxy { .. }), _) => Err(no_token(auth)),
    }
}

/// What the gateway's configuration says, else what is kept here.
pub(super) async fn reveal(desk: &Desk) -> Result<Reply, ErrorEnvelope> {
    if let Some(gateway) = desk.context.link.gateway()
        && let (Auth::Token(token), TokenSource::Plain) = (&gateway.auth, &gateway.token_source)
    {
        return Ok(secret(token));
    }
    let store = desk.context.token.clone();
    let held = blocking(move || match store.held() {
        Ok(held) => Ok(held),
        // Its owner may have unlocked it meanwhile.
        Err(_) => {
            store.ask(ASKED).map(|found| found.map(|found| found.value)).map_err(|error| error.explain())
        }
    })
    .await?;
    match (held, desk.context.link.gateway().as_deref()) {
        (Some(token), _) => Ok(secret(&token)),
        (None, Some(Gateway { auth: Auth::Token(token), .. })) => Ok(secret(token)),
        (None, Some(gateway)) => Err(no_token(&gateway.auth)),
        (None, None) => Err(crate::token::none_stored()),
    }
}

fn secret(token: &SecretString) -> Reply {
    Reply::Secret(SecretText::new(token.expose_secret()))
}

#[cfg(test)]
mod tests;
